// Serves the files of a directory:  file_server DIRECTORY [ADDRESS]
//
// file_server() keeps every path below the directory. compressed() and logged() wrap any handler.
#include "lessons/services/run_until_signal.h"

using namespace weft;

namespace {

// One line for each request, after its answer.
http::handler logged(http::handler h) {
  return [h = std::move(h)](http::response_writer& w, const http::request& r) {
    h(w, r);
    std::printf("%s %s: %d, %llu bytes\n", std::string(r.method()).c_str(), std::string(r.raw_path()).c_str(),
                w.status(), static_cast<unsigned long long>(w.bytes_written()));
    std::fflush(stdout);
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: file_server DIRECTORY [ADDRESS]\n");
    return 2;
  }
  return run([&] {
    return services::run_until_signal(argc > 2 ? argv[2] : "127.0.0.1:8080",
                                      logged(http::compressed(http::file_server(argv[1]))));
  });
}
