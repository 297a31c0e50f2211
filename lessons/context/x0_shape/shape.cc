// X0: where a context stands: first among the arguments, or on the request.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// First argument: the caller decides how long.
std::error_code dial_context(const context& ctx, const std::string& network, const std::string& address) {
  (void)network, (void)address;
  return sleep(ctx, lesson::scaled(1s));  // a host that is far away
}

// On the request: a value that stands for one request and goes with it from layer to layer.
class request {
 public:
  explicit request(std::string url) : url_(std::move(url)) {}

  const context& ctx() const { return ctx_; }
  const std::string& url() const { return url_; }
  // A shallow copy that has another context. The original is not changed.
  request with_context(const context& ctx) const {
    if (!ctx) throw panic("request::with_context: nil context");
    request copy = *this;
    copy.ctx_ = ctx;
    return copy;
  }

 private:
  context ctx_ = background();
  std::string url_;
};

void argument() {
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(50ms));
  println("dial: {}", dial_context(ctx, "tcp", "far.example:80").message());
}

void on_the_request() {
  const request original("http://example.org/");
  const auto [ctx, cancel] = with_cancel(background());
  const request copy = original.with_context(ctx);
  cancel();
  println("the copy of {}: {}", copy.url(), copy.ctx().err().message());
  println("the original: {}", original.ctx().err() ? "cancelled too" : "not cancelled");
  try {
    (void)original.with_context(context());
  } catch (const panic& e) {
    println("panic: {}", e.what());
  }
}

const lesson::page page{"X0",
                        "shape",
                        {{"argument", "the first parameter", argument},
                         {"request", "a copy of the request with another context", on_the_request}}};

}  // namespace
