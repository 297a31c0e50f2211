// How much stack common calls need, measured: the table of docs/stacks.md. Prints one row a call;
// with --check FILE fails where a call needs more than the row of that file says. With --guards:
// what guards cost, by their size.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/weft.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sched/g.h"
#include "sched/stack_marks.h"
#include "tests/net/tls_certificates.h"

using namespace weft;
using namespace weft::testing;

namespace {

struct row {
  const char* what;
  std::function<void()> call;
};

void match(std::size_t n) {
  const std::string text(n, 'x');
  static const std::regex pattern("(x|y)*");
  if (!std::regex_match(text, pattern)) std::abort();
}

void look_up(const char* name) {
  addrinfo* found = nullptr;
  if (getaddrinfo(name, "80", nullptr, &found) == 0) freeaddrinfo(found);
}

void print_a_double() {
  volatile double x = 1.0 / 3;
  char text[64];
  std::snprintf(text, sizeof text, "%.17g %f", x, 1e300 * x);
}

void handshake(bool as_server) {
  const certificates& c = certificates::all();
  auto l = tls::listen("tcp", "127.0.0.1:0", c.for_server()).unwrap();
  const std::string at = l.addr().to_string();
  const auto serve = [&l] { (void)l.accept().unwrap().handshake(); };
  const auto dial = [at, &c] {
    auto how = c.for_client();
    (void)tls::dial("tcp", at, how).unwrap();
  };
  wait_group other;
  const auto elsewhere = [&other](std::function<void()> f) {
    other.add(1);
    go(fiber_options{.stack_size = 8 << 20}, [&other, f] {
      f();
      other.done();
    });
  };
  if (as_server) {
    elsewhere(dial);
    serve();
  } else {
    elsewhere(serve);
    dial();
  }
  other.wait();
}

void catch_one() {
  try {
    throw std::runtime_error("x");
  } catch (const std::exception&) {
  }
}

const std::vector<row> rows = {
    {"nothing", [] {}},
    {"a receive that parks", [] { sleep(std::chrono::milliseconds(1)); }},
    {"an exception, thrown and caught", catch_one},
    {"snprintf of a double", print_a_double},
    {"ostringstream and a double", [] { (void)(std::ostringstream() << 1.5).str(); }},
    {"std::filesystem::directory_iterator",
     [] {
       for (const auto& e : std::filesystem::directory_iterator("/")) (void)e;
     }},
    {"std::regex, compiled", [] { const std::regex r("([a-z]+)@([a-z]+)\\.(com|org)"); }},
    {"std::regex_match, 100 characters", [] { match(100); }},
    {"std::regex_match, 400 characters", [] { match(400); }},
    {"std::regex_match, 1000 characters", [] { match(1000); }},
    {"std::regex_match, 10000 characters", [] { match(10'000); }},
    {"getaddrinfo(\"localhost\")", [] { look_up("localhost"); }},
    {"getaddrinfo of a name that a server must know", [] { look_up("name.invalid"); }},
    {"net::dial of a name", [] { (void)net::dial("tcp", "localhost:1"); }},
    {"TLS handshake, client", [] { handshake(false); }},
    {"TLS handshake, server", [] { handshake(true); }},
    {"dump_fibers", [] { dump_fibers(stderr); }},
};

// Each on a stack that no other has used: the sizes differ by a page.
std::map<std::string, std::size_t> measure() {
  std::map<std::string, std::size_t> used;
  certificates::all();
  run([&] {
    std::size_t size = 64 << 20;
    for (const row& r : rows) {
      wait_group one;
      one.add(1);
      go(fiber_options{.stack_size = size += 4096}, [&] {
        r.call();
        used[r.what] = detail::touched(detail::self()->where);
        one.done();
      });
      one.wait();
    }
  });
  return used;
}

// "| CALL | KIB |"
std::map<std::string, std::size_t> documented(const char* path) {
  std::map<std::string, std::size_t> kib;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto bar = line.rfind(" | ");
    if (line.size() < 8 || line.compare(0, 2, "| ") != 0 || bar < 3 || bar == std::string::npos) continue;
    if (const std::size_t n = std::strtoul(line.c_str() + bar + 3, nullptr, 10)) kib[line.substr(2, bar - 2)] = n;
  }
  return kib;
}

// In a kernel without MADV_GUARD_INSTALL, as far as this process sees.
void refuse_guard_install() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) std::abort();
}

long page_table_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmPTE:") {
      long kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

long mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
}

// Takes many stacks and touches the top page of each, as a parked fiber does.
void measure_guard(std::size_t kib, const char* how) {
  constexpr int n = 10'000;
  const long tables = page_table_kib(), mapped = mappings();
  detail::stack_arena arena(256 << 10, kib << 10);
  const time_point begin = now();
  for (int i = 0; i < n; ++i) *static_cast<volatile std::byte*>(arena.take().top() - 1) = std::byte{1};
  const auto took = now() - begin;
  std::printf("| %zu KiB, %s | %.0f | %ld | %.2f |\n", kib, how,
              static_cast<double>(page_table_kib() - tables) * 1024 / n, mappings() - mapped,
              static_cast<double>(took.count()) / 1000 / n);
  std::fflush(stdout);
}

int measure_guards() {
  for (const bool by_mprotect : {false, true})
    for (const std::size_t kib : {4, 64, 256, 1024}) {
      const pid_t child = fork();
      if (child == 0) {
        if (by_mprotect) refuse_guard_install();
        measure_guard(kib, by_mprotect ? "mprotect" : "MADV_GUARD_INSTALL");
        _exit(0);
      }
      waitpid(child, nullptr, 0);
    }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--guards") == 0) return measure_guards();
  const auto used = measure();
  const auto said = argc == 3 && std::strcmp(argv[1], "--check") == 0 ? documented(argv[2]) : decltype(used)();
  int wrong = 0;
  for (const row& r : rows) {
    const std::size_t kib = used.at(r.what) / 1024;
    std::printf("| %s | %zu |\n", r.what, kib);
    if (argc != 3) continue;
    const auto at = said.find(r.what);
    if (at != said.end() && kib <= at->second) continue;
    std::fprintf(stderr, "%s needs %zu KiB; the page says %zu\n", r.what, kib, at == said.end() ? 0 : at->second);
    wrong = 1;
  }
  return wrong;
}
