// The command line and the screen of all lessons, by the section parallelism.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/lessons/lesson_run.h"
#include "tests/support/catch.h"
#include "tests/support/temp_tree.h"

using namespace weft::testing;

namespace {

const std::string lesson = "parallelism_lessons";

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (const std::string& line : lines_of(text)) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("a flag that is unknown or out of range ends a lesson with status 2", "[lessons]") {
  const std::string flag = GENERATE("--maxprocs=0", "--maxprocs=1025", "--maxprocs=two", "--width=5", "--repeat=0",
                                    "--yield-every=-1", "--nonsense", "--maxprocs");
  const outcome o = run_lesson(lesson, {"p1", flag});
  CAPTURE(flag, o.err);
  CHECK(o.status == 2);
  CHECK(o.out.empty());
  CHECK(has(o.err, flag.substr(0, flag.find('='))));
  CHECK(has(o.err, "--help"));
}

TEST_CASE("an unknown program of a lesson ends it with status 2 and a list", "[lessons]") {
  const outcome o = run_lesson(lesson, {"p2", "--variant=nonsense"});
  CHECK(o.status == 2);
  CHECK(o.out.empty());
  CHECK(lines_of(o.err).size() == 1);
  for (const char* word : {"'nonsense'", "letters", "numbers"}) CHECK(has(o.err, word));
}

TEST_CASE("help and list go to stdout and succeed", "[lessons]") {
  const outcome help = run_lesson(lesson, {"halves", "--help"}), list = run_lesson(lesson, {"--list"});
  CHECK(help.status == 0);
  CHECK(has(help.out, "--maxprocs"));
  CHECK(has(help.out, "two halves"));
  CHECK(list.status == 0);
  CHECK(lines_of(list.out).size() == 10);
  CHECK(help.err.empty());
  CHECK(list.err.empty());
}

TEST_CASE("parallelism shows one P, two Ps, and two Ps on one CPU beside each other", "[lessons][P0]") {
  const temp_tree files;
  const std::string page = files.root() + "/p.html";
  const outcome o = run_lesson(lesson, {"parallelism", "--width=100", "--html=" + page});
  CHECK(o.status == 0);
  CHECK(o.err.empty());
  std::vector<std::size_t> titles, lanes;
  int verdicts = 0;
  for (const std::string& line : lines_of(o.out)) {
    if (line.starts_with("1 P ")) titles = {line.find("1 P"), line.find("2 Ps"), line.find("2 Ps on one CPU")};
    if (line.starts_with("  P0"))
      for (std::size_t at = 0; (at = line.find("  P0  ", at)) != line.npos; ++at) lanes.push_back(at);
    verdicts += line.starts_with("  => ");
  }
  REQUIRE(titles.size() == 3);
  CHECK(titles == lanes);  // a lane below each title
  CHECK(std::set<std::size_t>(lanes.begin(), lanes.end()).size() == 3);
  CHECK(verdicts == 3);
  CHECK(longest_line(o.out) <= 100);
  for (const char* title : {R"(title: "1 P")", R"(title: "2 Ps")", R"(title: "2 Ps on one CPU")"})
    CHECK(has(text_of(page), title));
}

TEST_CASE("two Ps on one CPU are never called parallel", "[lessons][P0]") {
  for (const lesson_line& l : lesson_json(lesson, {"parallelism", "--variant=one-cpu", "--repeat=3"})) {
    CAPTURE(l.json);
    CHECK(l.number("cpus") == 1);
    CHECK(l.number("maxprocs") == 2);
    CHECK(l.number("cpus_busy") < 1.05);
    CHECK_FALSE(has(l.json, "That is parallelism"));
  }
}

TEST_CASE("a repeated run is reported once in full and then in a line each", "[lessons]") {
  const outcome o = run_lesson(lesson, {"p1", "--repeat=3", "--work=100"});
  CHECK(o.status == 0);
  CHECK(has(o.out, "  run   2: the output changed from fiber to fiber    1 times, at most 1 ran at the same instant"));
  CHECK(has(o.out, "  run   3: "));
}

TEST_CASE("the programs of a pictured lesson are written as one page, in columns", "[lessons]") {
  const temp_tree files;
  const std::string page = files.root() + "/p.html";
  CHECK(run_lesson(lesson, {"p5", "--html=" + page}).status == 0);
  const std::string text = text_of(page);
  CHECK(has(text, "<title>P5 long_work: its programs beside each other</title>"));
  CHECK(has(text, R"(title: "long work, no yields")"));
  CHECK(has(text, R"(title: "long work, with yields")"));
  CHECK(run_lesson(lesson, {"p1", "--html=/nonexistent/p.html"}).status == 1);
}

TEST_CASE("a lesson that is not on a terminal writes no escape codes", "[lessons]") {
  CHECK_FALSE(has(run_lesson(lesson, {"p2"}).out, "\x1b"));
}

TEST_CASE("colours are for terminals without NO_COLOR", "[lessons]") {
  const std::vector<std::string> args{"p1", "--work=100"};
  CHECK(has(lesson_on_terminal(lesson, args, 80, {"TERM=xterm", "NO_COLOR="}), "\x1b[30;46m"));
  CHECK_FALSE(has(lesson_on_terminal(lesson, args, 80, {"TERM=xterm", "NO_COLOR=1"}), "\x1b"));
  CHECK_FALSE(has(lesson_on_terminal(lesson, args, 80, {"TERM=dumb", "NO_COLOR="}), "\x1b"));
}

TEST_CASE("what a lesson shows is as wide as its terminal", "[lessons]") {
  const int columns = GENERATE(80, 120);
  for (const char* name : {"p1", "p4", "p5", "crowd"}) {
    const std::string shown = lesson_on_terminal(lesson, {name, "--maxprocs=2"}, columns, {"TERM=xterm", "NO_COLOR=1"});
    CAPTURE(name, shown);
    CHECK(longest_line(shown) < static_cast<std::size_t>(columns));
    CHECK(longest_line(shown) > static_cast<std::size_t>(columns) - 5);
  }
}
