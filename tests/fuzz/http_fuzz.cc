// Whatever bytes a client sends, the server answers or closes, and is then as good as new:
// libFuzzer's target for the path of a request. `./tools/dev fuzz` builds and runs it.
//
// An input is what one client writes before it closes its half. Each has a world and a server of
// its own, so that a fiber or a descriptor that is left behind is this input's doing.
#include <unistd.h>
#include <weft/weft.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/descriptors.h"

namespace {

using namespace std::chrono_literals;

// Looks at all that a handler can see of a request.
void look_around(weft::http::response_writer& w, const weft::http::request& r) {
  std::size_t seen = r.method().size() + r.path().size() + r.target().size() + r.body().size();
  for (const char* name : {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect"})
    seen += r.header(name).size();
  for (const char* name : {"q", "x", ""}) seen += r.query(name).size();
  if (r.path() == "/throws") throw std::runtime_error("asked to");
  w.set_header("X-Seen", std::to_string(seen));
  (void)w.write(r.body());
}

void must(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void serve_one(std::span<const std::byte> input) {
  auto l = weft::net::listen("unix", "@weft-fuzz-" + std::to_string(getpid())).unwrap();
  weft::http::limits few;
  few.max_header = 4 << 10;
  few.max_body = 4 << 10;
  weft::http::server server("", look_around, few);
  weft::wait_group serving;
  serving.go([&] { (void)server.serve(l); });
  {
    auto c = weft::net::dial("unix", l.addr().to_string()).unwrap();
    c.set_deadline(weft::now() + 20s);
    (void)c.write(input).err;
    (void)c.close_write();
    std::byte answer[4096];
    auto got = c.read(answer);
    while (!got.err) got = c.read(answer);
    must(got.err != weft::errc::timeout, "the server neither answers nor closes");
  }
  must(!server.close(), "the server closes");
  serving.wait();
  must(weft::num_fibers() == 1, "no fiber is left");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  setenv("WEFT_POLLER", "epoll", 0);  // a ring for each input costs more than all the rest
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::size_t before = (weft::run([] { serve_one({}); }), weft::testing::open_descriptors());
  weft::run(weft::options{.maxprocs = 1}, [=] { serve_one(std::as_bytes(std::span(data, size))); });
  must(weft::testing::open_descriptors() == before, "no descriptor is left");
  return 0;
}
