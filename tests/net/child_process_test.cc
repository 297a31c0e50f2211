// Child processes: what they get, what they say, how they end.
#include <weft/process.h>

#include "tests/net/on_each_poller.h"
#include "tests/support/child.h"
#include "tests/support/descriptors.h"
#include "tests/support/temp_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <thread>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

os::command shell(const std::string& script) { return {"/bin/sh", {"-c", script}}; }

std::ptrdiff_t inheritable() {
  std::ptrdiff_t n = 0;
  for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) n += fcntl(fd, F_GETFD) == 0;
  return n;
}

// No child is left, neither alive nor dead and not waited for.
bool no_children() {
  siginfo_t any{};
  return waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

}  // namespace

TEST_CASE("a child runs, and its end is told", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("a child's end");
    FACT(shell("exit 0").run().unwrap().success());
    const os::exit_status three = shell("exit 3").run().unwrap();
    FACT(three.code == 3);
    FACT(!three.success());
    FACT(three.to_string() == "exit status 3");
    const os::exit_status killed = shell("kill -TERM $$").run().unwrap();
    FACT(killed.signal == SIGTERM);
    FACT(killed.to_string() == "signal: Terminated");
    FACT(no_children());
  });
}

TEST_CASE("what a child writes is collected, and an end without success is no error", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("output of a child");
    const auto [f, err] = shell("echo out; echo err >&2; exit 7").output();
    FACT(!err);
    FACT(f.out == "out\n");
    FACT(f.err == "err\n");
    FACT(f.status.code == 7);
    FACT(shell("echo 1; echo 2 >&2; echo 3").combined_output().unwrap().out == "1\n2\n3\n");
    // More than its pipes hold, of both at the same time.
    const auto much = shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2").output().unwrap();
    FACT(much.out.size() == 300000);
    FACT(much.err.size() == 300000);
    FACT(no_children());
  });
}

TEST_CASE("a child is fed what it wants to read", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("input of a child");
    os::command c("cat");
    c.input = std::string(500'000, 'x');
    FACT(c.output().unwrap().out == c.input);
    os::command deaf("true");
    deaf.input = std::string(500'000, 'x');
    FACT(deaf.output().unwrap().status.success());  // and no SIGPIPE
    FACT(os::command("cat").output().unwrap().out.empty());
  });
}

TEST_CASE("fibers talk with a child through its streams", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("talk with a child");
    os::command c("cat");
    c.in = c.out = os::stream::piped;
    auto [p, err] = c.start();
    REQUIRE(!err);
    std::byte buf[16];
    for (int i = 0; i < 10; ++i) {
      FACT(p.in().write("hello").value == 5);
      FACT(p.out().read(buf).value == 5);
    }
    FACT(!p.in().close());
    FACT(p.out().read(buf).err == errc::eof);
    FACT(p.wait().unwrap().success());
    FACT(p.wait().unwrap().success());
    FACT(p.signal(SIGTERM) == std::errc::no_such_process);
  });
}

TEST_CASE("a child has the environment and the directory that it is given", "[os][child]") {
  temp_tree tree;
  tree.file("/here", "");
  on_each_poller([&] {
    const hang_guard guard("a child's surroundings");
    os::command c = shell("echo $COLOUR $HOME; ls");
    c.env = {"COLOUR=blue", "PATH=/usr/bin:/bin"};
    c.dir = tree.root();
    FACT(c.output().unwrap().out == "blue\nhere\n");
    setenv("WEFT_TEST_COLOUR", "red", 1);
    FACT(shell("echo $WEFT_TEST_COLOUR").output().unwrap().out == "red\n");
  });
}

TEST_CASE("a child's streams lead to files and pipes", "[os][child]") {
  temp_tree tree;
  on_each_poller([&] {
    const hang_guard guard("redirection");
    const std::string path = tree.root() + "/log";
    os::command c = shell("cat; echo err >&2");
    {
      auto [reader, writer] = os::pipe().unwrap();
      c.in = reader;
      c.out = c.err = fs::create(path).unwrap();
      FACT(writer.write("from a pipe\n").value == 12);
      auto [p, err] = c.start();
      REQUIRE(!err);
      FACT(writer.write("more\n").value == 5);
      FACT(!writer.close());
      FACT(p.wait().unwrap().success());
    }
    FACT(fs::read_file(path).unwrap() == "from a pipe\nmore\nerr\n");
  });
}

TEST_CASE("a program that is not there is said with its name, and a directory with its", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("no such program");
    for (const char* name : {"no-such-program-of-weft", "/no/such/program"}) {
      const os::command c(name);
      const auto [p, err] = c.start();
      FACT(err == std::errc::no_such_file_or_directory);
      FACT(!p);
      FACT(c.explain(err) == "exec " + std::string(name) + ": No such file or directory");
      FACT(c.run().err == err);
      FACT(c.output().err == err);
    }
    os::command lost("true");
    lost.dir = "/no/such/directory";
    const auto [p, err] = lost.start();
    FACT(lost.explain(err) == "chdir /no/such/directory: No such file or directory");
    FACT(os::command("/etc/passwd").start().err == std::errc::permission_denied);
    FACT(os::command("true", {std::string("a\0b", 3)}).start().err == std::errc::invalid_argument);
    FACT(no_children());
  });
}

TEST_CASE("a context kills a child, waits for it, and gives its error", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("a context kills a child");
    auto [ctx, cancel] = with_timeout(background(), 5ms);
    FACT(os::command("sleep", {"1000"}).run(ctx).err == errc::deadline_exceeded);
    FACT(os::command("true").run(ctx).err == errc::deadline_exceeded);
    // Even if no one waits for it, but for what it writes.
    auto [ctx2, cancel2] = with_cancel(background());
    os::command c("sleep", {"1000"});
    c.out = os::stream::piped;
    auto [p, failed] = c.start(ctx2);
    REQUIRE(!failed);
    wait_group all;
    all.go([p = p] {
      std::byte buf[8];
      FACT(p.out().read(buf).err == errc::eof);
    });
    sleep(1ms);
    cancel2();
    all.wait();
    const auto [status, err] = p.wait();
    FACT(err == errc::canceled);
    FACT(status.signal == SIGKILL);
    FACT(no_children());
  });
}

TEST_CASE("a context ends output() though a grandchild holds the pipe", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("grandchild");
    auto [ctx, cancel] = with_timeout(background(), 50ms);
    const auto [f, err] = shell("echo $$; sleep 2 & wait").output(ctx);
    FACT(err == errc::deadline_exceeded);
    FACT(no_children());
  });
}

TEST_CASE("a context of the wait ends that only", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("bounded wait for a child");
    auto [p, err] = os::command("sleep", {"1000"}).start();
    REQUIRE(!err);
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(p.wait(ctx).err == errc::deadline_exceeded);
    FACT(!p.signal(0));
    FACT(!p.signal(SIGINT));
    FACT(p.wait(background()).unwrap().signal == SIGINT);
  });
}

TEST_CASE("a context that is done after the end of a child changes nothing", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("late cancel");
    auto [ctx, cancel] = with_cancel(background());
    auto [p, err] = os::command("true").start(ctx);
    REQUIRE(!err);
    FACT(p.wait().unwrap().success());
    cancel();
    FACT(p.wait().unwrap().success());
  });
}

TEST_CASE("the last handle of a child that nobody has waited for ends it", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("dropped child");
    auto [p, err] = os::command("sleep", {"1000"}).start();
    REQUIRE(!err);
    const int pid = p.pid();
    p = {};
    FACT(::kill(pid, 0) != 0);
    FACT(no_children());
    FACT(os::process().wait().err == errc::closed);
    FACT(os::process().pid() == 0);
  });
}

TEST_CASE("a child has no signal blocked or ignored, and no descriptor but its streams", "[os][child]") {
  struct sigaction ignored {
  }, before{};
  ignored.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignored, &before);
  sigset_t some, mask;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &some, &mask);
  on_each_poller([] {
    const hang_guard guard("a child's signals");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto pipe = os::pipe().unwrap();
    os::command c("grep", {"-E", "^Sig(Blk|Ign)", "/proc/self/status"});
    c.env = std::vector<std::string>();  // no sanitizer's either
    const std::string found = c.output().unwrap().out;
    for (const char* what : {"SigBlk:\t", "SigIgn:\t"}) {
      const auto at = found.find(what);
      REQUIRE(at != std::string::npos);
      const std::uint64_t usual = 0x7fffffff;  // the C library keeps two numbers beyond them for itself
      FACT((std::stoull(found.substr(at + 8), nullptr, 16) & usual) == 0);
    }
    const std::string listed = os::command("ls", {"/proc/self/fd"}).output().unwrap().out;
    // The three, that of the directory, and what the parent of these tests lets all inherit.
    FACT(std::count(listed.begin(), listed.end(), '\n') == 4 + inheritable());
  });
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("many children at once leave no thread, no descriptor and no dead child behind", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("many children");
    FACT(shell("exit 0").run().unwrap().success());  // the poller is there from here on
    const std::size_t before = open_descriptors();
    const int count = sanitized ? 20 : 60;
    wait_group all;
    std::atomic<int> ended{0};
    for (int i = 0; i < count; ++i)
      all.go([&, i] {
        const auto [f, err] = shell("echo " + std::to_string(i)).output();
        if (!err && f.out == std::to_string(i) + "\n") ++ended;
        FACT(os::command("no-such-program-of-weft").output().err == std::errc::no_such_file_or_directory);
      });
    all.wait();
    FACT(ended == count);
    FACT(open_descriptors() <= before + 16);  // rings of other Ps perhaps
    FACT(no_children());
  });
}

TEST_CASE("fibers that wait for children hold no threads", "[os][child]") {
  on_each_poller([] {
    const hang_guard guard("threads of children");
    std::vector<os::process> children;
    for (int i = 0; i < 40; ++i) children.push_back(os::command("sleep", {"1000"}).start().unwrap());
    // Starting waits for a disk, on threads that are kept; waiting must not add to them.
    wait_group all;
    const auto before = stats().threads;
    for (const os::process& p : children) all.go([p] { FACT(p.wait().unwrap().signal == SIGKILL); });
    sleep(2ms);
    FACT(stats().threads < before + children.size());
    for (const os::process& p : children) FACT(!p.kill());
    all.wait();
    FACT(no_children());
  });
}

TEST_CASE("plain threads have children too, with and without a world", "[os][child]") {
  const auto family = [] {
    const hang_guard guard("children of a plain thread");
    FACT(shell("echo out; echo err >&2").output().unwrap().err == "err\n");
    os::command c("cat");
    c.input = std::string(200'000, 'x');
    FACT(c.output().unwrap().out == c.input);
    auto [ctx, cancel] = with_cancel(background());
    auto [p, err] = os::command("sleep", {"1000"}).start(ctx);
    FACT(!err);
    std::thread killer([&cancel = cancel] {
      std::this_thread::sleep_for(2ms);
      cancel();
    });
    FACT(p.wait().err == errc::canceled);
    killer.join();
  };
  SECTION("without") {
    family();
    report_broken_fact();
  }
  SECTION("beside one") {
    on_each_poller([&] { blocking(family); });
  }
  CHECK(no_children());
}

TEST_CASE("where the kernel watches no children threads do", "[os][child]") {
  for (const std::string kind : {"io_uring", "epoll"}) {
    const outcome r = run_child(
        {"/usr/bin/env", "WEFT_POLLER=" + kind, beside_this_program("net_scenarios"), "children-without-pidfd"});
    if (r.status == 77) return;  // no seccomp here
    CHECK(r.status == 0);
    CHECK(r.out == "exit status 3\nsignal: Killed\ncontext canceled\n");
  }
}
