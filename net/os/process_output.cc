// A child from its start to its end, with all that it says.
//
// Its streams are read concurrently, each by a fiber of its own: a child that fills one while we
// wait for the other would never end.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/process.h>
#include <weft/wait_group.h>

#include <array>
#include <functional>
#include <thread>

namespace weft::os {

namespace {

std::error_code read_all(const fs::file& from, const context* ctx, std::string& all) {
  std::array<std::byte, 8192> buf;
  for (;;) {
    const auto [n, err] = ctx ? from.read(*ctx, buf) : from.read(buf);
    if (err) return err == weft::errc::eof ? std::error_code() : err;
    all.append(reinterpret_cast<const char*>(buf.data()), n);
  }
}

// A child need not read to the end.
std::error_code feed(const fs::file& to, const context* ctx, const std::string& text) {
  const auto data = std::as_bytes(std::span(text));
  const std::error_code e = ctx ? to.write(*ctx, data).err : to.write(data).err;
  to.close();
  return e == std::errc::broken_pipe ? std::error_code() : e;
}

// Runs all concurrently: in fibers, or from a plain thread in threads.
void all_at_once(const std::vector<std::function<void()>>& calls) {
  if (weft::detail::in_fiber()) {
    wait_group all;
    for (std::size_t i = 1; i < calls.size(); ++i) all.go(calls[i]);
    if (!calls.empty()) calls[0]();
    all.wait();
    return;
  }
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < calls.size(); ++i) others.emplace_back(calls[i]);
  if (!calls.empty()) calls[0]();
}

result<exit_status> run_to_end(const command& c, const context* ctx) {
  for (const redirection* r : {&c.in, &c.out, &c.err})
    if (r->how == stream::piped)
      throw panic("os::command::run: a piped stream has no reader or writer here; use start()");
  auto [p, err] = ctx ? c.start(*ctx) : c.start();
  if (err) return {{}, err};
  return p.wait();
}

result<finished> collect(command c, const context* ctx) {
  const auto pipe_if = [](redirection& r, bool wanted) {
    if (r.how == stream::piped)
      throw panic("os::command::output: a piped stream has no reader or writer here; use start()");
    const bool ours = wanted && r.how == stream::null;
    if (ours) r = stream::piped;
    return ours;
  };
  const bool feeds = pipe_if(c.in, !c.input.empty()), reads = pipe_if(c.out, true), reads_err = pipe_if(c.err, true);
  auto [p, err] = ctx ? c.start(*ctx) : c.start();
  if (err) return {{}, err};
  finished f;
  std::array<std::error_code, 3> errors;
  std::vector<std::function<void()>> calls;
  if (reads) calls.emplace_back([&, &p = p] { errors[0] = read_all(p.out(), ctx, f.out); });
  if (reads_err) calls.emplace_back([&, &p = p] { errors[1] = read_all(p.err(), ctx, f.err); });
  if (feeds) calls.emplace_back([&, &p = p] { errors[2] = feed(p.in(), ctx, c.input); });
  all_at_once(calls);
  std::error_code cut;
  for (const std::error_code& e : errors)
    if (e) cut = e;
  if (cut) p.kill();  // it might wait for us
  const auto [status, why] = p.wait();
  f.status = status;
  return {std::move(f), cut ? cut : why};
}

command with_one_stream(command c) {
  c.err = stream::same_as_out;
  return c;
}

}  // namespace

result<exit_status> command::run() const { return run_to_end(*this, nullptr); }
result<exit_status> command::run(const context& ctx) const { return run_to_end(*this, &ctx); }
result<finished> command::output() const { return collect(*this, nullptr); }
result<finished> command::output(const context& ctx) const { return collect(*this, &ctx); }
result<finished> command::combined_output() const { return collect(with_one_stream(*this), nullptr); }
result<finished> command::combined_output(const context& ctx) const { return collect(with_one_stream(*this), &ctx); }

}  // namespace weft::os
