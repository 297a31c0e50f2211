// X11: a search server that passes the request's context on, with its deadline and the user's
// address.
#include <charconv>

#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

// The user's address in a context. The key is private here; others have these two functions.
namespace user_ip {
struct key {
  using type = std::string;
};
context with(const context& ctx, const std::string& ip) { return with_value<key>(ctx, ip); }
std::string of(const context& ctx) {
  const std::string* ip = ctx.value<key>();
  return ip ? *ip : "unknown";
}
}  // namespace user_ip

// The service behind. Calls `f` in a fiber of its own, and returns when f has returned or could not
// any more.
std::error_code ask_backend(const context& ctx, const std::string& query, duration takes,
                            const std::function<void(std::string)>& f) {
  auto answered = make_chan<std::error_code>(1);
  go([=] {
    const std::error_code err = sleep(ctx, lesson::scaled(takes));
    if (!err) f(fmt::format("results for {}, asked by {}\n", query, user_ip::of(ctx)));
    answered.send(err);
  });
  return *answered.recv();  // f has returned: it may use what is on our stack
}

// "250ms", "1s"; nothing if it is neither.
std::optional<duration> parse_duration(const std::string& text) {
  int n = 0;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (err != std::errc() || n < 0) return std::nullopt;
  const std::string unit(end, text.data() + text.size());
  if (unit == "ms") return std::chrono::milliseconds(n);
  if (unit == "s") return std::chrono::seconds(n);
  return std::nullopt;
}

void fail(http::response_writer& w, int status, const std::string& why) { w.status(status).write(why + "\n"); }

void handle_search(http::response_writer& w, const http::request& r) {
  const auto limit = parse_duration(r.query("timeout"));
  const auto [ctx, cancel] = limit ? with_timeout(r.ctx(), lesson::scaled(*limit)) : with_cancel(r.ctx());
  if (r.query("q").empty()) return fail(w, 400, "no query");
  const context asked_by = user_ip::with(ctx, r.remote_addr().host());
  std::string results;
  if (const auto err = ask_backend(asked_by, r.query("q"), 100ms, [&](std::string s) { results = std::move(s); }))
    return fail(w, 500, err.message());
  w.write(results);
}

void right() {
  http::mux mux;
  mux.handle("/search", handle_search);
  lesson::log_fatal(lesson::server(lesson::app_address(), mux, "/search?q=golang").listen_and_serve());
}

const lesson::page page{
    "X11", "search_server", {{"right", "a deadline from the query, an address from the connection", right}}};

}  // namespace
