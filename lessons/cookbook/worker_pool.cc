// Delivers events in the background:  worker_pool TARGET [ADDRESS]
//
// POST /events answers 202 when the event is in the queue, and 503 when the queue is full, so that
// the memory is bounded and clients come later. Workers post each event to TARGET, a URL. SIGTERM
// ends it gracefully: no new events, then every accepted event is delivered, then exit status 0.
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t workers = 2, queue_size = 4;

void deliver(const weft::context& ctx, const weft::http::client& client, const std::string& target,
             const std::string& event) {
  const auto [answer, err] = client.post(ctx, target, "text/plain", event);
  if (err) std::fprintf(stderr, "not delivered: %s\n", err.message().c_str());
  else if (answer.status >= 300) std::fprintf(stderr, "not delivered: status %d\n", answer.status);
}

weft::http::handler accept_events(weft::chan<std::string> queue) {
  return [queue](weft::http::response_writer& w, const weft::http::request& r) {
    if (queue.try_send(std::string(r.body()))) {
      w.status(202);
    } else {
      weft::http::error(w.set_header("Retry-After", "1"), 503, "the queue is full");
    }
  };
}

int serve(const std::string& target, const char* address) {
  const auto [listener, err] = weft::net::listen("tcp", address);
  if (err) {
    std::fprintf(stderr, "%s: %s\n", address, err.message().c_str());
    return 1;
  }
  const auto [signal, unregister] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
  const auto [ctx, cancel] = weft::with_cancel(weft::background());
  const weft::http::client client;
  const auto queue = weft::make_chan<std::string>(queue_size);
  weft::wait_group pool, serving;
  for (std::size_t i = 0; i < workers; ++i)
    pool.go([&ctx = ctx, &client, &target, queue] {
      for (const std::string& event : queue) deliver(ctx, client, target, event);
    });
  weft::http::mux routes;
  routes.handle("POST /events", accept_events(queue));
  weft::http::server server(address, routes);
  serving.go([&server, &listener = listener] { (void)server.serve(listener); });
  std::printf("listening on %s\n", listener.addr().to_string().c_str());
  std::fflush(stdout);

  signal.done().recv();
  // The requests under way are answered; then no handler sends, and the queue can be closed.
  if (server.shutdown(weft::with_timeout(weft::background(), 10s).ctx)) {
    (void)server.close();
    (void)server.shutdown(weft::background());
  }
  serving.wait();
  queue.close();
  if (pool.wait(weft::with_timeout(weft::background(), 60s).ctx)) cancel();  // the target has not answered for too long
  pool.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: worker_pool TARGET [ADDRESS]\n");
    return 2;
  }
  return weft::run([&] { return serve(argv[1], argc > 2 ? argv[2] : "127.0.0.1:8080"); });
}
