// Does a little of everything while fault_shim.cc makes calls fail. Each result is right, or an
// error: then it is tried again. Prints "done" when everything has succeeded once, and what was
// wrong otherwise.
#include <weft/weft.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using namespace weft;
using namespace std::chrono_literals;

namespace {

void wrong(const char* what) {
  std::printf("wrong: %s\n", what);
  std::fflush(stdout);
  _exit(1);
}

constexpr std::size_t size = 200'000;

std::string pattern(int seed) {
  std::string all(size, '\0');
  for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<char>(i * 31 + static_cast<std::size_t>(seed));
  return all;
}

// Sends all and gets it back. False: an error, but not a wrong byte.
bool echo_once(const net::conn& a, const net::conn& b, int seed) {
  const std::string sent = pattern(seed);
  wait_group writer;
  writer.go([&] {
    if (a.write(sent).err) (void)a.close();
    else (void)a.close_write();
  });
  std::string got;
  std::error_code err;
  for (;;) {
    auto r = b.receive();
    err = r.err;
    if (err) break;
    got += r.value.text();
  }
  (void)b.close();
  writer.wait();
  if (got.compare(0, got.size(), sent, 0, got.size()) != 0) wrong("a byte of a connection");
  if (err == errc::eof && got.size() == size) return true;
  return false;
}

bool over(const char* network, const std::string& address, int seed) {
  auto l = net::listen(network, address);
  if (l.err) return false;
  auto accepted = make_chan<result<net::conn>>(1);
  go([l = l.value, accepted] { accepted.send(l.accept()); });
  auto c = net::dial_timeout(network, l.value.addr().to_string(), 10s);
  if (c.err) {
    (void)l.value.close();
    (void)accepted.recv();
    return false;
  }
  auto served = *accepted.recv();
  return !served.err && echo_once(c.value, served.value, seed);
}

bool files(const std::string& dir) {
  const std::string path = dir + "/file", text = pattern(3);
  if (fs::write_file(path, text)) return false;
  auto back = fs::read_file(path);
  if (back.err) return false;
  if (back.value != text) wrong("a file");
  return !fs::stat(path).err && !fs::read_dir(dir).err && !fs::remove(path);
}

bool child() {
  os::command c("cat");
  c.input = "to a child";
  const auto [f, err] = c.output();
  if (!err && f.status.success() && f.out != "to a child") wrong("a child's output");
  return !err && f.status.success();
}

bool datagrams() {
  auto a = net::listen_packet("udp", "127.0.0.1:0"), b = net::listen_packet("udp", "127.0.0.1:0");
  if (a.err || b.err) return false;
  if (a.value.write_to(std::as_bytes(std::span("ping", 4)), b.value.local_addr()).err) return false;
  std::byte buf[8];
  const auto got = b.value.read_from(buf);
  if (!got.err && got.value.n != 4) wrong("a datagram");
  return !got.err;
}

bool plain_thread() {
  bool fine = false;
  std::error_code none;
  blocking([&] {
    try {
      std::thread([&] {
        auto [r, err] = os::pipe();
        if (err) return;
        (void)r.reader.set_read_deadline(now() + 5ms);
        std::byte buf[1];
        const std::error_code e = r.reader.read(buf).err;
        fine = e == errc::timeout;
      }).join();
    } catch (const std::system_error& e) {
      none = e.code();
    }
  });
  return fine && !none;
}

bool signals() {
  const auto come = make_chan<int>(1);
  try {
    os::signal_notify(come, {SIGUSR1});
  } catch (const std::system_error&) {
    return false;
  }
  raise(SIGUSR1);
  const bool has_come = come.recv_for(10s).has_value();
  os::signal_stop(come);
  if (!has_come) wrong("a signal is lost");
  return true;
}

template <class F>
void until_done(const char* what, F f) {
  for (int i = 0; i < 200; ++i)
    if (f()) return;
  wrong(what);
}

int victim() {
  char dir[] = "/tmp/weft-victim-XXXXXX";
  if (!mkdtemp(dir)) return 2;
  until_done("tcp never worked", [] { return over("tcp", "127.0.0.1:0", 1); });
  until_done("unix never worked", [&] { return over("unix", std::string(dir) + "/socket", 2); });
  until_done("datagrams never worked", datagrams);
  until_done("files never worked", [&] { return files(dir); });
  until_done("children never worked", child);
  until_done("a plain thread never worked", plain_thread);
  until_done("signals never worked", signals);
  rmdir(dir);
  std::puts("done");
  return 0;
}

}  // namespace

int main() {
  unsetenv("LD_PRELOAD");  // children have no faults
  return run(options{.maxprocs = 2}, victim);
}
