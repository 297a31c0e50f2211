// A redirect is a server's word: where it leads, and what goes along.
#include "tests/net/scripted_server.h"

using namespace weft;
using namespace weft::testing;

namespace {

std::string redirect(int status, std::string_view to) {
  return "HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nContent-Length: 0\r\nLocation: " + std::string(to) +
         "\r\n\r\n";
}

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

const http::header_list credentials = {{"Authorization", "Bearer s3cret"},
                                       {"Cookie", "id=42"},
                                       {"Proxy-Authorization", "Basic eA=="},
                                       {"Proxy-Connection", "keep-alive"},
                                       {"X-Trace", "7"}};

// What `second` gets of a request with `credentials` that a first server sends on to `to`.
std::string sent_on(std::string_view method, int status, const std::function<std::string(const scripted_server&)>& to,
                    std::string_view body = "") {
  std::string seen;
  scripted_server second([&](const net::conn& c, int) {
    seen = read_request(c);
    (void)c.write(ok("there"));
  });
  scripted_server first(answers_once(redirect(status, to(second))));
  http::header_list headers = credentials;
  headers.emplace_back("Content-Type", "text/x");
  headers.emplace_back("Content-Language", "en");
  headers.emplace_back("Expect", "100-continue");
  const auto got = http::client().send(background(), method, first.url(), headers, body);
  FACT(!got.err);
  FACT(got.value.body == "there");
  second.stop();
  return seen;
}

}  // namespace

TEST_CASE("credentials do not follow a redirect to another port, whatever its form", "[http]") {
  on_each_poller([] {
    for (const int status : {301, 302, 303, 307, 308}) {
      for (const bool with_scheme : {true, false}) {
        const std::string seen =
            sent_on("GET", status, [&](const auto& s) { return with_scheme ? s.url("/x") : "//" + s.place() + "/x"; });
        FACT(has(seen, "X-Trace: 7\r\n"));
        for (const char* name : {"Authorization", "Cookie", "Proxy-"}) FACT(!has(seen, name));
      }
    }
  });
}

TEST_CASE("credentials stay away after a way back, and follow to the same place", "[http]") {
  in_world(2, [] {
    std::string seen, other_place;
    scripted_server home([&](const net::conn& c, int) {
      for (std::string r; !(r = read_request(c)).empty();) {
        if (r.starts_with("GET /away ")) (void)c.write(redirect(302, other_place));
        else if (r.starts_with("GET /near ")) (void)c.write(redirect(302, "far"));
        else seen = r, (void)c.write(ok("home"));
      }
    });
    scripted_server other(always(redirect(302, home.url("/end"))));
    other_place = other.url();
    const http::client c;
    FACT(c.send(background(), "GET", home.url("/away"), credentials, "").value.body == "home");
    FACT(!has(seen, "s3cret") && !has(seen, "id=42"));
    FACT(c.send(background(), "GET", home.url("/near"), credentials, "").value.body == "home");
    FACT(has(seen, "GET /far ") && has(seen, "Authorization: Bearer s3cret\r\n") && has(seen, "Cookie: id=42\r\n"));
    c.close_idle();
  });
  report_broken_fact();
}

TEST_CASE("a redirect that drops the body drops what describes it; 307 and 308 keep both", "[http]") {
  in_world(2, [] {
    for (const int status : {301, 302, 303}) {
      const std::string seen = sent_on(
          "POST", status, [](const auto& s) { return s.url("/x"); }, "data");
      FACT(seen.starts_with("GET /x "));
      for (const char* name : {"Content-", "Expect", "data"}) FACT(!has(seen, name));
    }
    for (const int status : {307, 308}) {
      const std::string seen = sent_on(
          "POST", status, [](const auto& s) { return s.url("/x"); }, "data");
      FACT(seen.starts_with("POST /x "));
      FACT(has(seen, "Content-Length: 4\r\n") && has(seen, "Content-Type: text/x\r\n") && seen.ends_with("data"));
    }
  });
  report_broken_fact();
}

TEST_CASE("the caller's Host does not follow to another place, and userinfo is that of its URL", "[http]") {
  in_world(2, [] {
    std::string seen;
    scripted_server second([&](const net::conn& c, int) {
      seen = read_request(c);
      (void)c.write(ok("x"));
    });
    scripted_server first(answers_once(redirect(302, second.url("/x"))));
    const std::string with_user = "http://user:pass@" + first.place() + "/";
    FACT(!http::client().send(background(), "GET", with_user, {{"Host", "internal"}}, "").err);
    FACT(has(seen, "Host: " + second.place() + "\r\n"));
    FACT(!has(seen, "Authorization") && !has(seen, "internal"));
  });
  report_broken_fact();
}

TEST_CASE("a Location that is malformed or leads out of HTTP is an error, and nothing is thrown", "[http]") {
  in_world(2, [] {
    for (const char* to : {"https://[]:443/", "http://", "http:///x", "http://:80/", "http://a:99999/", "http://a b/",
                           "//", "http://[::1", "/%zz", "/\x01", "http://a@b@c/"}) {
      scripted_server s(answers_once(redirect(302, to)));
      FACT(http::client().get(background(), s.url()).err == std::errc::bad_message);
    }
    for (const char* to : {"file:///etc/passwd", "gopher://x/", "data:text/plain,x"}) {
      scripted_server s(answers_once(redirect(302, to)));
      FACT(http::client().get(background(), s.url()).err == std::errc::protocol_not_supported);
    }
    scripted_server none(answers_once("HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nhm"));
    FACT(http::client().get(background(), none.url()).value.body == "hm");
  });
  report_broken_fact();
}

TEST_CASE("redirects are bounded", "[http]") {
  in_world(2, [] {
    std::atomic<int> requests{0};
    scripted_server s([&](const net::conn& c, int) {
      while (!read_request(c).empty()) ++requests, (void)c.write(redirect(302, "/again"));
    });
    http::client c;
    FACT(c.get(background(), s.url()).err == std::errc::too_many_links);
    FACT(requests == 11);
    c.set_limits({.max_redirects = 0});
    FACT(c.get(background(), s.url()).value.status == 302);
    c.close_idle();
  });
  report_broken_fact();
}
