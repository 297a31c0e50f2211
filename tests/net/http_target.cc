// A server as a target for other programs: answers 200 to whatever reaches its handler, or sends
// the files of the directory that its argument names. Prints its port, and serves until its input
// ends.
#include <weft/weft.h>

#include <cstdio>

int main(int argc, char** argv) {
  return weft::run([&] {
    auto l = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
    weft::http::handler h = [](auto& w, const auto& r) {
      (void)r.body();
      (void)w.write("ok");
    };
    if (argc > 1) h = weft::http::file_server(argv[1]);
    weft::http::server s("", h);
    weft::go([&] { (void)s.serve(l); });
    const std::string place = l.addr().to_string();
    std::printf("%s\n", place.substr(place.rfind(':') + 1).c_str());
    std::fflush(stdout);
    weft::blocking([] {
      while (std::getchar() != EOF) {
      }
    });
    (void)s.close();
    return 0;
  });
}
