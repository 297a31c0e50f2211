// Starts a server, loads it from one thread, and reports the cost to the server.
//
//   load [-conns C] [-ms T] [-warm T] [-idle N] [-http] -- PROGRAM ARGUMENT...
//
// The server gets "-addr 127.0.0.1:PORT" after its arguments and is killed at the end. Each of C
// connections sends its request as soon as the last answer has arrived: 64 bytes that the server
// must send back, or GET / over HTTP/1.1. With -idle, N connections send one request and then stay
// silent: the report has the server's memory for each connection, and the CPU time while they are
// silent. Prints a line of JSON; the time of an operation is wall time divided by requests.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct settings {
  int conns = 64, ms = 1500, warm_ms = 500, idle = 0;
  bool http = false;
  std::vector<char*> server;
};

pid_t server_pid = 0;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "load: %s\n", why.c_str());
  if (server_pid > 0) kill(server_pid, SIGKILL);
  std::exit(1);
}

[[noreturn]] void misuse() {
  std::fprintf(stderr, "usage: load [-conns C] [-ms T] [-warm T] [-idle N] [-http] -- PROGRAM ARGUMENT...\n");
  std::exit(2);
}

settings command_line(int argc, char** argv) {
  settings s;
  int i = 1;
  for (; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "-http") {
      s.http = true;
      continue;
    }
    int* const to = flag == "-conns"  ? &s.conns
                    : flag == "-ms"   ? &s.ms
                    : flag == "-warm" ? &s.warm_ms
                    : flag == "-idle" ? &s.idle
                                      : nullptr;
    if (!to || ++i >= argc) misuse();
    char* end = nullptr;
    const long n = std::strtol(argv[i], &end, 10);
    if (*end || n < 0 || n > 1'000'000 || (n == 0 && to != &s.warm_ms)) misuse();
    *to = static_cast<int>(n);
  }
  s.server.assign(argv + std::min(i + 1, argc), argv + argc);
  if (s.server.empty()) misuse();
  return s;
}

// ---- the server

sockaddr_in at_loopback(int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

int free_port() {
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in a = at_loopback(0);
  socklen_t n = sizeof a;
  if (bind(s, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0 ||
      getsockname(s, reinterpret_cast<sockaddr*>(&a), &n) != 0)
    give_up("no port is free");
  close(s);
  return ntohs(a.sin_port);
}

void start(const settings& s, int port) {
  server_pid = fork();
  if (server_pid < 0) give_up("cannot fork");
  if (server_pid > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive a load that is killed
  std::string flag = "-addr", address = "127.0.0.1:" + std::to_string(port);
  std::vector<char*> argv = s.server;
  argv.insert(argv.end(), {flag.data(), address.data(), nullptr});
  if (const int nothing = open("/dev/null", O_RDWR); nothing >= 0) dup2(nothing, 1);
  execvp(argv[0], argv.data());
  std::fprintf(stderr, "load: cannot run %s: %s\n", argv[0], std::strerror(errno));
  _exit(127);
}

int try_to_connect(int port) {
  const int c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in a = at_loopback(port);
  if (c >= 0 && connect(c, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0) return c;
  if (c >= 0) close(c);
  return -1;
}

void wait_until_it_listens(int port) {
  const auto until = clock_type::now() + std::chrono::seconds(10);
  for (int c = -1; c < 0; std::this_thread::sleep_for(milliseconds(5))) {
    if (waitpid(server_pid, nullptr, WNOHANG) != 0) {
      server_pid = 0;
      give_up("the server has ended");
    }
    if (clock_type::now() > until) give_up("the server does not listen");
    c = try_to_connect(port);
    if (c >= 0) close(c);
  }
}

// CPU time of all threads of the process, including threads that have ended.
double cpu_seconds() {
  clockid_t its{};
  timespec t{};
  if (clock_getcpuclockid(server_pid, &its) != 0 || clock_gettime(its, &t) != 0) give_up("the server has ended");
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

double resident_bytes() {
  std::FILE* f = std::fopen(("/proc/" + std::to_string(server_pid) + "/statm").c_str(), "r");
  long size = 0, resident = 0;
  if (!f || std::fscanf(f, "%ld %ld", &size, &resident) != 2) give_up("the server has ended");
  std::fclose(f);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// ---- the clients

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct client {
  int fd = -1;
  std::size_t got = 0, wanted = 0;  // bytes of the answer; 0: not known yet
  char says = 'a';  // the byte that it has sent 64 times
  clock_type::time_point asked;
  std::string answer;
};

class crowd {
 public:
  crowd(const settings& s, int port) : http_(s.http), port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  void add(int n) {
    for (int i = 0; i < n; ++i) {
      client& c = all_.emplace_back();
      c.fd = try_to_connect(port_);
      if (c.fd < 0) give_up("connection " + std::to_string(all_.size()) + " fails: " + std::strerror(errno));
      const int one = 1;
      setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      const linger at_once{.l_onoff = 1, .l_linger = 0};  // no port waits for its late packets
      setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      fcntl(c.fd, F_SETFL, O_NONBLOCK);
      epoll_event e{};
      e.events = EPOLLIN;
      e.data.u64 = all_.size() - 1;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &e);
    }
  }
  ~crowd() {
    for (const client& c : all_) close(c.fd);
    close(epoll_);
  }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  void ask(client& c) {
    char text[64];
    std::string_view request = get;
    if (!http_) {
      c.says = c.says == 'z' ? 'a' : static_cast<char>(c.says + 1);
      std::memset(text, c.says, sizeof text);
      request = {text, sizeof text};
      c.wanted = sizeof text;
    }
    ++asked_;
    c.got = 0;
    c.answer.clear();
    c.asked = clock_type::now();
    if (send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      give_up(std::string("a request fails: ") + std::strerror(errno));
  }
  // All clients send one request, one after the other, and get an answer.
  void ask_one_by_one(std::size_t from) {
    for (std::size_t i = from; i < all_.size(); ++i) {
      ask(all_[i]);
      while (!hear(all_[i])) take_events(-1, [](client&) {});
    }
  }
  double asked() const { return static_cast<double>(asked_); }
  void ask_all() {
    for (client& c : all_) ask(c);
  }
  // Reads answers until then. Calls `each` for every complete answer; its client sends the next
  // request.
  template <class F>
  void serve_until(clock_type::time_point end, F each) {
    while (clock_type::now() < end)
      take_events(10, [&](client& c) {
        if (!hear(c)) return;
        each(clock_type::now() - c.asked);
        ask(c);
      });
  }

 private:
  template <class F>
  void take_events(int timeout_ms, F each) {
    epoll_event events[256];
    const int n = epoll_wait(epoll_, events, 256, timeout_ms);
    for (int i = 0; i < n; ++i) each(all_[events[i].data.u64]);
  }

  // Returns true if the answer is complete.
  bool hear(client& c) {
    char text[4096];
    const ssize_t n = recv(c.fd, text, sizeof text, 0);
    if (n == 0) give_up("the server closes a connection");
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR) give_up(std::string("an answer fails: ") + std::strerror(errno));
      return false;
    }
    if (http_) {
      if (c.got == 0 && (n < 12 || std::memcmp(text, "HTTP/1.1 200", 12) != 0)) give_up("an answer is not 200");
      if (c.wanted == 0) c.wanted = length_of(c.answer.append(text, static_cast<std::size_t>(n)));
    } else if (!std::all_of(text, text + n, [&](char b) { return b == c.says; })) {
      give_up("another's answer comes back");
    }
    c.got += static_cast<std::size_t>(n);
    if (c.wanted != 0 && c.got > c.wanted) give_up("an answer is too long");
    return c.got == c.wanted;
  }
  // 0: the head is not complete yet. All answers are as long as the first.
  static std::size_t length_of(std::string_view answer) {
    const auto end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    for (const char* name : {"\r\nContent-Length: ", "\r\ncontent-length: "})
      if (const auto at = answer.find(name); at < end)
        return end + 4 + std::strtoul(answer.data() + at + std::strlen(name), nullptr, 10);
    give_up("an answer has no Content-Length");
  }

  const bool http_;
  const int port_, epoll_;
  std::size_t asked_ = 0;
  std::vector<client> all_;
};

void allow_descriptors(int wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < static_cast<rlim_t>(wanted)) {
    limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(wanted));
    setrlimit(RLIMIT_NOFILE, &limit);  // the server inherits it
  }
}

void print(const settings& s, std::size_t ops, double seconds, const std::string& figures) {
  std::printf("{\"name\":\"%s\",\"rival\":\"load\",\"op\":\"request\",\"ops\":%zu,\"ns_per_op\":%.1f,\"ms\":%.1f%s}\n",
              s.http ? "http" : "echo", ops, seconds * 1e9 / static_cast<double>(std::max<std::size_t>(ops, 1)),
              seconds * 1e3, figures.c_str());
}

std::string figure(const char* name, double value) {
  char text[100];
  std::snprintf(text, sizeof text, ",\"%s\":%.3f", name, value);
  return text;
}

double seconds_of(clock_type::duration d) { return std::chrono::duration<double>(d).count(); }

void loaded(const settings& s, crowd& clients) {
  std::vector<float> us;
  us.reserve(1 << 20);
  clients.add(s.conns);
  clients.ask_all();
  clients.serve_until(clock_type::now() + milliseconds(s.warm_ms), [](clock_type::duration) {});
  const double cpu = cpu_seconds();
  const auto began = clock_type::now();
  clients.serve_until(began + milliseconds(s.ms),
                      [&](clock_type::duration d) { us.push_back(static_cast<float>(seconds_of(d) * 1e6)); });
  const double took = seconds_of(clock_type::now() - began), used = cpu_seconds() - cpu;
  if (us.empty()) give_up("no answer at all");
  std::sort(us.begin(), us.end());
  const auto at = [&](std::size_t permille) { return us[std::min(us.size() - 1, us.size() * permille / 1000)]; };
  print(s, us.size(), took,
        figure("cpu_us_per_request", used * 1e6 / static_cast<double>(us.size())) + figure("p50_us", at(500)) +
            figure("p99_us", at(990)) + figure("p999_us", at(999)) + figure("asked", clients.asked()));
}

void silent(const settings& s, crowd& clients) {
  clients.add(1);
  clients.ask_one_by_one(0);
  const double before = resident_bytes();
  const auto began = clock_type::now();
  clients.add(s.idle);
  clients.ask_one_by_one(1);
  const double took = seconds_of(clock_type::now() - began);
  std::this_thread::sleep_for(milliseconds(s.warm_ms));
  const double bytes = resident_bytes() - before, cpu = cpu_seconds();
  std::this_thread::sleep_for(milliseconds(s.ms));
  print(s, static_cast<std::size_t>(s.idle), took,
        figure("bytes_per_idle_conn", bytes / s.idle) + figure("cpu_us_per_s", (cpu_seconds() - cpu) * 1e9 / s.ms));
}

}  // namespace

int main(int argc, char** argv) {
  const settings s = command_line(argc, argv);
  allow_descriptors(std::max(s.idle, s.conns) + 100);
  const int port = free_port();
  start(s, port);
  wait_until_it_listens(port);
  {
    crowd clients(s, port);
    if (s.idle > 0) silent(s, clients);
    else loaded(s, clients);
  }
  kill(server_pid, SIGTERM);
  for (int i = 0; i < 200; ++i) {
    if (waitpid(server_pid, nullptr, WNOHANG) != 0) return 0;
    std::this_thread::sleep_for(milliseconds(5));
  }
  kill(server_pid, SIGKILL);
  return 0;
}
