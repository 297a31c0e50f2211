// Serves the pages of another server from memory:  cache ORIGIN [ADDRESS [MILLISECONDS]]
//
// A page is kept for MILLISECONDS. While it is fetched, further requests for it wait for that
// fetch: the origin gets one request, however many clients request a page that has just expired.
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

namespace {

constexpr std::size_t max_pages = 1000, max_body = 1 << 20;  // together they bound the memory
using page = std::shared_ptr<const weft::http::response>;

class cache {
 public:
  cache(std::string origin, weft::duration keep) : origin_(std::move(origin)), keep_(keep) {}

  // Returns the answer of the origin, or throws std::system_error. Errors are not kept.
  page get(const std::string& target) {
    if (page p = find(target)) return p;
    return fetches_.call(target, [&] { return fetch(target); }).value;
  }

 private:
  page find(const std::string& target) {
    const std::lock_guard hold(lock_);
    const auto at = pages_.find(target);
    return at != pages_.end() && weft::now() < at->second.second ? at->second.first : nullptr;
  }
  page fetch(const std::string& target) {
    if (page p = find(target)) return p;  // a fetch ended between find() and call()
    // Not by the context of one client's request: others wait for this answer too.
    page p = std::make_shared<weft::http::response>(client_.get(weft::background(), origin_ + target).unwrap());
    if (p->status == 200) {
      const std::lock_guard hold(lock_);
      if (pages_.size() >= max_pages)
        std::erase_if(pages_, [](const auto& e) { return e.second.second <= weft::now(); });
      if (pages_.size() < max_pages) pages_[target] = {p, weft::now() + keep_};
    }
    return p;
  }

  const std::string origin_;
  const weft::duration keep_;
  const weft::http::client client_ = weft::http::client().set_max_body(max_body);
  weft::singleflight<std::string, page> fetches_;
  weft::mutex lock_;
  std::map<std::string, std::pair<page, weft::time_point>> pages_;  // with the end of each; under lock_
};

weft::http::handler answer_from(cache& pages) {
  return [&pages](weft::http::response_writer& w, const weft::http::request& r) {
    if (!r.target().starts_with('/')) return weft::http::error(w, 400, "a path is needed");  // not http://...
    try {
      const page p = pages.get(std::string(r.target()));
      w.status(p->status).set_header("Content-Type", p->header("Content-Type"));
      (void)w.write(p->body);
    } catch (const std::system_error& e) {
      weft::http::error(w, 502, e.code().message());
    }
  };
}

int serve(const char* origin, const char* address, weft::duration keep) {
  const auto [listener, err] = weft::net::listen("tcp", address);
  if (err) {
    std::fprintf(stderr, "%s: %s\n", address, err.message().c_str());
    return 1;
  }
  const auto [signal, unregister] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
  std::printf("listening on %s\n", listener.addr().to_string().c_str());
  std::fflush(stdout);
  cache pages(origin, keep);
  weft::http::mux routes;
  routes.handle("GET /", answer_from(pages));
  weft::http::server server(address, routes);
  weft::after_func(signal, [server]() mutable { (void)server.shutdown(weft::background()); });
  (void)server.serve(listener);  // until the signal
  return server.shutdown(weft::background()) ? 1 : 0;  // requests under way are answered
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: cache ORIGIN [ADDRESS [MILLISECONDS]]\n");
    return 2;
  }
  const std::chrono::milliseconds keep(argc > 3 ? std::atoi(argv[3]) : 10'000);
  return weft::run([&] { return serve(argv[1], argc > 2 ? argv[2] : "127.0.0.1:8080", keep); });
}
