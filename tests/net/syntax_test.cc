#include "net/http/syntax.h"

#include "tests/support/catch.h"

using namespace weft::http::detail;

TEST_CASE("tokens, field values and numbers are as RFC 9110 defines them", "[http][syntax]") {
  CHECK(is_token("X-A!#$%&'*+.^_`|~9"));
  for (const char* bad : {"", "a b", "a:", "a\r", "a(b", "\x80", "a/b"}) CHECK_FALSE(is_token(bad));
  for (const char* good : {"", "a b", "a\tb", "\x80\xff"}) CHECK(is_field_value(good));
  for (const char* bad : {"a\r\nb", " a", "a ", "\x01", "\x7f"}) CHECK_FALSE(is_field_value(bad));
  CHECK_FALSE(is_field_value(std::string_view("a\0b", 3)));
  CHECK(decimal("0") == 0U);
  CHECK(decimal("9223372036854775807") == 9223372036854775807U);
  for (const char* bad : {"", "+1", "-1", " 1", "1 ", "0x2", "1,1", "9223372036854775808", "18446744073709551618"})
    CHECK_FALSE(decimal(bad));
  CHECK(has_word("a, Close ,b", "close"));
  CHECK_FALSE(has_word("closed", "close"));
}

TEST_CASE("an authority is a host and a port, and nothing else", "[http][syntax]") {
  for (const char* good : {"", "a", "a:80", "a:", "127.0.0.1:1", "[::1]", "[::1]:80", "a%41", "a_b", "u:p@h"})
    CHECK(parse_authority(good));
  for (const char* bad :
       {"a:b", "a:65536", "a/b", "a b", "[::1", "[a]", "a]", "[::1]x", "a%4", "a:80:80", "[]", "a\"b"})
    CHECK_FALSE(parse_authority(bad));
  // A NUL byte ends no text early.
  for (const std::string_view bad : {std::string_view("[::1\0x]", 7), std::string_view("[::1\0]:80", 9),
                                     std::string_view("[\0::1]", 7), std::string_view("a\0", 2)})
    CHECK_FALSE(parse_authority(bad));
  CHECK_FALSE(parse_uri(std::string_view("http://[::1\0x]/", 16)));
  CHECK(parse_authority("u:p@h:1")->userinfo == "u:p");
  CHECK(parse_authority("u@h")->has_userinfo);
  CHECK(parse_authority("[::1]:80")->host == "[::1]");
}

TEST_CASE("a request's target has one of four forms", "[http][syntax]") {
  using form = request_target::form_of;
  CHECK(parse_target("GET", "/a%20b?x=%41")->path == "/a%20b");
  CHECK(parse_target("GET", "/a?x?y")->query == "x?y");
  const auto t = parse_target("GET", "http://example.org?q");
  REQUIRE(t);
  CHECK(t->form == form::absolute);
  CHECK(t->authority == "example.org");
  CHECK(t->path == "/");
  CHECK(t->query == "q");
  CHECK(parse_target("OPTIONS", "*")->form == form::asterisk);
  CHECK(parse_target("OPTIONS", "http://h")->path == "*");
  CHECK(parse_target("CONNECT", "h:1")->form == form::authority);
  for (const char* bad : {"foo", "*", "h:1", "/%", "/%4", "/%zz", "/?%", "/a b", "/a#b", "/\x80", "/%00", "http:///x",
                          "http://u@h/", "ftp://h/", "http://h:x/", "", "/\"", "/<", "//h\x01"})
    CHECK_FALSE(parse_target("GET", bad));
  for (const char* bad : {"/", "h", "http://h:1/"}) CHECK_FALSE(parse_target("CONNECT", bad));
}

TEST_CASE("a URI has the components of RFC 3986", "[http][syntax]") {
  const auto u = parse_uri("http://u@h:1/p?q#f");
  REQUIRE(u);
  CHECK(u->scheme == "http");
  CHECK(u->authority == "u@h:1");
  CHECK(u->path == "/p");
  CHECK(u->query == "q");
  CHECK(u->fragment == "f");
  CHECK(parse_uri("//h")->authority == "h");
  CHECK(parse_uri("../x?y")->path == "../x");
  CHECK_FALSE(parse_uri("")->has_authority);
  for (const char* bad : {"http://[]:443/", "http://[::1", "1x:y", "/a b", "/%", "a\r\nb"}) CHECK_FALSE(parse_uri(bad));
  CHECK(without_dot_segments("/a/b/c/./../../g") == "/a/g");
  CHECK(without_dot_segments("mid/content=5/../6") == "mid/6");
  CHECK(without_dot_segments("a/b/c/../../d") == "a/d");
  CHECK(without_dot_segments("/..") == "/");
  CHECK(without_dot_segments("/../../g") == "/g");
  CHECK(without_dot_segments("/b/c/.") == "/b/c/");
}

TEST_CASE("what a peer sends is escaped before it is logged or sent", "[http][syntax]") {
  CHECK(printable("a\r\nb\x80\\") == "a\\x0d\\x0ab\\x80\\x5c");
  CHECK(printable("abc", 2) == "ab...");
  CHECK(escaped_uri("/a b\r\n\xc3\xa4?x=%41#f") == "/a%20b%0D%0A%C3%A4?x=%41#f");
  CHECK(decoded("a%2Fb+%", encoding::path) == "a/b+%");
  CHECK(decoded("a+b", encoding::query) == "a b");
}
