// R10b: a search in three places: one after the other, together, with a limit, and with replicas.
#include <random>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

using search = std::function<std::string(const std::string&)>;

search fake_search(const std::string& kind, duration takes) {
  return [=](const std::string& query) {
    sleep(lesson::scaled(takes));
    return fmt::format("{} result for \"{}\"", kind, query);
  };
}

const search web = fake_search("web", 30ms), image = fake_search("image", 60ms), video = fake_search("video", 100ms);

void print(const std::vector<std::string>& results, const lesson::stopwatch& watch) {
  for (const std::string& r : results) println("{}", r);
  println("after {} ms", watch.ms());
}

void in_turn() {
  const lesson::stopwatch watch;
  print({web("golang"), image("golang"), video("golang")}, watch);
}

chan<std::string> start_all(const std::string& query) {
  auto c = make_chan<std::string>(3);
  for (const search* s : {&web, &image, &video}) go([=] { c.send((*s)(query)); });
  return c;
}

void at_once() {
  const lesson::stopwatch watch;
  const auto c = start_all("golang");
  std::vector<std::string> results;
  while (results.size() < 3) results.push_back(*c.recv());
  print(results, watch);
}

void with_limit() {
  const lesson::stopwatch watch;
  const auto c = start_all("golang");
  const auto timeout = after(lesson::scaled(80ms));
  std::vector<std::string> results;
  for (std::string r; results.size() < 3;) {
    if (select(recv(c, r), recv(timeout)) != 0) {
      println("timed out");
      break;
    }
    results.push_back(r);
  }
  print(results, watch);
}

// The first of several that can do the same.
std::string first(const std::string& query, const std::vector<search>& replicas) {
  auto c = make_chan<std::string>(replicas.size());
  for (const search& s : replicas) go([=] { c.send(s(query)); });
  return *c.recv();
}

void with_replicas() {
  const lesson::stopwatch watch;
  auto c = make_chan<std::string>(3);
  for (const char* kind : {"web", "image", "video"})
    go([=] { c.send(first("golang", {fake_search(kind, 500ms), fake_search(kind, 20ms), fake_search(kind, 300ms)})); });
  const auto timeout = after(lesson::scaled(280ms));
  std::vector<std::string> results;
  for (std::string r; results.size() < 3 && select(recv(c, r), recv(timeout)) == 0;) results.push_back(r);
  print(results, watch);
}

const lesson::page page{"R10b",
                        "google_search",
                        {{"in-turn", "the sum of three latencies", in_turn},
                         {"at-once", "the largest of three", at_once},
                         {"limit", "no longer than 80 ms", with_limit},
                         {"replicas", "the quickest of three copies of each", with_replicas}}};

}  // namespace
