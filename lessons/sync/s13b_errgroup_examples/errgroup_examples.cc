// S13b: three pages to fetch, and a search in three places.
#include <array>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

std::error_code fetch(std::string_view url) {
  sleep(lesson::scaled(10ms));
  return url.find("nosuchhost") == url.npos ? std::error_code() : std::make_error_code(std::errc::host_unreachable);
}

void just_errors() {
  errgroup group;
  for (const char* url : {"http://www.example.org/", "http://nosuchhost.example/", "http://www.example.com/"})
    group.go([=] { return fetch(url); });
  if (const std::error_code err = group.wait()) println("failed: {}", err.message());
  else println("fetched all URLs");
}

void parallel() {
  const auto fake_search = [](std::string_view kind, std::string_view query) {
    sleep(lesson::scaled(kind == "web" ? 30ms : 10ms));
    return fmt::format("{} result for \"{}\"", kind, query);
  };
  constexpr std::array kinds{"web", "image", "video"};
  std::array<std::string, 3> results;
  errgroup group;
  for (std::size_t i = 0; i < kinds.size(); ++i) group.go([&, i] { results[i] = fake_search(kinds[i], "golang"); });
  if (!group.wait())
    for (const std::string& r : results) println("{}", r);
}

const lesson::page page{"S13b",
                        "errgroup_examples",
                        {{"just-errors", "no results, only whether it worked", just_errors},
                         {"parallel", "each result has a place of its own", parallel}}};

}  // namespace
