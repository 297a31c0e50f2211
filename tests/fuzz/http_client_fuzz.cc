// Whatever bytes a server sends, the client returns an answer or an error within its limits, and
// the same one however the bytes are cut into reads: libFuzzer's target for the path of an answer.
//
// The first byte of an input chooses the method and the options. No world and no socket: a stream
// in memory.
#include <weft/weft.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "net/http/incoming.h"

namespace {

using namespace weft;
using namespace weft::http::detail;

constexpr std::size_t max_head = 4 << 10, max_body = 64 << 10;

void must(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Gives `bytes` in reads of at most `piece`, then the end.
class memory_stream final : public stream {
 public:
  memory_stream(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  bool must_begin() const override { return false; }
  std::error_code begin() override { return {}; }
  result<std::size_t> read(std::span<std::byte> to) override {
    const std::size_t n = std::min({piece_, to.size(), bytes_.size()});
    if (n == 0) return {0, errc::eof};
    std::memcpy(to.data(), bytes_.data(), n);
    bytes_.remove_prefix(n);
    return {n, {}};
  }
  result<std::size_t> read(const context&, std::span<std::byte> to) override { return read(to); }
  std::error_code receive(sink& to) override {
    std::byte some[1024];
    const auto [n, err] = read(some);
    if (!err) to(std::span(some).first(n));
    return err;
  }
  result<std::size_t> write(std::string_view text) override { return {text.size(), {}}; }
  result<std::size_t> write(const context&, std::string_view text) override { return {text.size(), {}}; }
  std::error_code write_all(std::span<const std::string_view>) override { return {}; }
  result<std::uint64_t> send_file(int, std::uint64_t, std::uint64_t count) override { return {count, {}}; }
  void set_read_deadline(time_point) override {}
  void set_write_deadline(time_point) override {}
  std::error_code close_write() override { return {}; }
  std::error_code close() override { return {}; }
  void set_abortive(bool) override {}
  const net::endpoint& remote_addr() const override { return nowhere_; }
  net::conn plain() const override { return {}; }
  tls::conn secure() const override { return {}; }
  std::optional<tls::connection_state> tls_state() const override { return {}; }
  bool is_quiet() const override { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  const std::size_t piece_;
  const net::endpoint nowhere_;
};

struct seen {
  std::error_code err;
  int status = 0;
  http::header_list headers, trailers;
  std::string body;
  bool operator==(const seen&) const = default;
};

seen read_answer(std::string_view bytes, std::size_t piece, int kind) {
  const auto o = std::make_shared<outgoing>();
  o->r.method = kind & 1 ? "HEAD" : "GET";
  o->accepts_gzip = (kind & 2) != 0 && has_gunzip();
  http::client_limits few;
  few.max_head = max_head;
  incoming in(client_conn(std::make_shared<memory_stream>(bytes, piece)), background(), few, time_point::max());
  seen s;
  s.err = in.start(o, "GET / HTTP/1.1\r\n\r\n");
  if (s.err) return s;
  s.status = in.head.status;
  s.headers = in.head.headers;
  must(s.status >= 100 && s.status <= 999, "the status has three digits");
  for (const auto& [name, value] : s.headers) {
    must(is_token(name), "a name is a token");
    must(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value has no line break");
  }
  std::byte some[777];
  while (s.body.size() <= max_body) {
    const auto [n, err] = in.read(some);
    s.body.append(reinterpret_cast<const char*>(some), n);
    if (!err) continue;
    s.err = err;
    break;
  }
  if (s.err == errc::eof) s.trailers = in.trailers();
  return s;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const seen whole = read_answer(bytes, 1 << 20, data[0]);
  const seen cut = read_answer(bytes, 1 + data[0] / 4, data[0]);
  if (whole.err == errc::eof || cut.err == errc::eof || whole.body.size() > max_body)
    must(whole == cut, "the answer depends on how its bytes are cut");
  must(!whole.err == !cut.err, "an error depends on how the bytes are cut");
  return 0;
}
