// A client that other programs drive, line by line:
//
//   METHOD TAB URL TAB FIELD: VALUE|FIELD: VALUE TAB BODY      sends a request; BODY "#N": N bytes
//   (empty)                                                    makes a new client
//
// Prints for each request "STATUS BODY" with "~" for CR and LF, "STATUS #N" for a body of more than
// 100 bytes, or "error: WORDS".
#include <weft/weft.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

namespace {

std::string take(std::string& rest, char end) {
  const auto at = rest.find(end);
  std::string part = rest.substr(0, at);
  rest.erase(0, at == rest.npos ? at : at + 1);
  return part;
}

weft::http::client_request request_of(std::string line) {
  weft::http::client_request r;
  r.method = take(line, '\t');
  r.url = take(line, '\t');
  for (std::string fields = take(line, '\t'); !fields.empty();) {
    std::string value = take(fields, '|');
    std::string name = take(value, ':');
    r.headers.emplace_back(std::move(name), value.substr(1));
  }
  r.body = line.starts_with('#') ? std::string(std::stoul(line.substr(1)), 'x') : line;
  return r;
}

}  // namespace

int main() {
  return weft::run([] {
    using namespace std::chrono_literals;
    const auto made = [] {
      weft::http::client c;
      weft::http::client_limits l;
      l.total_time = 10s;
      return c.set_limits(l);
    };
    weft::http::client c = made();
    std::string line;
    while (weft::blocking([&] { return static_cast<bool>(std::getline(std::cin, line)); })) {
      if (line.empty()) {
        c = made();
        continue;
      }
      auto [answer, err] = c.send(weft::background(), request_of(line));
      for (char& b : answer.body)
        if (b == '\r' || b == '\n') b = '~';
      if (err) std::printf("error: %s\n", err.message().c_str());
      else if (answer.body.size() > 100) std::printf("%d #%zu\n", answer.status, answer.body.size());
      else std::printf("%d %s\n", answer.status, answer.body.c_str());
      std::fflush(stdout);
    }
    return 0;
  });
}
