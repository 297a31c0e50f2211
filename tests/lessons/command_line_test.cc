// How every lesson behaves at the command line and on the screen, shown by one.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/lessons/lesson_run.h"
#include "tests/support/catch.h"
#include "tests/support/temp_tree.h"

using namespace weft::testing;

namespace {

const std::string lesson = "parallelism/parallelism";

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

TEST_CASE("an unknown sub-program ends a lesson with status 2 and a list", "[lessons]") {
  const outcome o = run_lesson(lesson, {"p7"});
  CHECK(o.status == 2);
  CHECK(o.out.empty());
  CHECK(has(o.err, "'p7'"));
  for (const char* known : {"p1", "p2", "p3", "p4", "p5", "p6", "exercise", "halves", "crowd"})
    CHECK(has(o.err, known));
}

TEST_CASE("help and list go to stdout and succeed", "[lessons]") {
  const outcome help = run_lesson(lesson, {"--help"}), list = run_lesson(lesson, {"--list"});
  CHECK(help.status == 0);
  CHECK(has(help.out, "--maxprocs"));
  CHECK(has(help.out, "halves"));
  CHECK(list.status == 0);
  CHECK(lines_of(list.out).size() == 9);
  CHECK(help.err.empty());
  CHECK(list.err.empty());
}

TEST_CASE("a lesson without a sub-program tells its story and says what to see", "[lessons]") {
  const outcome o = run_lesson(lesson, {"--maxprocs=1"});
  CHECK(o.status == 0);
  CHECK(o.err.empty());
  for (const char* part :
       {"-- p1", "-- p5", "-- halves", "Starting Go Routines", "  P0  ", "0 % of the time two ran at once"})
    CHECK(has(o.out, part));
  CHECK_FALSE(has(o.out, "  P1  "));
}

TEST_CASE("a repeated run is told once in full and then in a line each", "[lessons]") {
  const outcome o = run_lesson(lesson, {"p1", "--repeat=3", "--work=100"});
  CHECK(o.status == 0);
  CHECK(has(o.out, "  run   2: the output changed hands    1 times, 1 at once at the most"));
  CHECK(has(o.out, "  run   3: "));
}

TEST_CASE("the picture of a sub-program is written as a page, one per part", "[lessons]") {
  const temp_tree files;
  const std::string page = files.root() + "/p.html";
  CHECK(run_lesson(lesson, {"p5", "--html=" + page}).status == 0);
  CHECK(has(text_of(page), "<title>p5: long work, nobody yields, 1 P</title>"));
  CHECK(has(text_of(files.root() + "/p-2.html"), "<title>p5: long work, with yields, 1 P</title>"));
  CHECK(run_lesson(lesson, {"p1", "--html=/nonexistent/p.html"}).status == 1);
  CHECK(run_lesson(lesson, {"--html=" + page}).status == 2);
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
