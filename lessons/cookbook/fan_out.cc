// Fetches several pages at the same time, all or nothing:  fan_out URL...
//
// Prints their sizes in the order of the command line. The first failure ends the other requests,
// whose answers are useless then, and is reported.
#include <weft/weft.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;

namespace {

// An error code has no room for the URL, so a failure is an exception here.
std::string fetch(const weft::context& ctx, const weft::http::client& client, const std::string& url) {
  auto [page, err] = client.get(ctx, url);
  if (err) throw std::system_error(err, url);
  if (page.status != 200) throw std::runtime_error(url + ": status " + std::to_string(page.status));
  return std::move(page.body);
}

// Returns the bodies in the order of the URLs, or throws what the first failure threw.
std::vector<std::string> fetch_all(const weft::context& parent, const std::vector<std::string>& urls) {
  const weft::http::client client;
  std::vector<std::string> bodies(urls.size());  // each fiber has an element of its own: no lock
  auto [group, ctx] = weft::errgroup::with_context(parent);
  for (std::size_t i = 0; i < urls.size(); ++i)
    group.go([&, &ctx = ctx, i] { bodies[i] = fetch(ctx, client, urls[i]); });
  group.wait();
  return bodies;
}

int print(const std::vector<std::string>& urls) {
  const auto [ctx, cancel] = weft::with_timeout(weft::background(), 60s);
  try {
    const std::vector<std::string> bodies = fetch_all(ctx, urls);
    for (std::size_t i = 0; i < urls.size(); ++i) std::printf("%zu %s\n", bodies[i].size(), urls[i].c_str());
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: fan_out URL...\n");
    return 2;
  }
  return weft::run([&] { return print({argv + 1, argv + argc}); });
}
