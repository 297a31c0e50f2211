// References by RFC 3986, and what HTTP can address.
#include "net/http/http_url.h"

#include "tests/support/catch.h"

using namespace weft;
using namespace weft::http::detail;

namespace {

std::string resolved(std::string_view base, std::string_view reference) {
  return to_text(resolve_reference(split_uri(base), split_uri(reference)));
}

http_url url_of(std::string_view text) { return http_url_of(split_uri(text), encode::non_ascii).unwrap(); }
std::error_code error_of(std::string_view text) { return http_url_of(split_uri(text), encode::non_ascii).err; }

}  // namespace

TEST_CASE("references are resolved as in RFC 3986, sections 5.4.1 and 5.4.2", "[http]") {
  struct {
    const char *reference, *target;
  } const rows[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/./x", "http://a/b/c/g#s/./x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"http:g", "http:g"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reference);
    CHECK(resolved("http://a/b/c/d;p?q", row.reference) == row.target);
  }
}

TEST_CASE("a base without a path and a reference with a colon in its query are resolved", "[http]") {
  CHECK(resolved("http://a", "g") == "http://a/g");
  CHECK(resolved("http://a?x", "?y") == "http://a?y");
  CHECK(resolved("http://a/b", "/login?next=https://c/d") == "http://a/login?next=https://c/d");
  CHECK(resolved("http://a/b/c", "login?next=http://x/") == "http://a/b/login?next=http://x/");
  CHECK(resolved("https://u:p@a/b", "c") == "https://u:p@a/c");
}

TEST_CASE("an HTTP URL has a place, a Host field and a target", "[http]") {
  const http_url u = url_of("HTTPS://user:p%40ss@Example.ORG:8443/a%20b?q=1&r[]=2#part");
  CHECK(u.secure);
  CHECK(u.host == "example.org");
  CHECK(u.place() == "example.org:8443");
  CHECK(u.host_field() == "example.org:8443");
  CHECK(u.origin() == "https://example.org:8443");
  CHECK(u.userinfo == "user:p@ss");
  CHECK(u.target == "/a%20b?q=1&r[]=2");
  CHECK(url_of("http://a").target == "/");
  CHECK(url_of("http://a?x").target == "/?x");
  CHECK(url_of("http://a:").place() == "a:80");
  CHECK(url_of("http://a:80/").host_field() == "a");
  CHECK(url_of("http://[::1]:81/").place() == "[::1]:81");
  CHECK(url_of("https://[::1]/").host_field() == "[::1]");
  CHECK(url_of("http://[fe80::1%25eth0]/").place() == "[fe80::1%eth0]:80");
  CHECK(url_of("http://[fe80::1%25eth0]/").host_field() == "[fe80::1]");
  CHECK(url_of("http://a/\xc3\xbc").target == "/%C3%BC");
}

TEST_CASE("what is no HTTP URL is an error and no panic", "[http]") {
  for (const char* text : {"ftp://x/", "x", "", "//a/", "file:///etc/passwd", "javascript:alert(1)"})
    CHECK(error_of(text) == std::errc::protocol_not_supported);
  for (const char* text : {"http:",
                           "http:g",
                           "http://",
                           "http:///",
                           "http://:80/",
                           "https://[]:443/",
                           "http://[::1",
                           "http://[::1]x/",
                           "http://[1.2.3.4]/",
                           "http://a:b/",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:99999999999999/",
                           "http://a b/",
                           "http://a/b c",
                           "http://a/\r\nX: y",
                           "http://a/%",
                           "http://a/%zz",
                           "http://a/?%1",
                           "http://a\\b/",
                           "http://a@b@c/",
                           "http://%41/",
                           "http://a%00/",
                           "http://u%zz@a/",
                           "http://u%0d%0a@a/",
                           "http://a\x7f/",
                           "http://a/\x01"}) {
    CAPTURE(text);
    CHECK(error_of(text) == std::errc::invalid_argument);
  }
  CHECK(error_of("http://" + std::string(300, 'a') + "/") == std::errc::invalid_argument);
  CHECK(error_of(std::string_view("http://[::1\0\r\nX: y]/", 20)) == std::errc::invalid_argument);
}

TEST_CASE("a host has no empty label, and userinfo only what RFC 3986 allows there", "[http]") {
  for (const char* bad : {"http://./", "http://.a/", "http://a..b/", "http://a../", "http://..", "http://a b@h/",
                          "http://x\\@h/", "http://a/b@h", "http://u<@h/"})
    CHECK((bad == std::string_view("http://a/b@h")
               ? std::error_code()
               : std::make_error_code(std::errc::invalid_argument)) == error_of(bad));
  for (const char* good : {"http://a./", "http://a.b./", "http://a.b", "http://u:p%20x@h/", "http://u;v=1&w@h/"})
    CHECK(!error_of(good));
}
