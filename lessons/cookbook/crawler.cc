// Prints the status of every page of a site:  crawler URL [REQUESTS_PER_SECOND [AT_A_TIME [PAGES]]]
//
// Follows the links to the same host, each page once. Two bounds protect the site: a ticker
// releases one request in each period, and a semaphore bounds the number of requests under way when
// the site is slow. SIGINT ends it.
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

class crawler {
 public:
  crawler(std::string site, int per_second, int at_a_time, std::size_t most)
      : site_(std::move(site)), most_(most), tick_(weft::duration(1s) / per_second), under_way_(at_a_time) {}

  // Visits a page in a fiber of its own, unless it was visited before.
  void visit(const weft::context& ctx, std::string_view path) {
    {
      const std::lock_guard hold(lock_);
      if (seen_.size() == most_ || !seen_.emplace(path).second) return;
    }
    pages_.go([this, &ctx, path = std::string(path)] {
      if (under_way_.acquire(ctx)) return;
      if (!tick_.c().recv(ctx).err) fetch(ctx, path);
      under_way_.release();
    });
  }
  void wait() { pages_.wait(); }

 private:
  void fetch(const weft::context& ctx, const std::string& path) {
    const auto [page, err] = client_.get(ctx, site_ + path);
    if (err) std::printf("%s: %s\n", path.c_str(), err.message().c_str());
    else std::printf("%d %s\n", page.status, path.c_str());
    if (err) return;
    follow(ctx, page.header("Location"));
    if (page.header("Content-Type").starts_with("text/html")) follow_links(ctx, page.body);
  }
  // A real crawler has a parser of HTML, and reads robots.txt.
  void follow_links(const weft::context& ctx, std::string_view html) {
    constexpr std::string_view mark = "href=\"";
    for (std::size_t at = html.find(mark); at != html.npos; at = html.find(mark, at)) {
      at += mark.size();
      follow(ctx, html.substr(at, html.find_first_of("\"#", at) - at));
    }
  }
  // Visits the page if the link begins with the site, or with a slash.
  void follow(const weft::context& ctx, std::string_view link) {
    if (link.starts_with(site_ + "/")) link.remove_prefix(site_.size());
    if (link.starts_with("/") && !link.starts_with("//")) visit(ctx, link);
  }
  static weft::http::client without_redirects() {
    weft::http::client_limits l;
    l.max_redirects = 0;  // the client's own would be no requests of the ticker
    return weft::http::client().set_limits(l);
  }

  const std::string site_;  // "http://host:port"
  const std::size_t most_;
  const weft::http::client client_ = without_redirects();
  weft::ticker tick_;
  weft::semaphore under_way_;
  weft::mutex lock_;
  std::set<std::string> seen_;  // under lock_
  weft::wait_group pages_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "";
  const std::size_t host = url.find("://");
  const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  const int per_second = number(2, 10), at_a_time = number(3, 4), pages = number(4, 1000);
  if (host == url.npos || per_second < 1 || at_a_time < 1 || pages < 1) {
    std::fprintf(stderr, "usage: crawler URL [REQUESTS_PER_SECOND [AT_A_TIME [PAGES]]]\n");
    return 2;
  }
  const std::string site = url.substr(0, url.find('/', host + 3));
  return weft::run([&] {
    const auto [ctx, unregister] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
    crawler all(site, per_second, at_a_time, static_cast<std::size_t>(pages));
    all.visit(ctx, url.size() > site.size() ? url.substr(site.size()) : "/");
    all.wait();
    return ctx.err() ? 1 : 0;
  });
}
