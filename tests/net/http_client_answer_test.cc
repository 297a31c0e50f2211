// What a client makes of the bytes that a server sends: RFC 9112, and limits.
#include "tests/net/scripted_server.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

constexpr const char* bad = "bad_message";
constexpr const char* large = "message_size";
constexpr const char* cut = "connection_aborted";

struct row {
  const char* what;
  std::string bytes;
  const char* wanted;  // the body, or an error's name
};

const char* name_of(const std::error_code& e) {
  if (e == std::errc::bad_message) return bad;
  if (e == std::errc::message_size) return large;
  if (e == std::errc::connection_aborted) return cut;
  if (e == errc::eof) return "eof";
  return "another error";
}

std::string chunked(std::string_view chunks) {
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}
std::string with(std::string_view fields, std::string_view body) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

const std::string x5 = "5\r\nhello\r\n0\r\n\r\n";

// The column is RFC 9112 (its section in parentheses); where it leaves a choice, Go's.
const row rows[] = {
    {"no reason, no space (4)", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok"},
    {"no reason (4)", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "ok"},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", "ok"},
    {"a later minor version (2.5)", "HTTP/1.9 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
    {"spaces before the status (4)", "HTTP/1.1   200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
    {"lines that end in LF (2.2)", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "ok"},
    {"HTTP/2", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", bad},
    {"HTTP/2 without minor", "HTTP/2 200\r\n\r\n", bad},
    {"no HTTP", "220 ready\r\n\r\n", bad},
    {"an empty line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", bad},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", bad},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", bad},
    {"a status with a sign", "HTTP/1.1 +20 OK\r\n\r\n", bad},
    {"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", bad},
    {"a status and a reason in one word", "HTTP/1.1 200OK\r\n\r\n", bad},
    {"nothing", "", "eof"},
    {"half a head", "HTTP/1.1 200 OK\r\nContent-", cut},
    {"a line without a colon (5)", with("nonsense\r\n", ""), bad},
    {"a blank before the colon (5.1)", with("Content-Length : 2\r\n", "ok"), bad},
    {"a name that is no token", with("A(b): 1\r\n", ""), bad},
    {"a name that is empty", with(": 1\r\n", ""), bad},
    {"a CR in a value (2.2)", with("A: b\rc\r\n", ""), bad},
    {"a NUL in a value", with(std::string("A: b\0c\r\n", 8), ""), bad},
    {"a first field that is folded (2.2)", with(" A: b\r\n", ""), bad},
    {"a folded field (5.2)", with("A: b\r\n c\r\nContent-Length: 2\r\n", "ok"), "ok"},
    {"no length: until the end (6.3)", with("", "all there is"), "all there is"},
    {"a length, and less (6.3)", with("Content-Length: 5\r\n", "abc"), cut},
    {"two equal lengths (6.3)", with("Content-Length: 2\r\nContent-Length: 2\r\n", "ok"), "ok"},
    {"a list of equal lengths (6.3)", with("Content-Length: 2, 2\r\n", "ok"), "ok"},
    {"two lengths (6.3)", with("Content-Length: 2\r\nContent-Length: 3\r\n", "ok!"), bad},
    {"a list of two lengths (6.3)", with("Content-Length: 2, 3\r\n", "ok!"), bad},
    {"a negative length", with("Content-Length: -1\r\n", ""), bad},
    {"a length with a sign", with("Content-Length: +2\r\n", "ok"), bad},
    {"a length in hexadecimal", with("Content-Length: 0x2\r\n", "ok"), bad},
    {"an empty length", with("Content-Length:\r\n", ""), bad},
    {"a length beyond 64 bits", with("Content-Length: 99999999999999999999999\r\n", "abc"), large},
    {"chunked", chunked(x5), "hello"},
    {"chunked, in any case (7)", with("transfer-encoding: CHUNKED\r\n", x5), "hello"},
    {"two chunks", chunked("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), "ab"},
    {"chunked and a length (6.3)", with("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", x5), "hello"},
    {"an extension (7.1.1)", chunked("5;a=b\r\nhello\r\n0;c\r\n\r\n"), "hello"},
    {"trailers (7.1.2)", chunked("5\r\nhello\r\n0\r\nX: y\r\n\r\n"), "hello"},
    {"chunked twice (7)", with("Transfer-Encoding: chunked, chunked\r\n", x5), bad},
    {"chunked in two fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", x5), bad},
    {"an unknown coding (6.1)", with("Transfer-Encoding: x, chunked\r\n", x5), bad},
    {"identity", with("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "ok"), bad},
    {"a coding in HTTP/1.0 (6.1)", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + x5, bad},
    {"a chunk size that ends in LF (7.1)", chunked("5\nhello\r\n0\r\n\r\n"), bad},
    {"a chunk that ends in LF (7.1)", chunked("5\r\nhello\n0\r\n\r\n"), bad},
    {"a chunk longer than its size", chunked("5\r\nhello!\r\n0\r\n\r\n"), bad},
    {"a chunk size with a prefix", chunked("0x5\r\nhello\r\n0\r\n\r\n"), bad},
    {"a chunk size with a sign", chunked("+5\r\nhello\r\n0\r\n\r\n"), bad},
    {"a chunk size after a blank", chunked(" 5\r\nhello\r\n0\r\n\r\n"), bad},
    {"a chunk size that is empty", chunked("\r\nhello\r\n0\r\n\r\n"), bad},
    {"a chunk size beyond 64 bits", chunked("11111111111111111\r\nhello\r\n0\r\n\r\n"), large},
    {"a chunk size and a word", chunked("5 x\r\nhello\r\n0\r\n\r\n"), bad},
    {"a CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), bad},
    {"no last chunk", chunked("5\r\nhello\r\n"), cut},
    {"half a chunk", chunked("5\r\nhe"), cut},
    {"a trailer that is malformed", chunked("0\r\nnonsense\r\n\r\n"), bad},
    {"provisional answers (RFC 9110 15.2)", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n" + ok("x"),
     "x"},
    {"a switch that nobody asked for", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", bad},
    {"204 with a length (6.3)", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", ""},
    {"304 with a length (6.3)", "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", ""},
    {"a status of no class", "HTTP/1.1 799 Odd\r\nContent-Length: 1\r\n\r\nx", "x"},
};

// Sends in pieces of `size` bytes.
scripted_server::script in_pieces(std::string bytes, std::size_t size) {
  return [=](const net::conn& c, int) {
    if (read_request(c).empty()) return;
    for (std::size_t at = 0; at < bytes.size(); at += size)
      if (c.write(std::string_view(bytes).substr(at, size)).err) return;
  };
}

}  // namespace

TEST_CASE("answers are read by RFC 9112, in one packet and byte by byte", "[http]") {
  in_world(2, [] {
    for (const row& r : rows) {
      for (const std::size_t size : {std::size_t(1) << 20, std::size_t(1)}) {
        scripted_server s(in_pieces(r.bytes, size));
        http::client c;
        const auto [got, err] = c.get(background(), s.url());
        const std::string seen = err ? name_of(err) : got.body;
        CAPTURE(r.what, size);
        CHECK(seen == r.wanted);
      }
    }
  });
}

TEST_CASE("the body of HEAD is not waited for, and fields come as they were sent", "[http]") {
  in_world(2, [] {
    scripted_server s(
        answers_once("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nA:  b \r\nA: c\r\nFold: 1\r\n\t 2\r\n\r\n"));
    const auto got = http::client().send(background(), "HEAD", s.url(), {}, "");
    FACT(!got.err && got.value.body.empty());
    FACT(got.value.header("a") == "b");
    FACT(got.value.header_values("A") == std::vector<std::string_view>{"b", "c"});
    FACT(got.value.header("fold") == "1 2");
    scripted_server t(answers_once(chunked("1\r\nx\r\n0\r\nX-Trusted: yes\r\n\r\n")));
    const auto tail = http::client().get(background(), t.url());
    FACT(tail.value.header("X-Trusted").empty());
    FACT(tail.value.trailers == http::header_list{{"X-Trusted", "yes"}});
  });
  report_broken_fact();
}

TEST_CASE("a head may have a mebibyte, with all that come before it, and no more", "[http]") {
  on_each_poller([] {
    const auto head_of = [](std::size_t size) {
      const std::string rest = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \r\n\r\n";
      return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + std::string(size - rest.size(), 'x') + "\r\n\r\n";
    };
    {
      scripted_server s(answers_once(head_of(1 << 20) + "ok"));
      const auto got = http::client().get(background(), s.url());
      FACT(got.value.body == "ok");
    }
    {
      scripted_server s(answers_once(head_of((1 << 20) + 1) + "ok"));
      FACT(http::client().get(background(), s.url()).err == std::errc::message_size);
    }
    http::client small;
    small.set_limits({.max_head = 1000});
    const auto refuses = [&](std::string bytes) {
      scripted_server s(answers_once(std::move(bytes)));
      return small.get(background(), s.url()).err == std::errc::message_size;
    };
    std::string provisional;
    for (int i = 0; i < 60; ++i) provisional += "HTTP/1.1 100 \r\n\r\n";
    FACT(refuses(provisional + ok("x")));
    FACT(refuses("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x')));
    FACT(refuses(chunked("0\r\nX: " + std::string(2000, 'x') + "\r\n\r\n")));
    FACT(refuses(chunked("1;" + std::string(5000, 'x') + "\r\na\r\n0\r\n\r\n")));
    std::string fields;
    for (int i = 0; i < 20'000; ++i) fields += "a:\r\n";
    scripted_server many(answers_once(with(fields, "")));
    FACT(http::client().get(background(), many.url()).err == std::errc::message_size);
  });
}

TEST_CASE("chunk framing without data is bounded", "[http]") {
  in_world(2, [] {
    const hang_guard guard("endless framing");
    http::client c;
    c.set_limits({.max_head = 1000});
    scripted_server s([](const net::conn& conn, int) {
      if (read_request(conn).empty() || conn.write(chunked("")).err) return;
      const std::string chunk = "1;" + std::string(3000, 'e') + "\r\nx\r\n";
      while (!conn.write(chunk).err) {
      }
    });
    FACT(c.get(background(), s.url()).err == std::errc::message_size);
  });
  report_broken_fact();
}

TEST_CASE("a body has its limit however it comes", "[http]") {
  on_each_poller([] {
    http::client c;
    c.set_max_body(1000);
    const std::string much(5000, 'x'), enough(1000, 'x');
    const auto get = [&](const std::string& bytes) {
      scripted_server s(answers_once(bytes));
      return c.get(background(), s.url());
    };
    FACT(get(ok(much)).err == std::errc::message_size);
    FACT(get(chunked("1388\r\n" + much + "\r\n0\r\n\r\n")).err == std::errc::message_size);
    FACT(get(with("", much)).err == std::errc::message_size);
    FACT(get(with("Content-Length: 60000000000\r\n", "abc")).err == std::errc::message_size);
    FACT(get(ok(enough)).value.body == enough);
    FACT(get(chunked("3e8\r\n" + enough + "\r\n0\r\n\r\n")).value.body == enough);
    FACT(get(with("", enough)).value.body == enough);
  });
}

TEST_CASE("a server that is silent or slow is given up when its time is over", "[http]") {
  on_each_poller([] {
    const hang_guard guard("silent server");
    const auto error_with = [](const http::client_limits& l, std::string_view first, std::string_view drip) {
      scripted_server s([&](const net::conn& c, int) {
        if (read_request(c).empty() || c.write(first).err) return;
        std::byte any[1];
        if (drip.empty()) (void)c.read(any).err;
        while (!drip.empty() && !c.write(drip).err) sleep(1ms);
      });
      http::client c;
      c.set_limits(l);
      return c.get(background(), s.url()).err;
    };
    FACT(error_with({.head_time = 5ms}, "", "") == errc::timeout);
    FACT(error_with({.head_time = 5ms}, "HTTP/1.1 200 OK\r\nX: ", "x") == errc::timeout);
    FACT(error_with({.head_time = 5ms}, "", "HTTP/1.1 100 \r\n\r\n") == errc::timeout);
    FACT(error_with({.silent_time = 5ms}, "HTTP/1.1 200 OK\r\n\r\nabc", "") == errc::timeout);
    FACT(error_with({.total_time = 10ms}, "HTTP/1.1 200 OK\r\n\r\nabc", "x") == errc::timeout);
    FACT(error_with({.total_time = 10ms}, "HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") != std::error_code());
  });
}
