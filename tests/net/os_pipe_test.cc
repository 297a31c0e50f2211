// Pipes of the system, and what else is no regular file.
#include <weft/fs.h>
#include <weft/os.h>

#include "tests/net/on_each_poller.h"
#include "tests/support/temp_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <filesystem>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

std::size_t entries_of(const char* dir) {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(dir)) ++n;
  return n;
}

void set_blocking(const fs::file& f) { fcntl(f.fd(), F_SETFL, fcntl(f.fd(), F_GETFL) & ~O_NONBLOCK); }

}  // namespace

TEST_CASE("a pipe of the system carries bytes, and its end is seen when the last writer is closed", "[fs][FIL-03]") {
  on_each_poller([] {
    const hang_guard guard("end of a pipe");
    auto [reader, writer] = os::pipe().unwrap();
    wait_group all;
    all.go([writer = std::move(writer)]() mutable {
      sleep(1ms);
      FACT(writer.write("hello").value == 5);
      const fs::file second = writer;
      writer = {};
      sleep(1ms);
      FACT(second.write(" world").value == 6);
    });
    std::string got;
    std::byte buf[4];
    for (;;) {
      const auto [n, err] = reader.read(buf);
      if (err) {
        FACT(err == errc::eof);
        break;
      }
      got.append(reinterpret_cast<const char*>(buf), n);
    }
    FACT(got == "hello world");
    all.wait();
  });
}

TEST_CASE("no child process inherits a pipe", "[fs]") {
  const auto [ends, err] = os::pipe();
  REQUIRE(!err);
  CHECK((fcntl(ends.reader.fd(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(ends.writer.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a write larger than the pipe waits for the reader, and writes of several are not mixed", "[fs]") {
  on_each_poller([] {
    const hang_guard guard("writes to a pipe");
    auto [reader, writer] = os::pipe().unwrap();
    constexpr std::size_t size = 200'000;
    wait_group all;
    for (char c : {'a', 'b', 'c'}) all.go([c, w = writer] { FACT(w.write(std::string(size, c)).value == size); });
    writer = {};
    std::string got;
    std::vector<std::byte> buf(7000);
    while (auto r = reader.read(buf)) got.append(reinterpret_cast<const char*>(buf.data()), r.value);
    all.wait();
    REQUIRE(got.size() == 3 * size);
    for (std::size_t i = 0; i < 3; ++i)
      FACT(got.substr(i * size, size).find_first_not_of(got[i * size]) == std::string::npos);
  });
}

TEST_CASE("a write to a pipe that nobody reads is an error and no signal", "[fs]") {
  struct sigaction usual {
  }, before{};
  usual.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &usual, &before);
  on_each_poller([] {
    auto [reader, writer] = os::pipe().unwrap();
    FACT(!reader.close());
    FACT(writer.write("x").err == std::errc::broken_pipe);
    auto [reader2, writer2] = os::pipe().unwrap();
    wait_group all;
    all.go([w = writer2] { FACT(w.write(std::string(1 << 20, 'x')).err == std::errc::broken_pipe); });
    sleep(1ms);
    FACT(!reader2.close());
    all.wait();
    blocking([w = writer] { FACT(w.write("x").err == std::errc::broken_pipe); });
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    FACT(sigismember(&mask, SIGPIPE) == 0);
  });
  sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("closing a pipe ends the reads and writes that wait, also in blocking mode", "[fs][FIL-01]") {
  on_each_poller([] {
    const hang_guard guard("closing a pipe");
    for (const bool blocks : {false, true}) {
      auto [reader, writer] = os::pipe().unwrap();
      if (blocks) {
        set_blocking(reader);
        set_blocking(writer);
      }
      wait_group reading, writing;
      reading.go([r = reader] {
        std::byte buf[8];
        FACT(r.read(buf).err == errc::closed);
      });
      sleep(1ms);
      FACT(!reader.close());
      reading.wait();
      auto [reader2, writer2] = os::pipe().unwrap();
      if (blocks) set_blocking(writer2);
      writing.go([w = writer2] { FACT(w.write(std::string(1 << 20, 'x')).err == errc::closed); });
      sleep(1ms);
      FACT(!writer2.close());
      writing.wait();
      std::byte buf[8];
      FACT(reader.read(buf).err == errc::closed);
      FACT(writer2.write("x").err == errc::closed);
    }
  });
}

TEST_CASE("close against a read and a write of a pipe", "[fs][FIL-01]") {
  on_each_poller([] {
    const hang_guard guard("close against pipe");
    for (int i = 0; i < scaled(100) + 1; ++i) {
      auto [reader, writer] = os::pipe().unwrap();
      wait_group all;
      all.go([r = reader] {
        std::byte buf[8];
        const std::error_code e = r.read(buf).err;  // what was written before, the end, or the close
        FACT(!e || e == errc::eof || e == errc::closed);
      });
      all.go([w = writer] {
        const std::error_code e = w.write(std::string(1 << 18, 'x')).err;
        FACT(e == errc::closed || e == std::errc::broken_pipe);
      });
      if (i % 2) yield();
      FACT(!writer.close());
      FACT(!reader.close());
      all.wait();
    }
  });
}

TEST_CASE("deadlines of a pipe are a connection's", "[fs][FIL-02]") {
  on_each_poller([] {
    const hang_guard guard("deadlines of a pipe");
    auto [reader, writer] = os::pipe().unwrap();
    std::byte buf[8];
    FACT(!reader.set_read_deadline(weft::now() + 2ms));
    FACT(reader.read(buf).err == errc::timeout);
    FACT(reader.read(buf).err == std::errc::timed_out);
    FACT(writer.write("x").value == 1);
    FACT(reader.read(buf).err == errc::timeout);  // passed, and beats the data
    FACT(!reader.set_deadline());
    FACT(reader.read(buf).value == 1);
    wait_group writing;
    writing.go([w = writer] {
      const auto [n, err] = w.write(std::string(1 << 20, 'x'));
      FACT(err == errc::timeout);
      FACT(n > 0);
      FACT(n < 1 << 20);
    });
    for (int there = 0; there == 0; sleep(1ms)) ioctl(reader.fd(), FIONREAD, &there);
    FACT(!writer.set_write_deadline(weft::now() + 2ms));
    writing.wait();
    FACT(writer.write("x").err == errc::timeout);
    auto [reader2, writer2] = os::pipe().unwrap();
    wait_group all;
    all.go([r = reader2] {
      std::byte own[8];
      FACT(r.read(own).err == errc::timeout);
    });
    sleep(1ms);
    FACT(!reader2.set_deadline(weft::now() - 1s));
    all.wait();
    FACT(!reader2.close());
    FACT(reader2.set_deadline() == errc::closed);
  });
}

TEST_CASE("a regular file says that it knows no deadline", "[fs][FIL-02]") {
  temp_tree tree;
  on_each_poller([&] {
    auto f = fs::create(tree.root() + "/file").unwrap();
    FACT(f.set_deadline(weft::now() - 1s) == std::errc::operation_not_supported);
    FACT(f.set_read_deadline() == std::errc::operation_not_supported);
    FACT(f.set_write_deadline() == std::errc::operation_not_supported);
    FACT(f.write("still").value == 5);
  });
}

TEST_CASE("a context ends the wait for a pipe and nothing is lost by it", "[fs]") {
  on_each_poller([] {
    const hang_guard guard("context of a pipe");
    auto [reader, writer] = os::pipe().unwrap();
    std::byte buf[8];
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(reader.read(ctx, buf).err == errc::deadline_exceeded);
    FACT(writer.write(ctx, bytes("x")).err == errc::deadline_exceeded);
    FACT(writer.write("y").value == 1);
    FACT(reader.read(background(), buf).value == 1);
    FACT(buf[0] == std::byte{'y'});
    auto [soon, cancel2] = with_timeout(background(), 2ms);
    const std::string much(1 << 20, 'x');
    const auto [n, err] = writer.write(soon, bytes(much));
    FACT(err == errc::deadline_exceeded);
    FACT(n < much.size());
  });
}

TEST_CASE("a hundred fibers that wait for a hundred pipes hold no hundred threads", "[fs][GO-41]") {
  on_each_poller([] {
    const hang_guard guard("threads of pipes");
    constexpr std::size_t count = 100;
    std::vector<os::pipe_ends> pipes;
    for (std::size_t i = 0; i < count; ++i) pipes.push_back(os::pipe().unwrap());
    wait_group all;
    std::atomic<std::size_t> got{0};
    for (const os::pipe_ends& p : pipes)
      all.go([&, r = p.reader] {
        std::byte buf[8];
        if (r.read(buf).value == 1) ++got;
      });
    sleep(5ms);
    FACT(stats().threads < count);
    FACT(entries_of("/proc/self/task") < count);  // those of the kernel's among them
    for (const os::pipe_ends& p : pipes) FACT(p.writer.write("x").value == 1);
    all.wait();
    FACT(got == count);
  });
}

TEST_CASE("special files are read by hundreds at a time without an error", "[fs][FIL-05]") {
  on_each_poller([] {
    const hang_guard guard("special files");
    wait_group all;
    for (int i = 0; i < 400; ++i)
      all.go([i] {
        auto [f, err] = fs::open(i % 2 ? "/dev/null" : "/proc/stat");
        FACT(!err);
        std::vector<std::byte> buf(4096);
        for (int k = 0; k < 2; ++k) {
          const auto r = f.read(buf);
          if (i % 2) FACT(r.err == errc::eof);
          else FACT((!r.err && r.value > 0) || r.err == errc::eof);
        }
      });
    all.wait();
  });
}

TEST_CASE("a descriptor that was got otherwise becomes a file", "[fs]") {
  on_each_poller([] {
    const hang_guard guard("adopted file");
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    auto reader = fs::adopt(net::unique_fd(ends[0])).unwrap();
    auto writer = fs::adopt(net::unique_fd(ends[1])).unwrap();
    wait_group all;
    all.go([reader] {
      std::byte buf[8];
      FACT(reader.read(buf).value == 2);
    });
    sleep(1ms);
    FACT(writer.write("ok").value == 2);
    all.wait();
    FACT(fs::adopt(net::unique_fd()).err == std::errc::bad_file_descriptor);
  });
}

TEST_CASE("a pipe has no offsets, and a write at one raises no signal", "[fs]") {
  on_each_poller([] {
    auto [reader, writer] = os::pipe().unwrap();
    FACT(writer.write("hello").value == 5);
    std::byte buf[8];
    FACT(reader.read_at(buf, 0).err == std::errc::invalid_seek);
    FACT(writer.write_at(bytes("x"), 0).err == std::errc::invalid_seek);
    (void)reader.close();
    FACT(writer.write_at(bytes("x"), 0).err == std::errc::invalid_seek);
  });
}
