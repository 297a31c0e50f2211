#include "sched/sim/replay_text.h"

#include <fmt/format.h>
#include <weft/errors.h>

#include <charconv>

namespace weft::detail {
namespace {

class reader {
 public:
  explicit reader(std::string_view text) : all_(text), left_(text) {}
  bool at_end() const noexcept { return left_.empty(); }
  bool skip(char c) noexcept {
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!skip(c)) wrong(fmt::format("'{}'", c));
  }
  template <class T>
  T number(int base = 10) {
    T v{};
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), v, base);
    if (error != std::errc()) wrong("a number");
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    return v;
  }
  [[noreturn]] void wrong(const std::string& expected) const {
    throw panic(fmt::format("sim::replay: \"{}\" is no replay string: {} expected at character {}", all_, expected,
                            all_.size() - left_.size() + 1));
  }

 private:
  std::string_view all_, left_;
};

}  // namespace

std::string to_text(const replay_plan& p) {
  const bool limited = p.max_steps != sim::options().max_steps;
  const int flags = (p.early_timers ? 1 : 0) + (p.leaks ? 0 : 2) + (limited ? 4 : 0);
  std::string s = fmt::format("w1-{}-{}-", p.seed, flags);
  if (limited) s += fmt::format("{}-", p.max_steps);
  s += fmt::format("{:08x}", p.check);
  char before = '-';
  for (const deviation& d : p.deviations) {
    s += fmt::format("{}{}.{}{}{}", before, d.fiber, d.number, d.is_value ? '=' : '>', d.what);
    before = ',';
  }
  return s;
}

replay_plan parse_replay(std::string_view text) {
  reader r(text);
  replay_plan p;
  r.expect('w');
  if (const int version = r.number<int>(); version != 1)
    throw panic(
        fmt::format("sim::replay: \"{}\" has format {}, and this version of weft reads format 1", text, version));
  r.expect('-');
  p.seed = r.number<std::uint64_t>();
  r.expect('-');
  const int flags = r.number<int>();
  if (flags < 0 || flags > 7) r.wrong("0 to 7");
  p.early_timers = flags & 1;
  p.leaks = !(flags & 2);
  r.expect('-');
  if (flags & 4) {
    p.max_steps = r.number<std::size_t>();
    if (p.max_steps == 0) r.wrong("a number of steps");
    r.expect('-');
  }
  p.check = r.number<std::uint32_t>(16);
  if (r.at_end()) return p;
  r.expect('-');
  do {
    deviation d;
    d.fiber = r.number<std::uint64_t>();
    r.expect('.');
    d.number = r.number<std::uint32_t>();
    d.is_value = r.skip('=');
    if (!d.is_value) r.expect('>');
    d.what = r.number<std::uint64_t>();
    p.deviations.push_back(d);
  } while (r.skip(','));
  if (!r.at_end()) r.wrong("','");
  return p;
}

std::uint32_t check_of(const std::vector<sim_step>& trace) noexcept {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const sim_step& t : trace) h = (h ^ t.hash) * 0x100000001b3u;
  return static_cast<std::uint32_t>(h ^ (h >> 32));
}

}  // namespace weft::detail
