// What the programs of lessons/parallelism show, as far as it does not depend on a fast or idle
// machine.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tests/lessons/lesson_run.h"
#include "tests/support/catch.h"
#include "tests/support/scale.h"

using namespace weft::testing;

namespace {

const std::string lesson = "parallelism_lessons";

std::vector<lesson_line> run_json(std::vector<std::string> args) { return lesson_json(lesson, std::move(args)); }

std::string from_to(char first, char last) {
  std::string all;
  for (char c = first; c <= last; ++c) all += std::string(1, c) + " ";
  return all;
}

std::string numbers(int first, int last) {
  std::string all;
  for (int n = first;; n += first < last ? 1 : -1) {
    all += std::to_string(n) + " ";
    if (n == last) return all;
  }
}

std::string first_to_print(const lesson_line& l) {
  for (const auto& [name, text] : l.prints())
    if (name != "main") return name;
  return "";
}

}  // namespace

TEST_CASE("on one P without yields one fiber prints all before the other begins", "[lessons][P1][GO-47]") {
  for (const lesson_line& l : run_json({"p1", "--repeat=20", "--work=100"})) {
    CHECK(l.number("output_changes") == 1);
    CHECK(l.number("switches") == 1);
    CHECK(l.number("at_once") == 1);
    CHECK(l.printed_by("letters") == from_to('a', 'z'));
    CHECK(l.printed_by("numbers") == numbers(1, 26));
    CHECK(l.printed_by("main") == "Starting Go Routines\nWaiting To Finish\n\nTerminating Program\n");
    CHECK(first_to_print(l) == "numbers");  // the fiber started last
  }
}

TEST_CASE("on one P a yield per token makes two fibers alternate strictly", "[lessons][P1][GO-46]") {
  for (const lesson_line& l : run_json({"p1", "--repeat=20", "--work=100", "--yield-every=1"})) {
    CHECK(l.number("output_changes") == 51);
    CHECK(l.number("at_once") == 1);
    CHECK(l.printed_by("letters") == from_to('a', 'z'));
    CHECK(l.printed_by("numbers") == numbers(1, 26));
  }
}

TEST_CASE("on one P the fiber that sleeps first prints last in most runs", "[lessons][P2]") {
  // The sleep takes 1 us: a machine that stops the thread for that long between the two fibers ends
  // it too early.
  int others_first = 0;
  const auto parts = run_json({"p2", "--work=100", "--repeat=20"});
  REQUIRE(parts.size() == 40);
  for (const lesson_line& l : parts) {
    others_first += first_to_print(l) == (l.json.find(R"("program":"letters")") != l.json.npos ? "numbers" : "letters");
    CHECK(l.number("output_changes") == 1);
    CHECK(l.number("at_once") == 1);
  }
  CHECK(others_first > 20);
}

TEST_CASE("two Ps keep the order of each fiber and run two at once", "[lessons][P3]") {
  double at_once = 0;
  for (const lesson_line& l : run_json({"p3", "--repeat=20", "--work=300000"})) {
    CHECK(l.printed_by("letters") == from_to('a', 'z'));
    CHECK(l.printed_by("numbers") == numbers(1, 26));
    CHECK(l.number("at_once") <= 2);
    at_once = std::max(at_once, l.number("at_once"));
  }
  if (sysconf(_SC_NPROCESSORS_ONLN) >= 2) CHECK(at_once == 2);
}

TEST_CASE("on one P no two fibers ever run at once", "[lessons][P4]") {
  const std::string lower = from_to('a', 'z'), upper = from_to('A', 'Z');
  for (const char* yields : {"--yield-every=1000000", "--yield-every=7"})
    for (const lesson_line& l : run_json({"p4", "--repeat=20", "--work=100", yields})) {
      CHECK(l.number("at_once") == 1);
      CHECK(l.number("at_once_share") == 0);
      CHECK(l.printed_by("lower case") == lower + lower + lower);
      CHECK(l.printed_by("upper case") == upper + upper + upper);
    }
}

TEST_CASE("long work is not cut into slices but takes turns where it yields", "[lessons][P5]") {
  auto parts = run_json({"p5", "--yield-every=10"});
  // A fiber that the machine keeps from its work for a time slice loses its P: such a run shows
  // nothing.
  constexpr double slice_us = sanitized ? 40'000 : 10'000;
  for (int i = 0; i < 20 && parts.at(0).number("wall_us") >= slice_us; ++i)
    parts = run_json({"p5", "--yield-every=10"});
  REQUIRE(parts.size() == 2);
  if (parts[0].number("wall_us") < slice_us) {
    CHECK(parts[0].number("output_changes") == 1);
    CHECK(parts[0].number("switches") == 1);
  } else {
    WARN("the machine has kept 21 runs from their work for a time slice");
  }
  CHECK(parts[1].number("output_changes") > 100);
  for (const lesson_line& l : parts) {
    CHECK(l.number("at_once") == 1);
    for (const char* name : {"A", "B"}) {
      const auto lines = lines_of(l.printed_by(name));
      REQUIRE(lines.size() == 670);
      CHECK(lines.front() == std::string(name) + ":2");
      CHECK(lines[668] == std::string(name) + ":4999");
      CHECK(lines.back() == std::string("Completed ") + name);
    }
  }
}

TEST_CASE("two alphabets on two Ps are complete and in order", "[lessons][P6]") {
  const std::string lower = from_to('a', 'z'), upper = from_to('A', 'Z');
  for (const lesson_line& l : run_json({"p6", "--repeat=5"})) {
    CHECK(l.printed_by("lower case") == lower + lower + lower);
    CHECK(l.printed_by("upper case") == upper + upper + upper);
    CHECK(l.number("at_once") <= 2);
  }
}

TEST_CASE("counting down and up ends on any number of Ps", "[lessons][P7]") {
  const std::string procs = GENERATE("1", "2", "16", "1024");
  const auto l = run_json({"exercise", "--work=100", "--maxprocs=" + procs}).at(0);
  CHECK(l.printed_by("down") == numbers(100, 0));
  CHECK(l.printed_by("up") == numbers(0, 100));
  CHECK(l.number("maxprocs") == std::stoi(procs));
}

TEST_CASE("halves on one P do not overlap, on two they find the same", "[lessons][P8]") {
  const auto alone = run_json({"halves", "--maxprocs=1"}), both = run_json({"halves", "--maxprocs=2"});
  REQUIRE(alone.size() == 2);
  REQUIRE(both.size() == 2);
  for (const auto& parts : {alone, both})
    for (const lesson_line& l : parts) CHECK(l.printed_by("main") == "2667 odd primes below 24000\n");
  CHECK(alone[1].number("at_once") == 1);
  CHECK(both[1].number("at_once") <= 2);
  // Not asserted: it depends on what else the machine does.
  std::printf("halves: %.2f of the whole's time on one P, %.2f on two\n",
              alone[1].number("wall_us") / alone[0].number("wall_us"),
              both[1].number("wall_us") / both[0].number("wall_us"));
}

TEST_CASE("a hundred thousand fibers finish on one P", "[lessons][P9]") {
  const auto l = run_json({"crowd"}).at(0);
  CHECK(l.printed_by("main") == "Starting 100000 fibers\nWaiting To Finish\n100000 finished\n");
  CHECK(l.number("fibers") == 100'000);
  CHECK(l.number("at_once") == 1);
}
