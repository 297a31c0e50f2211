// Parsers of a server that see bytes of a client, without a connection.
#include <string>

#include "net/http/multipart.h"
#include "net/http/precondition.h"
#include "net/http/range.h"
#include "net/http/request_parser.h"
#include "tests/support/catch.h"

using namespace weft::http;
using namespace weft::http::detail;

namespace {

// "0+1 3+2": the ranges that apply.
std::string ranges(std::string_view field, std::uint64_t size) {
  const auto r = parse_range(field, size);
  if (r.kind == range_request::all) return "all";
  if (r.kind == range_request::unsatisfiable) return "416";
  std::string text;
  for (const byte_range& one : r.ranges)
    text += (text.empty() ? "" : " ") + std::to_string(one.first) + '+' + std::to_string(one.size);
  return text;
}

}  // namespace

TEST_CASE("a range lies within its file, or is ignored or refused", "[http][range]") {
  CHECK(ranges("bytes=0-0", 10) == "0+1");
  CHECK(ranges("bytes=2-", 10) == "2+8");
  CHECK(ranges("bytes=2-100", 10) == "2+8");
  CHECK(ranges("bytes=-3", 10) == "7+3");
  CHECK(ranges("bytes=-30", 10) == "0+10");
  CHECK(ranges("BYTES=0-9223372036854775807", 10) == "0+10");
  CHECK(ranges("bytes=10-", 10) == "416");
  CHECK(ranges("bytes=-0", 10) == "416");
  for (const char* ignored : {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-4", "lines=0-1",
                              "bytes=+1-2", "bytes=0-99999999999999999999", "bytes=1", "bytes=0-1,", "bytes=0-1-2"})
    CHECK(ranges(ignored, 10) == (std::string_view(ignored) == "bytes=0-1," ? "0+2" : "all"));
  for (const char* any : {"bytes=0-", "bytes=-5", "bytes=0-0,3-4"}) CHECK(ranges(any, 0) == "all");
}

TEST_CASE("several ranges keep their order, and those outside the file are left out", "[http][range]") {
  CHECK(ranges("bytes=0-1,3-4", 10) == "0+2 3+2");
  CHECK(ranges("bytes=8-, 0-0 ,,\t-1", 10) == "8+2 0+1 9+1");
  CHECK(ranges("bytes=20-30,0-0", 10) == "0+1");
  CHECK(ranges("bytes=20-30,40-", 10) == "416");
  CHECK(ranges("bytes=0-1,x", 10) == "all");
  CHECK(ranges("bytes=x,0-1", 10) == "all");
}

TEST_CASE("ranges that cost more than the file are ignored", "[http][range]") {
  CHECK(ranges("bytes=0-,0-", 10) == "all");
  CHECK(ranges("bytes=0-5,4-9", 10) == "all");
  CHECK(ranges("bytes=0-4,4-8", 10) == "0+5 4+5");  // they overlap, and are not more than the file
  std::string many = "bytes=0-0";
  for (std::size_t i = 1; i < max_ranges; ++i) many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  CHECK(parse_range(many, 1 << 20).ranges.size() == max_ranges);
  CHECK(ranges(many + ",900-900", 1 << 20) == "all");
  CHECK(ranges(many + ",9999999-", 1 << 20) == "all");  // outside the file, and counted
}

TEST_CASE("entity tags compare as RFC 9110 says", "[http][range]") {
  CHECK(lists_etag("\"a\", \"b\"", "\"b\"", comparison::strong));
  CHECK(lists_etag("W/\"a\"", "\"a\"", comparison::weak));
  CHECK_FALSE(lists_etag("W/\"a\"", "\"a\"", comparison::strong));
  CHECK(lists_etag("\"b\", \"a\"", "W/\"a\"", comparison::weak));
  CHECK(lists_etag("W/\"a\"", "W/\"a\"", comparison::weak));
  CHECK_FALSE(lists_etag("W/\"a\", \"a\"", "W/\"a\"", comparison::strong));
  CHECK(lists_etag(" * ", "\"a\"", comparison::strong));
  for (const char* bad : {"", "a", "\"a", "\"b\"x, \"a\"", ",,,"})
    CHECK_FALSE(lists_etag(bad, "\"a\"", comparison::weak));
}

TEST_CASE("dates have three forms", "[http][range]") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(parse_http_date("Wed Nov 16 08:49:37 1994") == 784111777 + 10 * 86'400);
  CHECK(parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT") == 946684800);
  for (const char* bad :
       {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "Someday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov 06 08:49 1994"})
    CHECK_FALSE(parse_http_date(bad));
}

TEST_CASE("a form with files is split at its boundary", "[http][multipart]") {
  const auto parts = parse_multipart(
      "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b \t\r\ncontent-type: x/y\r\n"
      "Content-Disposition: form-data; name=f; filename=\"c:\\\\q\\\"\"\r\n\r\n\r\n--b--\r\nepilogue",
      "b");
  REQUIRE(parts);
  REQUIRE(parts->size() == 2);
  CHECK((*parts)[0].name == "a");
  CHECK((*parts)[0].content == "1");
  CHECK((*parts)[1].name == "f");
  CHECK((*parts)[1].filename == "c:\\q\"");
  CHECK((*parts)[1].type == "x/y");
  CHECK((*parts)[1].content.empty());
  const std::string field = "Content-Disposition: form-data; name=a\r\n\r\n";
  CHECK(parse_multipart("--b\r\n" + field + "\r\n--b--", "b")->at(0).content.empty());
  CHECK(parse_multipart("--b--", "b")->empty());
  for (const std::string& bad : std::vector<std::string>{
           std::string(), std::string("--b"), std::string("--b\r\n"), "--b\r\n" + field, "--b\r\n" + field + "x\r\n--b",
           "--b\r\n\r\n\r\n--b--", "--b\r\nX\r\n\r\n\r\n--b--", "--b x\r\n" + field + "x\r\n--b--",
           std::string("--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--"),
           std::string("--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--b--")})
    CHECK_FALSE(parse_multipart(bad, "b"));
  CHECK_FALSE(parse_multipart("----", ""));
  CHECK(parameter("a/b; x=1; boundary=\"c d\"", "Boundary") == "c d");
}
