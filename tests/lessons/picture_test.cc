#include "lessons/support/figures.h"
#include "lessons/support/html_page.h"
#include "lessons/support/report.h"
#include "lessons/support/timeline_picture.h"
#include "tests/support/catch.h"

using namespace lesson;
using namespace std::chrono_literals;
using weft::timeline::stretch;

namespace {

// Times in microseconds of an imagined run.
stretch on(int p, std::uint64_t fiber, const char* name, int from, int to) {
  const weft::time_point start{};
  stretch s{};
  s.fiber = fiber;
  s.name = name;
  s.p = s.m = p;
  s.from = start + std::chrono::microseconds(from);
  s.to = start + std::chrono::microseconds(to);
  return s;
}

// 40 columns for lanes.
constexpr terminal narrow_paper{.width = 47, .colour = false, .wraps = false};

std::string picture(const std::vector<stretch>& all, int procs) {
  cast who;
  return timeline_picture(all, procs, narrow_paper, who);
}

}  // namespace

TEST_CASE("a picture has a lane per P, a letter per fiber and an axis", "[lessons]") {
  CHECK(picture({on(0, 1, "", 0, 10), on(0, 3, "numbers", 10, 60), on(1, 2, "letters", 20, 80)}, 2) ==
        "  P0  mmmmmNNNNNNNNNNNNNNNNNNNNNNNNN..........\n"
        "  P1  ..........LLLLLLLLLLLLLLLLLLLLLLLLLLLLLL\n"
        "      |0                       |50 us\n"
        "      N numbers   L letters   m main   . idle\n");
}

TEST_CASE("a column in which many took turns says so", "[lessons]") {
  std::vector<stretch> all;
  for (int i = 0; i < 100; ++i) all.push_back(on(0, i % 2 ? 3 : 2, i % 2 ? "b" : "a", i, i + 1));
  all.push_back(on(0, 2, "a", 100, 200));
  CHECK(picture(all, 1) ==
        "  P0  ++++++++++++++++++++AAAAAAAAAAAAAAAAAAAA\n"
        "      |0                  |100 us\n"
        "      A a   B b   + several in turn\n");
}

TEST_CASE("idle Ps beyond the eighth have no lane", "[lessons]") {
  const std::string shown = picture({on(12, 2, "busy", 0, 10)}, 1024);
  CHECK(shown.find("  P7  ....") != shown.npos);
  CHECK(shown.find("  P8  ") == shown.npos);
  CHECK(shown.find("  P12 BBBB") != shown.npos);
  CHECK(shown.find("  and 1015 more Ps that ran nothing\n") != shown.npos);
}

TEST_CASE("the lanes of Ps are in line beside a run with fibers without a P", "[lessons]") {
  titled_run with{"w", "with", {}}, without{"o", "without", {}};
  with.what.stretches = {on(0, 2, "a", 0, 100), on(-1, 3, "b", 0, 100)};
  without.what.stretches = {on(0, 2, "a", 0, 100)};
  const terminal t{.width = 55, .colour = false, .wraps = false};
  const std::vector<titled_run> both{without, with};
  CHECK(columns(both, t).find("  P0  AAAAAAAAAAAAAAAAAAAA    P0  AAAAAAAAAAAAAAAAAAAA\n") != std::string::npos);
}

TEST_CASE("fibers of one name share a letter, others have one each", "[lessons]") {
  cast who;
  CHECK(who.of("letters").letter == 'L');
  CHECK(who.of("lower").letter == 'O');
  CHECK(who.of("l").letter == 'A');
  CHECK(who.of("letters").letter == 'L');
  CHECK(who.of("main").letter == 'm');
  CHECK(who.of("main").number == 0);
}

TEST_CASE("figures count switches, turns and what overlaps, without the main fiber", "[lessons]") {
  record r;
  r.maxprocs = 2;
  r.wall = 100us;
  r.cpu = 150us;
  r.stretches = {on(0, 1, "", 0, 10),  on(0, 2, "a", 10, 40), on(1, 3, "b", 20, 60),
                 on(0, 1, "", 40, 50), on(0, 2, "a", 50, 60), on(0, 3, "b", 60, 90)};
  const figures f = count(r);
  REQUIRE(f.streams.size() == 2);
  CHECK(f.streams[0].name == "a");
  CHECK(f.streams[0].turns == 1);  // only the main fiber came between
  CHECK(f.streams[0].running == 40us);
  CHECK(f.streams[1].ps == std::set<int>{0, 1});
  CHECK(f.streams[1].turns == 2);
  CHECK(f.switches == 1);
  CHECK(f.at_once == 2);
  CHECK(f.at_once_share == Approx(30.0 / 80.0));
  CHECK(f.cpus_busy() == Approx(1.5));
}

TEST_CASE("stretches that only touch are not at once", "[lessons]") {
  record r;
  r.stretches = {on(0, 2, "a", 0, 10), on(0, 3, "b", 10, 20)};
  const figures f = count(r);
  CHECK(f.at_once == 1);
  CHECK(f.at_once_share == 0);
}

TEST_CASE("the output changes hands when another fiber prints", "[lessons]") {
  record r;
  r.prints = {{2, "a", "x"}, {2, "a", "x"}, {1, "", "main's own\n"}, {2, "a", "x"}, {3, "b", "y"}, {2, "a", "x"}};
  CHECK(count(r).output_changes == 2);
  CHECK(condensed(r, narrow_paper) == "a: 2 lines\nmain's own\na: 1 line, b: 1 line, a: 1 line\n");
}

TEST_CASE("a condensed output leaves out the middle of many turns and keeps to the width", "[lessons]") {
  record r;
  for (int i = 0; i < 100; ++i) r.prints.push_back({2 + static_cast<std::uint64_t>(i % 2), i % 2 ? "b" : "a", "x"});
  const terminal t{.width = 47, .colour = false, .wraps = true};
  CHECK(condensed(r, t) ==
        "a: 1 line, b: 1 line, a: 1 line, b: 1 line, a:\n"
        "1 line, b: 1 line, a: 1 line, b: 1 line, ...\n"
        "88 more ..., a: 1 line, b: 1 line, a: 1 line,\n"
        "b: 1 line\n");
}

TEST_CASE("columns stand beside each other on one time axis", "[lessons]") {
  titled_run quick{"q", "quick", {}}, slow{"s", "slow", {}};
  quick.what.stretches = {on(0, 2, "a", 0, 50)};
  slow.what.stretches = {on(0, 2, "a", 0, 100)};
  const terminal t{.width = 55, .colour = false, .wraps = false};
  const std::vector<titled_run> both{quick, slow};
  const std::string text = columns(both, t);
  CHECK(text.find("  P0  AAAAAAAAAA..........    P0  AAAAAAAAAAAAAAAAAAAA\n") != text.npos);
}

TEST_CASE("a fiber that computes without a P has a lane of its own", "[lessons]") {
  CHECK(picture({on(0, 2, "a", 0, 50), on(-1, 3, "b", 25, 100)}, 1) ==
        "  P0  AAAAAAAAAAAAAAAAAAAA....................\n"
        "  no P..........BBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\n"
        "      |0                  |50 us\n"
        "      A a   B b   . idle\n");
}

TEST_CASE("a page has the stretches without a P and those on a shared CPU", "[lessons]") {
  titled_run run{"r", "run", {}};
  run.what.stretches = {on(0, 2, "a", 0, 100), on(-1, 3, "b", 20, 80)};
  run.what.stretches[1].m = 1;
  CHECK(html_page("t", {&run, 1}).find("packed: [\n2,0,0,0,0,100000,\n3,1,-1,1,20000,60000,\n]") != std::string::npos);
  run.what.stretches[1].shared = true;
  CHECK(html_page("t", {&run, 1}).find("\n3,1,-1,-2,20000,60000,\n]") != std::string::npos);
}

TEST_CASE("a report says how long fibers ran without a P and on a shared CPU", "[lessons]") {
  titled_run run{"r", "run", {}};
  run.what.stretches = {on(0, 2, "a", 0, 100)};
  cast who;
  CHECK(report(run, narrow_paper, who).find("without a P") == std::string::npos);
  run.what.stretches.push_back(on(-1, 3, "b", 20, 80));
  for (stretch& s : run.what.stretches) s.shared = true;
  const std::string text = report(run, narrow_paper, who);
  CHECK(text.find("  without a P           60.0 us\n") != text.npos);
  CHECK(text.find("  on a shared CPU       160 us\n") != text.npos);
}

TEST_CASE("on one CPU a fiber without a P is not at the same instant as another", "[lessons]") {
  record r;
  r.stretches = {on(0, 2, "a", 0, 100), on(-1, 3, "b", 20, 80)};
  r.cpus = 1;
  CHECK(count(r).at_once == 1);
  r.stretches[1] = on(1, 3, "b", 20, 80);
  CHECK(count(r).at_once == 2);  // both hold a P
}

TEST_CASE("fibers that share the CPU of one P are not at the same instant", "[lessons]") {
  record r;
  r.cpus = 2;
  r.stretches = {on(0, 2, "a", 0, 100), on(-1, 3, "b", 20, 80)};
  CHECK(count(r).at_once == 2);
  for (stretch& s : r.stretches) s.shared = true;
  CHECK(count(r).at_once == 1);
  CHECK(count(r).at_once_share == 0);
  CHECK(count(r).shared == 160us);
  CHECK(count(r).without_p == 60us);
  CHECK(count(r).could_use == 100us);
}
