// Answers in gzip.
#include <zlib.h>

#include "tests/net/scripted_server.h"

using namespace weft;
using namespace weft::testing;

namespace {

std::string gzipped(const std::string& text) {
  z_stream z{};
  FACT(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  FACT(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

result<http::response> got_of(const std::string& body, http::client c = {}, const http::header_list& headers = {}) {
  scripted_server s([&](const net::conn& conn, int) {
    const std::string r = read_request(conn);
    FACT(!headers.empty() || r.find("Accept-Encoding: gzip\r\n") != std::string::npos);
    (void)conn.write(ok(body, "Content-Encoding: gzip\r\n"));
  });
  return c.send(background(), "GET", s.url(), headers, "");
}

}  // namespace

TEST_CASE("an answer in gzip is decompressed if the caller did not ask for codings", "[http]") {
  on_each_poller([] {
    std::string text;
    for (int i = 0; i < 50'000; ++i) text += std::to_string(i);
    const auto got = got_of(gzipped(text)).value;
    FACT(got.body == text);
    FACT(got.header("Content-Encoding").empty() && got.header("Content-Length").empty());
    FACT(got_of(gzipped("a") + gzipped("") + gzipped("b")).value.body == "ab");
    FACT(got_of("").value.body.empty());
    const std::string packed = gzipped("hello");
    FACT(got_of(packed, {}, {{"Accept-Encoding", "gzip"}}).value.body == packed);
    FACT(got_of(packed, {}, {{"Range", "bytes=0-"}}).value.body == packed);
    FACT(got_of(packed, http::client().set_compression(false), {{"X", "y"}}).value.body == packed);
  });
}

TEST_CASE("a stream in gzip that is flushed after each byte arrives", "[http]") {
  in_world(2, [] {
    z_stream z{};
    FACT(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed;
    constexpr int bytes = 40'000;
    for (int i = 0; i <= bytes; ++i) {
      Bytef in = '\n', out[64];
      z.next_in = &in;
      z.avail_in = i < bytes;
      z.next_out = out;
      z.avail_out = sizeof out;
      FACT(deflate(&z, i < bytes ? Z_SYNC_FLUSH : Z_FINISH) >= 0);
      packed.append(reinterpret_cast<char*>(out), sizeof out - z.avail_out);
    }
    deflateEnd(&z);
    FACT(packed.size() > 5 * bytes);
    FACT(got_of(packed).value.body == std::string(bytes, '\n'));
  });
  report_broken_fact();
}

TEST_CASE("gzip that is broken, cut off or a bomb is an error", "[http]") {
  in_world(2, [] {
    const std::string packed = gzipped("hello hello hello");
    FACT(got_of(packed.substr(0, packed.size() - 1)).err == std::errc::bad_message);
    FACT(got_of(packed.substr(0, 5)).err == std::errc::bad_message);
    FACT(got_of(packed + "rest").err == std::errc::bad_message);
    FACT(got_of("nonsense").err == std::errc::bad_message);
    std::string other_sum = packed;
    other_sum[packed.size() - 5] ^= 1;
    FACT(got_of(other_sum).err == std::errc::bad_message);
    // No byte of a body, without end: a file name, empty blocks, empty members.
    const std::string named("\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
    FACT(got_of(named + std::string(1 << 20, 'a')).err == std::errc::message_size);
    std::string members;
    while (members.size() < 1 << 20) members += gzipped("");
    FACT(got_of(members).err == std::errc::message_size);
    http::client c;
    c.set_max_body(1 << 20);
    FACT(got_of(gzipped(std::string(64 << 20, '\0')), c).err == std::errc::message_size);
  });
  report_broken_fact();
}
