// Files as answers: conditions, ranges, directories, and no way out of the root.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <vector>

#include "net/http/serve_content.h"
#include "tests/net/plain_server.h"

using namespace weft;
using namespace weft::testing;

namespace {

// A directory for one test, with files of the 9th of September 2001.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weft_files_XXXXXX").string();
    FACT(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { std::filesystem::remove_all(path); }
  void put(const std::string& name, std::string_view text, std::time_t changed = 1'000'000'000) const {
    std::filesystem::create_directories(std::filesystem::path(path + "/" + name).parent_path());
    FACT(!fs::write_file(path + "/" + name, text));
    const timespec times[2] = {{changed, 0}, {changed, 0}};
    FACT(utimensat(AT_FDCWD, (path + "/" + name).c_str(), times, 0) == 0);
  }
  std::string path;
};

// `fields`: of the request, each with its CR LF.
std::string get(const plain_server& s, std::string_view target, std::string_view fields = "",
                std::string_view method = "GET") {
  return answer_to(s.place(),
                   fmt::format("{} {} HTTP/1.1\r\nHost: a\r\n{}Connection: close\r\n\r\n", method, target, fields));
}

int status(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::atoi(std::string(answer.substr(9, 3)).c_str()) : 0;
}
bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
std::string_view body(std::string_view answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
std::string value(std::string_view answer, std::string_view name) {
  const auto at = answer.find("\r\n" + std::string(name) + ": ");
  if (at == answer.npos || at > answer.find("\r\n\r\n")) return {};
  answer.remove_prefix(at + name.size() + 4);
  return std::string(answer.substr(0, answer.find("\r\n")));
}

}  // namespace

TEST_CASE("a file is sent with its length, type, tag and date", "[http][files]") {
  on_each_poller([] {
    const folder f;
    std::string big(900'000, 'x');
    for (std::size_t i = 0; i < big.size(); i += 1000) big.replace(i, 7, fmt::format("{:07}", i));
    f.put("a.css", "body {}");
    f.put("big", big);
    f.put("empty.html", "");
    plain_server s(http::file_server(f.path));
    const std::string got = get(s, "/a.css");
    FACT(status(got) == 200);
    FACT(value(got, "Content-Length") == "7");
    FACT(value(got, "Content-Type") == "text/css; charset=utf-8");
    FACT(value(got, "Last-Modified") == "Sun, 09 Sep 2001 01:46:40 GMT");
    FACT(value(got, "ETag") == "\"de0b6b3a7640000-7\"");
    FACT(value(got, "Accept-Ranges") == "bytes");
    FACT(body(got) == "body {}");
    const std::string large = get(s, "/big");
    FACT(value(large, "Content-Type") == "application/octet-stream");
    FACT(body(large) == big);
    FACT(body(get(s, "/big", "Range: bytes=400000-600999\r\n")) == big.substr(400'000, 201'000));
    const std::string none = get(s, "/empty.html", "Range: bytes=0-\r\n");
    FACT(status(none) == 200);
    FACT(value(none, "Content-Length") == "0");
    const std::string head = get(s, "/big", "Range: bytes=0-1\r\n", "HEAD");
    FACT(status(head) == 200);  // RFC 9110 section 14.2: for GET only
    FACT(value(head, "Content-Length") == "900000");
    FACT(body(head).empty());
  });
}

TEST_CASE("a range is a part of the file", "[http][files][range]") {
  on_each_poller([] {
    const folder f;
    f.put("a.txt", "0123456789");
    plain_server s(http::file_server(f.path));
    const std::string one = get(s, "/a.txt", "Range: bytes=-3\r\n");
    FACT(status(one) == 206);
    FACT(value(one, "Content-Range") == "bytes 7-9/10");
    FACT(value(one, "Content-Length") == "3");
    FACT(body(one) == "789");
    const std::string out = get(s, "/a.txt", "Range: bytes=10-\r\n");
    FACT(status(out) == 416);
    FACT(value(out, "Content-Range") == "bytes */10");
    FACT(value(out, "ETag").empty());
    // One that is left of several is sent alone: RFC 9110 section 15.3.7.2.
    FACT(value(get(s, "/a.txt", "Range: bytes=1-1,30-\r\n"), "Content-Range") == "bytes 1-1/10");
    for (const char* ignored : {"bytes=x", "lines=0-1", "bytes=5-4", "bytes=0-,0-", "bytes=0-1\r\nRange: bytes=0-1"}) {
      const std::string whole = get(s, "/a.txt", fmt::format("Range: {}\r\n", ignored));
      FACT(status(whole) == 200);
      FACT(body(whole) == "0123456789");
    }
  });
}

TEST_CASE("several ranges are parts of one answer", "[http][files][range]") {
  on_each_poller([] {
    const folder f;
    f.put("a.txt", "0123456789");
    plain_server s(http::file_server(f.path));
    const std::string got = get(s, "/a.txt", "Range: bytes=8-, 0-2\r\n");
    FACT(status(got) == 206);
    FACT(value(got, "Content-Range").empty());
    const std::string type = value(got, "Content-Type"), prefix = "multipart/byteranges; boundary=";
    FACT(type.starts_with(prefix));
    const std::string line = "--" + type.substr(prefix.size());
    const std::string text = "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ";
    FACT(body(got) == line + text + "8-9/10\r\n\r\n89\r\n" + line + text + "0-2/10\r\n\r\n012\r\n" + line + "--\r\n");
    FACT(value(got, "Content-Length") == std::to_string(body(got).size()));
    FACT(value(get(s, "/a.txt", "Range: bytes=8-, 0-2\r\n"), "Content-Type") != type);
  });
}

TEST_CASE("conditions decide by tag first, then by date", "[http][files]") {
  on_each_poller([] {
    const folder f;
    f.put("a.txt", "0123456789");
    plain_server s(http::file_server(f.path));
    const std::string tag = value(get(s, "/a.txt"), "ETag");
    const auto answer = [&](std::string fields) {
      for (auto at = fields.find("TAG"); at != fields.npos; at = fields.find("TAG")) fields.replace(at, 3, tag);
      for (auto at = fields.find("THEN"); at != fields.npos; at = fields.find("THEN"))
        fields.replace(at, 4, "Sun, 09 Sep 2001 01:46:40 GMT");
      for (auto at = fields.find("EARLIER"); at != fields.npos; at = fields.find("EARLIER"))
        fields.replace(at, 7, "Sunday, 09-Sep-01 01:46:39 GMT");
      return get(s, "/a.txt", fields);
    };
    const std::pair<const char*, int> rows[] = {
        {"If-None-Match: TAG\r\n", 304},
        {"If-None-Match: W/TAG\r\n", 304},
        {"If-None-Match: \"x\", TAG\r\n", 304},
        {"If-None-Match: \"x\"\r\nIf-None-Match: TAG\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-None-Match:\r\n", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: THEN\r\n", 200},
        {"If-Modified-Since: THEN\r\n", 304},
        {"If-Modified-Since: EARLIER\r\n", 200},
        {"If-Modified-Since: yesterday\r\n", 200},
        {"If-Match: TAG\r\n", 200},
        {"If-Match: W/TAG\r\n", 412},
        {"If-Match: \"x\"\r\n", 412},
        {"If-Match: *\r\n", 200},
        {"If-Match: TAG\r\nIf-Unmodified-Since: EARLIER\r\n", 200},
        {"If-Unmodified-Since: EARLIER\r\n", 412},
        {"If-Unmodified-Since: THEN\r\n", 200},
        {"If-Match: TAG\r\nIf-None-Match: TAG\r\n", 304},
        {"Range: bytes=0-0\r\nIf-Range: TAG\r\n", 206},
        {"Range: bytes=0-0\r\nIf-Range: W/TAG\r\n", 200},
        {"Range: bytes=0-0\r\nIf-Range: \"x\"\r\n", 200},
        {"Range: bytes=0-0\r\nIf-Range: THEN\r\n", 206},
        {"Range: bytes=0-0\r\nIf-Range: EARLIER\r\n", 200},
        {"Range: bytes=0-0\r\nIf-Range: *\r\n", 200},
        {"Range: bytes=90-\r\nIf-None-Match: TAG\r\n", 304},
        {"Range: bytes=90-\r\nIf-Match: \"x\"\r\n", 412},
    };
    for (const auto& [fields, expected] : rows) {
      const std::string got = answer(fields);
      if (status(got) != expected) fmt::print(stderr, "{}: {}\n", fields, status(got));
      FACT(status(got) == expected);
      if (expected != 304) continue;
      FACT(value(got, "ETag") == tag);
      FACT(body(got).empty());
      FACT(value(got, "Content-Type").empty());
    }
  });
}

TEST_CASE("Last-Modified is never later than Date", "[http][files]") {
  in_world(2, [] {
    const folder f;
    f.put("new", "0123456789", std::time(nullptr) + 60);
    plain_server s(http::file_server(f.path));
    // Two clocks that differ by milliseconds give two seconds where a second begins.
    for (const time_point began = now(); now() - began < std::chrono::milliseconds(1100);) {
      const std::string got = get(s, "/new");
      FACT(value(got, "Last-Modified") <= value(got, "Date") ||
           value(got, "Last-Modified").substr(0, 3) != value(got, "Date").substr(0, 3));
    }
  });
  report_broken_fact();
}

TEST_CASE("a file that has just changed has a weak tag, and one without a time none", "[http][files]") {
  on_each_poller([] {
    const folder f;
    const std::time_t now = std::time(nullptr);
    f.put("new", "0123456789", now + 60);  // later than now as well, so it does not become old while this runs
    f.put("timeless", "0123456789", 0);
    plain_server s(http::file_server(f.path));
    const std::string fresh = get(s, "/new");
    FACT(value(fresh, "ETag").starts_with("W/\""));
    FACT(value(fresh, "Last-Modified") <= value(fresh, "Date") ||
         value(fresh, "Last-Modified").substr(0, 3) != value(fresh, "Date").substr(0, 3));
    FACT(status(get(s, "/new", "Range: bytes=0-0\r\nIf-Range: " + value(fresh, "ETag") + "\r\n")) == 200);
    FACT(status(get(s, "/new", "Range: bytes=0-0\r\nIf-Range: " + value(fresh, "Last-Modified") + "\r\n")) == 200);
    const std::string timeless = get(s, "/timeless", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT\r\n");
    FACT(status(timeless) == 200);
    FACT(value(timeless, "ETag").empty());
    FACT(value(timeless, "Last-Modified").empty());
  });
}

TEST_CASE("no path leads out of the root", "[http][files]") {
  on_each_poller([] {
    const folder f;
    f.put("secret", "secret");
    f.put("root/a.txt", "inside");
    f.put("root/sub/b.txt", "below");
    std::filesystem::create_symlink("../secret", f.path + "/root/out");
    std::filesystem::create_symlink(f.path + "/secret", f.path + "/root/absolute");
    std::filesystem::create_symlink("..", f.path + "/root/up");
    std::filesystem::create_symlink("sub/b.txt", f.path + "/root/in");
    std::filesystem::create_symlink("loop", f.path + "/root/loop");
    plain_server s(http::file_server(f.path + "/root"));
    for (const char* path :
         {"/../secret", "/sub/../../secret", "/%2e%2e/secret", "/%2E./secret", "/..%2fsecret", "/sub/..%2f..%2fsecret",
          "/out", "/absolute", "/up/secret", "//../secret", "/./../secret", "/..", "/loop", "/..\\secret",
          "/sub%2fb.txt", "/%2fetc/passwd", "/proc/self/root/etc/passwd", "/a.txt%00", "/sub/../.."}) {
      const std::string got = get(s, path);
      const int code = status(got);
      if (code != 403 && code != 404 && code != 400) fmt::print(stderr, "{}: {}\n", path, code);
      FACT((code == 403 || code == 404 || code == 400));
      FACT(!contains(got, "secret"));
      FACT(!contains(got, f.path));
    }
    FACT(body(get(s, "/sub/../a.txt")) == "inside");
    FACT(body(get(s, "//sub/./b%2etxt")) == "below");
    // A relative link within the root is followed where the kernel has openat2, and refused
    // elsewhere.
    const std::string in = get(s, "/in");
    FACT((body(in) == "below" || status(in) == 403));
  });
}

TEST_CASE("a directory is its index.html, with a slash, and is not listed", "[http][files]") {
  on_each_poller([] {
    const folder f;
    f.put("index.html", "home");
    f.put("a b/c.txt", "c");
    f.put("d/index.html/x", "");
    f.put(".hidden", "h");
    plain_server s(http::file_server(f.path));
    FACT(body(get(s, "/")) == "home");
    FACT(value(get(s, "/index.html?q=1"), "Location") == "./?q=1");
    const std::string slash = get(s, "/a%20b?q=1");
    FACT(status(slash) == 301);
    FACT(value(slash, "Location") == "./a%20b/?q=1");
    FACT(status(get(s, "/a%20b/")) == 403);
    FACT(!contains(get(s, "/a%20b/"), "c.txt"));
    FACT(value(get(s, "/a%20b/c.txt/"), "Location") == "../c.txt");
    FACT(status(get(s, "/d/")) == 403);  // its index.html is a directory
    FACT(status(get(s, "/no/such")) == 404);
    FACT(status(get(s, "/a%20b/c.txt/more")) == 404);
    FACT(status(get(s, "/" + std::string(300, 'n'))) == 404);
    FACT(body(get(s, "/.hidden")) == "h");
    const std::string host = get(s, "//evil.example/..");  // no redirect to another host
    FACT(!value(host, "Location").starts_with("//"));
  });
}

TEST_CASE("what is no regular file is refused, and nothing waits for it", "[http][files]") {
  on_each_poller([] {
    const folder f;
    FACT(mkfifo((f.path + "/pipe").c_str(), 0600) == 0);
    f.put("locked", "x");
    FACT(chmod((f.path + "/locked").c_str(), 0) == 0);
    plain_server s(http::file_server(f.path));
    FACT(status(get(s, "/pipe")) == 403);
    FACT(status(get(s, "/locked")) == (geteuid() == 0 ? 200 : 403));
    plain_server device([](auto& w, const auto& r) { http::serve_file(w, r, "/dev/null"); });
    FACT(status(get(device, "/")) == 403);
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "FOO"}) {
      const std::string got = get(s, "/pipe", "Content-Length: 0\r\n", method);
      FACT(status(got) == 405);
      FACT(value(got, "Allow") == "GET, HEAD");
    }
    FACT(status(get(s, "*", "", "OPTIONS")) == 405);
  });
}

TEST_CASE("serve_file sends the file that the handler names", "[http][files]") {
  on_each_poller([] {
    const folder f;
    f.put("page.html", "page");
    f.put("dir/index.html", "index");
    http::mux m;
    m.handle("GET /page", [&](auto& w, const auto& r) {
      w.set_header("Content-Type", "text/x").set_header("ETag", "\"mine\"").set_header("Cache-Control", "max-age=60");
      http::serve_file(w, r, f.path + "/" + r.query("name"));
    });
    m.handle("GET /dir/", [&](auto& w, const auto& r) { http::serve_file(w, r, f.path + "/dir"); });
    m.handle("GET /static/", http::strip_prefix("/static", http::file_server(f.path)));
    plain_server s(m);
    const std::string got = get(s, "/page?name=page.html");
    FACT(body(got) == "page");
    FACT(value(got, "Content-Type") == "text/x");
    FACT(value(got, "ETag") == "\"mine\"");
    FACT(status(get(s, "/page?name=page.html", "If-None-Match: \"mine\"\r\n")) == 304);
    const std::string missing = get(s, "/page?name=none");
    FACT(status(missing) == 404);
    FACT(value(missing, "Content-Type") == "text/plain; charset=utf-8");
    for (const char* of_the_file : {"ETag", "Cache-Control", "Last-Modified"})
      FACT(value(missing, of_the_file).empty());
    FACT(status(get(s, "/page?name=page.html%00.png")) == 404);
    FACT(body(get(s, "/dir/")) == "index");
    FACT(value(get(s, "/static/dir"), "Location") == "./dir/");
    FACT(body(get(s, "/static/dir/")) == "index");
    FACT(status(get(s, "/st%61tic/dir/")) == 404);
    plain_server direct([&](auto& w, const auto& r) { http::serve_file(w, r, f.path + "/page.html"); });
    FACT(status(get(direct, "/x/../y")) == 400);
    FACT(body(get(direct, "/x")) == "page");
  });
}

TEST_CASE("a file that is cut while it is sent ends the connection", "[http][files]") {
  on_each_poller([] {
    const folder f;
    f.put("a", std::string(100'000, 'x'));
    std::string logged, got;
    {
      plain_server s([&](auto& w, const auto& r) {
        const auto file = fs::open(f.path + "/a").unwrap();
        const auto info = file.stat().unwrap();
        FACT(truncate((f.path + "/a").c_str(), 50'000) == 0);
        http::detail::serve_content(w, r, file, info);
      });
      s.server.set_error_log([&](std::string_view text) { logged += text; });
      got = answer_to(s.place(), "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    FACT(value(got, "Content-Length") == "100000");
    FACT(body(got) == std::string(50'000, 'x'));  // and no second answer
    FACT(contains(logged, "50000 bytes of a Content-Length of 100000"));
  });
}

TEST_CASE("errors of files are statuses", "[http][files]") {
  const auto of = [](int e) { return http::detail::status_of({e, std::system_category()}); };
  for (const int e : {ENOENT, ENOTDIR, ENAMETOOLONG, EINVAL}) CHECK(of(e) == 404);
  for (const int e : {EACCES, EPERM, ELOOP, ENXIO}) CHECK(of(e) == 403);
  for (const int e : {EMFILE, ENFILE, ENOMEM, EAGAIN}) CHECK(of(e) == 503);
  for (const int e : {EIO, ESTALE}) CHECK(of(e) == 500);
}

TEST_CASE("a server without free descriptors answers 503", "[http][files]") {
  on_each_poller([] {
    const folder f;
    f.put("a", "x");
    plain_server s([&](auto& w, const auto& r) {
      rlimit old{};
      FACT(getrlimit(RLIMIT_NOFILE, &old) == 0);
      // To open all that are free is not enough: the monitor may close one in between.
      const rlimit none{.rlim_cur = 0, .rlim_max = old.rlim_max};
      FACT(setrlimit(RLIMIT_NOFILE, &none) == 0);
      http::serve_file(w, r, f.path + "/a");
      FACT(setrlimit(RLIMIT_NOFILE, &old) == 0);
    });
    FACT(status(get(s, "/")) == 503);
  });
}
