// A kernel that fails as a busy network makes it fail, and a name with two addresses: calls of the C library's that say
// here what they are told.
#include <weft/weft.h>

#include <dlfcn.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>

using namespace weft;
using namespace std::chrono_literals;

namespace {

constexpr int aborted[] = {ECONNABORTED, EPROTO, ECONNRESET};
std::atomic<std::size_t> next{std::size(aborted)};
std::atomic<bool> full{false};

constexpr const char* two_families = "two.families.test";

}  // namespace

extern "C" {

int accept4(int s, sockaddr* at, socklen_t* n, int flags) {
  if (const std::size_t i = next.load(); i < std::size(aborted)) {
    ++next;
    errno = aborted[i];
    return -1;
  }
  if (full) {
    errno = EMFILE;
    return -1;
  }
  return static_cast<int>(syscall(SYS_accept4, s, at, n, flags));
}

int getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) {
  using call = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const call real = reinterpret_cast<call>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!host || std::strcmp(host, two_families) != 0) return real(host, port, hints, found);
  if (const int e = real("::1", port, hints, found)) return e;
  addrinfo* last = *found;
  while (last->ai_next) last = last->ai_next;
  return real("127.0.0.1", port, hints, &last->ai_next);
}
}

namespace {

void fail_to_accept() {
  auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  auto c = net::dial("tcp", l.addr().to_string()).unwrap();
  next = 0;
  if (!l.accept().err) std::printf("accepted after %zu failures\n", next.load());
  full = true;
  std::puts(l.accept().err.message().c_str());
}

bool is_closed(const net::conn& c) {
  std::byte buf[1];
  const std::error_code e = c.read(buf).err;
  return e == errc::eof || e == std::errc::connection_reset;
}

// Both families connect at once, again and again: whichever loses is closed.
int race() {
  auto l = net::listen("tcp", ":0").unwrap();
  const std::string port = std::to_string(l.addr().port());
  if (net::dial("tcp", "[::1]:" + port).err) return 77;
  if (!l.accept().value) return 1;
  net::dialer d;
  d.fallback_delay = 0ms;
  int losers = 0;
  for (int i = 0; i < 50; ++i) {
    auto c = d.dial("tcp", std::string(two_families) + ":" + port).unwrap();
    bool won = false;
    while (!won) {  // the loser may come first, or not have got so far
      auto served = l.accept().unwrap();
      won = served.remote_addr().to_string() == c.local_addr().to_string();
      if (won) continue;
      ++losers;
      if (!is_closed(served)) return 1;
    }
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    if (auto late = l.accept(ctx)) {
      ++losers;
      if (!is_closed(late.value)) return 1;
    }
  }
  std::puts(losers > 0 ? "all losers are closed" : "nobody has lost");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "race") == 0) return run(race);
  return run(fail_to_accept);
}
