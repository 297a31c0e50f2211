// A server that runs until SIGINT or SIGTERM, and then answers the requests under way.
#pragma once
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

namespace services {

// Returns the exit status for main.
inline int run_until_signal(std::string_view address, weft::http::handler h) {
  using namespace std::chrono_literals;
  auto [l, err] = weft::net::listen("tcp", address);
  if (err) {
    std::fprintf(stderr, "cannot listen on %s: %s\n", std::string(address).c_str(), err.message().c_str());
    return 1;
  }
  // Before the line: a script may send a signal as soon as it has read it.
  const auto [signals, stop] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
  std::printf("listening on http://%s\n", l.addr().to_string().c_str());
  std::fflush(stdout);
  weft::http::server s(address, std::move(h));
  weft::wait_group serving;
  serving.go([&] { (void)s.serve(l); });
  signals.done().recv();
  const auto [limited, cancel] = weft::with_timeout(weft::background(), 10s);
  if (s.shutdown(limited)) (void)s.close();
  serving.wait();
  return 0;
}

}  // namespace services
