// How a file is opened: names that come from outside, named pipes, descriptors that are no files.
#include <weft/fs.h>
#include <weft/os.h>
#include <weft/process.h>

#include "tests/net/on_each_poller.h"
#include "tests/support/cpu_time.h"
#include "tests/support/temp_tree.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a name from outside is joined with a directory and does not leave it", "[fs]") {
  const auto joined = [](std::string_view path) { return fs::join_inside("/srv/www", path); };
  CHECK(joined("a").value == "/srv/www/a");
  CHECK(joined("a//b/./c/").value == "/srv/www/a/b/c");
  CHECK(joined("a/../b").value == "/srv/www/b");
  CHECK(joined("").value == "/srv/www");
  CHECK(joined(".").value == "/srv/www");
  CHECK(joined("a/..").value == "/srv/www");
  CHECK(joined("...").value == "/srv/www/...");
  CHECK(joined("..a/b..").value == "/srv/www/..a/b..");
  CHECK(fs::join_inside("/", "etc").value == "/etc");
  CHECK(fs::join_inside("", "etc").value == "./etc");
  for (const char* out : {"..", "../x", "a/../../x", "/etc/passwd", "//x", "./..", "a/b/../../..", "../srv/www/a"})
    CHECK(joined(out).err == std::errc::permission_denied);
  CHECK(joined(std::string_view("a\0b", 3)).err == std::errc::invalid_argument);
  CHECK(fs::join_inside(std::string_view("/srv\0", 5), "a").err == std::errc::invalid_argument);
}

TEST_CASE("a file is opened below a directory, and a link that leads out is not followed", "[fs]") {
  temp_tree tree;
  const std::string root = tree.root() + "/root";
  mkdir(root.c_str(), 0700);
  mkdir((root + "/sub").c_str(), 0700);
  symlink("../../secret", (root + "/sub/out").c_str());
  symlink("/etc", (root + "/etc").c_str());
  symlink("../file", (root + "/sub/in").c_str());
  on_each_poller([&] {
    FACT(!fs::write_file(tree.root() + "/secret", "secret"));
    FACT(!fs::write_file(root + "/file", "inside"));
    std::byte buf[16];
    FACT(fs::open_inside(root, "sub/../file").value.read(buf).value == 6);
    FACT(fs::open_inside(root, "sub/in").value.read(buf).value == 6);
    FACT(fs::open_inside(root, "sub/out").err == std::errc::permission_denied);
    FACT(fs::open_inside(root, "etc/passwd").err == std::errc::permission_denied);
    FACT(fs::open_inside(root, "../secret").err == std::errc::permission_denied);
    FACT(fs::open_inside(root, "none").err == std::errc::no_such_file_or_directory);
    FACT(fs::open_inside(root + "/none", "x").err == std::errc::no_such_file_or_directory);
    FACT(!fs::open_inside(root, "made", O_WRONLY | O_CREAT, 0600).value.write("x").err);
    FACT(fs::read_file(root + "/made").value == "x");
    FACT(!fs::remove(root + "/made"));
  });
}

TEST_CASE("a directory below a directory is opened as one", "[fs]") {
  temp_tree tree;
  tree.file("/below/file", "x");
  CHECK(!fs::open_inside(tree.root(), "below", O_RDONLY | O_DIRECTORY).err);
  CHECK(fs::open_inside(tree.root(), "below/file", O_RDONLY | O_DIRECTORY).err == std::errc::not_a_directory);
}

TEST_CASE("a tree that is deeper than a stack is walked, and a link in it is not followed", "[fs]") {
  temp_tree tree;
  std::string at = tree.root();
  int depth = 0;
  for (; at.size() < 4000; ++depth) REQUIRE(mkdir((at += "/a").c_str(), 0700) == 0);
  REQUIRE(symlink("/", (tree.root() + "/link").c_str()) == 0);
  in_world(1, [&] {
    int seen = 0;
    bool outside = false;
    FACT(!fs::walk_dir(tree.root(), [&](const std::string& path, const fs::entry& e, std::error_code) {
      seen += e.is_dir();
      outside = outside || path.starts_with(tree.root() + "/link/");
      return fs::walk::on;
    }));
    FACT(seen == depth + 1);
    FACT(!outside);
  });
  for (; at != tree.root(); at.resize(at.size() - 2)) rmdir(at.c_str());
  report_broken_fact();
}

TEST_CASE("a path with a NUL byte is refused by every function that takes one", "[fs]") {
  temp_tree tree;
  on_each_poller([&] {
    const std::string real = tree.root() + "/real";
    FACT(!fs::write_file(real, "x"));
    const std::string path = real + std::string("\0.png", 5);
    const auto bad = [](std::error_code e) { return e == std::errc::invalid_argument; };
    FACT(bad(fs::open(path).err) && bad(fs::create(path).err) && bad(fs::stat(path).err) && bad(fs::lstat(path).err));
    FACT(bad(fs::rename(path, real)) && bad(fs::rename(real, path)) && bad(fs::remove(path)) && bad(fs::mkdir(path)));
    FACT(bad(fs::read_file(path).err) && bad(fs::write_file(path, "y")) && bad(fs::read_dir(path).err));
    FACT(bad(fs::walk_dir(path, [](const std::string&, const fs::entry&, std::error_code) { return fs::walk::on; })));
    FACT(fs::read_file(real).value == "x");
  });
}

TEST_CASE("opening a named pipe waits for the other end, whoever comes first", "[fs]") {
  temp_tree tree;
  const std::string a = tree.root() + "/a", b = tree.root() + "/b";
  mkfifo(a.c_str(), 0600);
  mkfifo(b.c_str(), 0600);
  on_each_poller([&] {
    const hang_guard guard("the ends of named pipes");
    std::atomic<bool> open_a{false}, open_b{false};
    wait_group all;
    all.go([&] {
      auto [f, e] = fs::open(a);
      open_a = true;
      std::byte buf[8];
      FACT(f.read(buf).value == 5);
    });
    all.go([&] {
      auto [f, e] = fs::open(b, O_WRONLY);
      open_b = true;
      FACT(!f.write("hello").err);
    });
    sleep(20ms);
    FACT(!open_a && !open_b);
    FACT(fs::open(b, O_WRONLY | O_NONBLOCK).err == std::errc::no_such_device_or_address);
    {
      auto w = fs::open(a, O_WRONLY).unwrap();
      while (!open_a) sleep(1ms);  // though nothing has been written yet
      FACT(w.write("hello").value == 5);
    }
    auto r = fs::open(b).unwrap();
    std::byte buf[8];
    FACT(r.read(buf).value == 5);
    all.wait();
    FACT(r.read(buf).err == errc::eof);
  });
}

TEST_CASE("named pipes that wait for their other ends hold up no file and no child process", "[fs][os]") {
  temp_tree tree;
  constexpr int pipes = 200;
  const auto path = [&](int i) { return tree.root() + "/" + std::to_string(i); };
  for (int i = 0; i < pipes; ++i) mkfifo(path(i).c_str(), 0600);
  on_each_poller([&] {
    const hang_guard guard("files beside pipes");
    std::atomic<int> readers{0};
    wait_group all;
    for (int i = 0; i < pipes; ++i)
      all.go([&, i] {
        if (!fs::open(path(i)).err) ++readers;
      });
    sleep(10ms);
    FACT(!fs::stat("/").err);
    FACT(!fs::read_file("/etc/passwd").value.empty());
    FACT(os::command("true").run().value.success());
    FACT(readers == 0);
    std::vector<fs::file> writers;
    for (int i = 0; i < pipes; ++i) writers.push_back(fs::open(path(i), O_WRONLY).unwrap());
    all.wait();
    FACT(readers == pipes);
    FACT(stats().threads < 100);
  });
}

TEST_CASE("descriptors that the kernel can wait for have deadlines and end at close", "[fs]") {
  on_each_poller([] {
    const hang_guard guard("eventfd, timerfd, inotify");
    const int made[] = {eventfd(0, EFD_CLOEXEC), timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
                        inotify_init1(IN_CLOEXEC)};
    for (const int fd : made) {
      auto f = fs::adopt(net::unique_fd(fd)).unwrap();
      std::byte buf[64];
      FACT(!f.set_read_deadline(now() + 2ms));
      FACT(f.read(buf).err == errc::timeout);
      FACT(!f.set_read_deadline());
      wait_group all;
      all.go([f, &buf] { FACT(f.read(buf).err == errc::closed); });
      const double before = cpu_seconds();
      sleep(30ms);
      FACT(cpu_seconds() - before < 0.029);  // it waits in the poller
      FACT(!f.close());
      all.wait();
    }
    auto counter = fs::adopt(net::unique_fd(eventfd(0, EFD_CLOEXEC))).unwrap();
    const std::uint64_t three = 3;
    wait_group all;
    all.go([&] {
      std::uint64_t got = 0;
      FACT(counter.read(std::as_writable_bytes(std::span(&got, 1))).value == 8);
      FACT(got == 3);
    });
    sleep(1ms);
    FACT(counter.write(std::as_bytes(std::span(&three, 1))).value == 8);
    all.wait();
  });
}
