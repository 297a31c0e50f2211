// A kernel that fails as a busy network makes it fail, and a name with two addresses: calls of the
// C library's that return here what a scenario asks for.
#include <weft/weft.h>

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

using namespace weft;
using namespace std::chrono_literals;

namespace {

constexpr int aborted[] = {ECONNABORTED, EPROTO, ECONNRESET};
std::atomic<std::size_t> next{std::size(aborted)};
std::atomic<bool> full{false};

constexpr const char* two_families = "two.families.test";
constexpr const char* swallows = "swallows.test";  // 127.0.0.2, then 127.0.0.1
constexpr const char* hangs = "hangs";  // as long as `hanging`
std::atomic<bool> hanging{true};
std::atomic<int> lookups{0}, lookups_now{0}, most_lookups{0};

int hang() {
  ++lookups;
  const int n = ++lookups_now;
  for (int most = most_lookups; most < n && !most_lookups.compare_exchange_weak(most, n);) {
  }
  while (hanging) usleep(1000);
  --lookups_now;
  return EAI_NONAME;
}

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
  if (!host || (hints && hints->ai_flags & AI_NUMERICHOST)) return real(host, port, hints, found);
  if (std::strncmp(host, hangs, std::strlen(hangs)) == 0) return hang();
  const bool both = std::strcmp(host, two_families) == 0;
  if (!both && std::strcmp(host, swallows) != 0) return real(host, port, hints, found);
  if (const int e = real(both ? "::1" : "127.0.0.2", port, hints, found)) return e;
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

// Both families connect at the same time, again and again: whichever loses is closed.
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

int listen_at_name() {
  for (const char* network : {"tcp", "udp"}) {
    const std::string at = std::string(two_families) + ":0";
    if (*network == 't') std::puts(net::listen(network, at).unwrap().addr().host().c_str());
    else std::puts(net::listen_packet(network, at).unwrap().local_addr().host().c_str());
  }
  return 0;
}

// 127.0.0.2 takes one connection and then no packet any more.
int swallow() {
  auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  sockaddr_in other{};
  other.sin_family = AF_INET;
  other.sin_port = htons(static_cast<std::uint16_t>(l.addr().port()));
  other.sin_addr.s_addr = htonl(0x7f000002);
  const auto* at = reinterpret_cast<const sockaddr*>(&other);
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(s, at, sizeof other) != 0 || listen(s, 0) != 0) return 1;
  for (int i = 0; i < 4; ++i) connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), at, sizeof other);
  const std::string name = std::string(swallows) + ":" + std::to_string(l.addr().port());
  net::dialer d{.timeout = 4500ms};
  std::printf("by a timeout: %s\n", d.dial("tcp", name).unwrap().remote_addr().host().c_str());
  auto [ctx, cancel] = with_timeout(background(), 4500ms);
  std::printf("by a context: %s\n", net::dial(ctx, "tcp", name).unwrap().remote_addr().host().c_str());
  return 0;
}

int threads_of_process() {
  int n = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) n += task.path().empty() ? 0 : 1;
  return n;
}

int many_lookups() {
  std::atomic<int> failed{0};
  wait_group all;
  for (int i = 0; i < 400; ++i)
    all.go([&, i] {
      auto [ctx, cancel] = with_timeout(background(), 300ms);
      failed += net::dial(ctx, "tcp", hangs + std::to_string(i) + ".test:80").err == errc::deadline_exceeded;
    });
  all.wait();
  std::printf("%d dials have timed out\n", failed.load());
  std::printf("at most %d lookups at a time\n", most_lookups.load());
  std::printf("at most %d threads\n", std::max(200, threads_of_process()));
  hanging = false;
  return 0;
}

int share_a_lookup() {
  std::atomic<int> asking{0}, answers{0};
  wait_group all;
  for (int i = 0; i < 50; ++i)
    all.go([&] {
      ++asking;
      answers += net::lookup_host(hangs).err.value() == EAI_NONAME;
    });
  while (asking < 50) sleep(1ms);
  sleep(50ms);
  hanging = false;
  all.wait();
  std::printf("%d answers, %d lookup\n", answers.load(), lookups.load());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "race") == 0) return run(race);
  const std::pair<const char*, int (*)()> others[] = {
      {"listen", listen_at_name}, {"swallow", swallow}, {"lookups", many_lookups}, {"share", share_a_lookup}};
  for (const auto& [name, f] : others)
    if (argc > 1 && std::strcmp(argv[1], name) == 0) return run({.maxprocs = 4}, f);
  return run(fail_to_accept);
}
