// A server of Redis's protocol with SET, GET and PING, as a peer for redis-benchmark: a fiber for
// each connection, which reads into 16 KiB of its own, and one map under one mutex.
#include <weft/weft.h>

#include <array>
#include <charconv>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "tools/bench/workload.h"

namespace bench {
namespace {

constexpr std::size_t stack_of_connection = 64 << 10;  // bytes
constexpr std::size_t most_in_a_request = 16 << 10;
constexpr std::size_t most_words = 4;

struct any_hash : std::hash<std::string_view> {
  using is_transparent = void;
};

struct store {
  weft::mutex mutex;
  std::unordered_map<std::string, std::string, any_hash, std::equal_to<>> all;  // under mutex
};

struct command {
  std::array<std::string_view, most_words> words;
  std::size_t count = 0;
};

enum class parsed { whole, part, wrong };

// Takes a line `TYPE number CR LF` from the front of text.
parsed take_number(std::string_view& text, char type, std::size_t& to) {
  if (text.empty()) return parsed::part;
  if (text.front() != type) return parsed::wrong;
  const std::size_t end = text.find("\r\n");
  if (end == text.npos) return text.size() > 20 ? parsed::wrong : parsed::part;
  const auto [at, error] = std::from_chars(text.data() + 1, text.data() + end, to);
  if (error != std::errc{} || at != text.data() + end) return parsed::wrong;
  text.remove_prefix(end + 2);
  return parsed::whole;
}

// Takes an array of bulk strings from the front of text, which is unchanged unless it is whole.
parsed take_command(std::string_view& text, command& to) {
  std::string_view rest = text;
  if (const parsed p = take_number(rest, '*', to.count); p != parsed::whole) return p;
  if (to.count == 0 || to.count > most_words) return parsed::wrong;
  for (std::size_t i = 0; i < to.count; ++i) {
    std::size_t size = 0;
    if (const parsed p = take_number(rest, '$', size); p != parsed::whole) return p;
    if (size > most_in_a_request) return parsed::wrong;
    if (rest.size() < size + 2) return parsed::part;
    to.words[i] = rest.substr(0, size);
    rest.remove_prefix(size + 2);
  }
  text = rest;
  return parsed::whole;
}

void answer(store& s, const command& c, std::string& out) {
  const auto is = [&](std::string_view name, std::size_t words) { return c.words[0] == name && c.count == words; };
  if (is("SET", 3)) {
    const std::lock_guard hold(s.mutex);
    if (const auto at = s.all.find(c.words[1]); at != s.all.end()) at->second = c.words[2];
    else s.all.emplace(c.words[1], c.words[2]);
    out += "+OK\r\n";
  } else if (is("GET", 2)) {
    const std::lock_guard hold(s.mutex);
    const auto at = s.all.find(c.words[1]);
    if (at == s.all.end()) out += "$-1\r\n";
    else out.append("$").append(std::to_string(at->second.size())).append("\r\n").append(at->second).append("\r\n");
  } else if (is("PING", 1)) {
    out += "+PONG\r\n";
  } else {
    out += "-ERR unknown command\r\n";
  }
}

void serve_one(const weft::net::conn& c) {
  static store s;
  std::array<char, most_in_a_request> buffer;
  std::size_t held = 0;
  std::string out;
  for (command next;;) {
    const auto [n, err] = c.read(std::as_writable_bytes(std::span(buffer).subspan(held)));
    if (err) return;
    std::string_view text(buffer.data(), held + n);
    parsed last = parsed::whole;
    while ((last = take_command(text, next)) == parsed::whole) answer(s, next, out);
    if (!out.empty() && c.write(out).err) return;
    if (last == parsed::wrong || text.size() == buffer.size()) return;
    out.clear();
    held = text.size();
    if (held > 0) std::memmove(buffer.data(), text.data(), held);
  }
}

}  // namespace

result resp(const params& a) { return serve(a, "resp", stack_of_connection, serve_one); }

}  // namespace bench
