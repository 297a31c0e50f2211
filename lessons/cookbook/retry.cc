// Prints a page, with retries and a deadline for all of them together:  retry URL [SECONDS]
//
// Only failures that may pass are retried. The pause grows, so that a server in trouble is not kept
// there, and has a random part, so that clients that failed together do not come back together.
#include <weft/weft.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

using namespace std::chrono_literals;

namespace {

// No second attempt helps a request that the server understands and refuses, or whose URL is
// malformed.
bool may_pass(const weft::result<weft::http::response>& got) {
  if (got) return got.value.status == 429 || got.value.status >= 500;
  return got.err != std::errc::invalid_argument && got.err != std::errc::protocol_not_supported;
}

std::string in_words(const weft::result<weft::http::response>& got) {
  return got ? "status " + std::to_string(got.value.status) : got.err.message();
}

// Returns the last answer, or the last error.
weft::result<weft::http::response> get_with_retries(const weft::context& ctx, const weft::http::client& client,
                                                    const std::string& url) {
  std::minstd_rand random{std::random_device{}()};
  for (int most = 100;; most = std::min(most * 2, 10'000)) {
    auto got = client.get(ctx, url);
    if (ctx.err() || !may_pass(got)) return got;
    const int pause = std::uniform_int_distribution(most / 2, most)(random);
    std::fprintf(stderr, "%s; again in %d ms\n", in_words(got).c_str(), pause);
    if (weft::sleep(ctx, std::chrono::milliseconds(pause))) return got;
  }
}

int print(const std::string& url, int seconds) {
  weft::http::client_limits each;
  each.dial_time = 5s;
  each.total_time = 30s;  // for one attempt, so that a silent server leaves time for another one
  weft::http::client client;
  client.set_limits(each);
  const auto [ctx, cancel] = weft::with_timeout(weft::background(), std::chrono::seconds(seconds));
  const auto got = get_with_retries(ctx, client, url);
  if (!got || got.value.status != 200) {
    std::fprintf(stderr, "%s: %s\n", url.c_str(), in_words(got).c_str());
    return 1;
  }
  std::fwrite(got.value.body.data(), 1, got.value.body.size(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 60;
  if (argc < 2 || seconds < 1) {
    std::fprintf(stderr, "usage: retry URL [SECONDS]\n");
    return 2;
  }
  return weft::run([&] { return print(argv[1], seconds); });
}
