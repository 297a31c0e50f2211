// Passes TCP connections on to a server, with half close:  tcp_proxy TARGET [ADDRESS]
//
// A peer may end its stream and still receive. So the two directions of a connection end one by
// one: the end of a stream is passed on as an end, and a failure as a reset, because an end would
// look like a complete stream.
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

namespace {

// Closes a connection so that the peer gets an error, not an end of stream.
void reset(const weft::net::conn& c) {
  (void)c.set_linger(0);
  (void)c.close();
}

// Passes one direction on. A failure ends the other direction too.
void pass(const weft::context& ctx, const weft::net::conn& to, const weft::net::conn& from) {
  if (!weft::net::copy(ctx, to, from).err && !to.close_write()) return;
  reset(to);
  reset(from);
}

void serve(const weft::context& ctx, const weft::net::conn& client, const std::string& target) {
  const auto [server, err] = weft::net::dialer{.timeout = 10s}.dial(ctx, "tcp", target);
  if (err) {
    std::fprintf(stderr, "%s: %s\n", target.c_str(), err.message().c_str());
    return reset(client);
  }
  weft::wait_group answers;
  answers.go([&ctx, &client, &server = server] { pass(ctx, client, server); });
  pass(ctx, server, client);
  answers.wait();
}

int proxy(const std::string& target, const char* address) {
  const auto [listener, err] = weft::net::listen("tcp", address);
  if (err) {
    std::fprintf(stderr, "%s: %s\n", address, err.message().c_str());
    return 1;
  }
  const auto [signal, unregister] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
  const auto [ctx, cancel] = weft::with_cancel(weft::background());
  std::printf("listening on %s\n", listener.addr().to_string().c_str());
  std::fflush(stdout);

  weft::wait_group connections;
  while (!signal.err()) {
    auto [client, failed] = listener.accept(signal);
    if (failed) (void)weft::sleep(signal, 10ms);  // the signal; or no descriptor is free, until a connection ends
    else connections.go([&ctx = ctx, &target, client = client] { serve(ctx, client, target); });
  }
  (void)listener.close();
  // Connections have 10 s to end, then they are reset. Fibers use variables of this function: it
  // waits for all of them.
  if (connections.wait(weft::with_timeout(weft::background(), 10s).ctx)) cancel();
  connections.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: tcp_proxy TARGET [ADDRESS]\n");
    return 2;
  }
  return weft::run([&] { return proxy(argv[1], argc > 2 ? argv[2] : "127.0.0.1:8080"); });
}
