// Lists the examples, or runs one: examples [NAME]. Exits with 2 for an unknown name.
#include <weft/go.h>
#include <weft/testing.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <vector>

#include "tests/examples/examples.h"

namespace examples {
namespace {

std::vector<example>& table() {
  static std::vector<example> all;
  return all;
}

// An example that leaves a fiber ends the process with status 2.
int run(const example& e) {
  if (e.called == where::alone) {
    e.show();
    return 0;
  }
  return weft::run([&e] {
    const weft::testing::leak_check check;
    e.show();
  });
}

}  // namespace

group::group(std::initializer_list<example> some) { table().insert(table().end(), some); }

temp_dir::temp_dir() {
  std::string name = std::filesystem::temp_directory_path() / "weft-example-XXXXXX";
  if (!::mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = name;
}

temp_dir::~temp_dir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace examples

int main(int argc, char** argv) {
  if (argc < 2) {
    for (const auto& e : examples::table()) std::puts(e.name);
    return 0;
  }
  for (const auto& e : examples::table())
    if (e.name == std::string_view(argv[1])) return examples::run(e);
  std::fprintf(stderr, "there is no example %s; without an argument all are listed\n", argv[1]);
  return 2;
}
