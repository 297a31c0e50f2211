#include <weft/fs.h>

#include "tests/net/on_each_poller.h"
#include "tests/support/temp_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a file is written, read, moved and removed", "[fs]") {
  temp_tree tree;
  const std::string path = tree.root() + "/file";
  on_each_poller([&] {
    auto f = fs::create(path).unwrap();
    FACT(f.write("hello, world").value == 12);
    FACT(f.write_at(bytes("W"), 7).value == 1);
    FACT(!f.fsync());
    std::byte buf[5];
    FACT(f.read_at(buf, 7).value == 5);
    FACT(std::memcmp(buf, "World", 5) == 0);
    const auto past = f.read_at(buf, 10);
    FACT(past.value == 2);
    FACT(past.err == errc::eof);
    FACT(f.read(buf).err == errc::eof);
    FACT(!f.truncate(5));
    FACT(f.stat().value.size == 5);
    FACT(!f.close());
    FACT(f.write("x").err == errc::closed);
    FACT(fs::read_file(path).value == "hello");
    const auto i = fs::stat(path).value;
    FACT(i.name == "file");
    FACT(i.is_regular());
    FACT(std::chrono::system_clock::now() - i.modified < 10s);
    FACT(!fs::rename(path, path + "2"));
    FACT(fs::stat(path).err == std::errc::no_such_file_or_directory);
    FACT(!fs::remove(path + "2"));
    FACT(fs::open(path).err == std::errc::no_such_file_or_directory);
    FACT(fs::read_file(path).err == std::errc::no_such_file_or_directory);
  });
}

TEST_CASE("whole files of any size go and come", "[fs]") {
  temp_tree tree;
  on_each_poller([&] {
    for (std::size_t size : {0u, 1u, 511u, 512u, 513u, 100'000u, 3u << 20}) {
      const std::string data(size, 'x');
      const std::string path = tree.root() + "/whole";
      FACT(!fs::write_file(path, data));
      FACT(fs::read_file(path).value == data);
    }
    FACT(!fs::read_file("/proc/self/status").value.empty());
    FACT(fs::write_file(tree.root() + "/no/such", "x") == std::errc::no_such_file_or_directory);
    FACT(fs::read_file(tree.root()).err == std::errc::is_a_directory);
  });
}

TEST_CASE("a full disk is an error", "[fs]") {
  on_each_poller([] {
    auto full = fs::open("/dev/full", O_WRONLY);
    FACT(!full.err);
    FACT(full.value.write("x").err == std::errc::no_space_on_device);
  });
}

TEST_CASE("many fibers use files at a time without a thread for each", "[fs]") {
  temp_tree tree;
  on_each_poller([&] {
    wait_group all;
    for (int i = 0; i < 200; ++i)
      all.go([&, i] {
        const std::string path = tree.root() + "/" + std::to_string(i);
        FACT(!fs::write_file(path, path));
        FACT(fs::read_file(path).value == path);
      });
    all.wait();
    FACT(stats().threads < 100);
  });
}

TEST_CASE("a directory is listed in order, and walked with skips and a stop", "[fs]") {
  temp_tree tree;
  tree.file("/b/two", "").file("/b/one", "").file("/a", "").file("/c/deep/er", "").file("/c/x", "");
  on_each_poller([&] {
    const auto [list, err] = fs::read_dir(tree.root());
    REQUIRE(!err);
    REQUIRE(list.size() == 3);
    FACT(list[0].name == "a");
    FACT(list[1].name == "b");
    FACT(list[1].is_dir());
    std::string seen;
    const auto walk = [&](std::string_view skip, std::string_view stop) {
      seen.clear();
      return fs::walk_dir(tree.root(), [&](const std::string& path, const fs::entry& e, std::error_code) {
        if (path != tree.root()) seen += path.substr(tree.root().size()) + ' ';
        if (e.name == skip) return fs::walk::skip;
        return e.name == stop ? fs::walk::stop : fs::walk::on;
      });
    };
    FACT(!walk("", ""));
    FACT(seen == "/a /b /b/one /b/two /c /c/deep /c/deep/er /c/x ");
    FACT(!walk("b", ""));
    FACT(seen == "/a /b /c /c/deep /c/deep/er /c/x ");
    FACT(!walk("one", ""));
    FACT(seen == "/a /b /b/one /c /c/deep /c/deep/er /c/x ");
    FACT(!walk("", "two"));
    FACT(seen == "/a /b /b/one /b/two ");
    FACT(fs::read_dir(tree.root() + "/none").err == std::errc::no_such_file_or_directory);
    FACT(fs::walk_dir(tree.root() + "/none", [](auto&&...) { return fs::walk::on; }) ==
         std::errc::no_such_file_or_directory);
  });
}

TEST_CASE("a pipe waits as a connection does, and close ends the wait", "[fs]") {
  temp_tree tree;
  const std::string path = tree.root() + "/fifo";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  on_each_poller([&] {
    const hang_guard guard("fifo");
    wait_group all;
    std::atomic<bool> got{false};
    auto in = fs::open(path, O_RDWR).unwrap();
    all.go([&got, in] {
      std::byte buf[10];
      FACT(in.read(buf).value == 5);
      got = true;
      FACT(in.read(buf).err == errc::closed);
    });
    sleep(1ms);
    auto out = fs::open(path, O_WRONLY).unwrap();
    FACT(out.write("hello").value == 5);
    while (!got) sleep(1ms);
    sleep(2ms);
    FACT(!in.close());
    all.wait();
  });
}

TEST_CASE("an offset beyond a file's largest is refused, and the file's position stays out of it", "[fs]") {
  on_each_poller([] {
    temp_tree tree;
    const auto f = fs::create(tree.root() + "/file").unwrap();
    FACT(f.write_at(bytes("abc"), 0).value == 3);
    std::byte some[2];
    for (const std::uint64_t offset : {UINT64_MAX, UINT64_MAX - 1, std::uint64_t{INT64_MAX} + 1}) {
      FACT(f.read_at(some, offset).err == std::errc::invalid_argument);
      FACT(f.write_at(some, offset).err == std::errc::invalid_argument);
    }
    FACT(f.read(some).value == 2);  // from the beginning
  });
}
