// What a simulation does not have is refused, and nothing of it happens.
#include <weft/fs.h>
#include <weft/net.h>
#include <weft/os.h>
#include <weft/sim.h>

#include <filesystem>

#include "tests/support/fibers.h"
#include "tests/support/temp_tree.h"

using namespace weft;
using Catch::Matchers::Contains;

namespace {

template <class F>
void check_refused(const char* what, F use) {
  const sim::report r = sim::run([&use] { use(); });
  INFO(what << ": " << r);
  CHECK(r.what == sim::verdict::panic);
  CHECK_THAT(r.message, Contains("not simulated"));
}

}  // namespace

TEST_CASE("sockets, names, files and processes are refused in a simulation, in words", "[sim]") {
  const weft::testing::temp_tree tree;
  const std::string made = tree.root() + "/made";
  check_refused("socket", [] { (void)net::listen("tcp", "127.0.0.1:0"); });
  check_refused("name", [] { (void)net::lookup_host("weft.invalid"); });
  check_refused("name of a socket", [] { (void)net::listen("tcp", "localhost:0"); });
  check_refused("stat", [] { (void)fs::stat("/"); });
  check_refused("mkdir", [&] { (void)fs::mkdir(made); });
  check_refused("process", [&] { (void)os::command("touch", {made}).start(); });
  CHECK_FALSE(std::filesystem::exists(made));
}

TEST_CASE("a suspension in a region of no_suspend is a panic in a simulation too", "[sim]") {
  const sim::report r = sim::run([] {
    const no_suspend region;
    yield();
  });
  INFO(r);
  CHECK(r.what == sim::verdict::panic);
  CHECK_THAT(r.message, Contains("no_suspend"));
}
