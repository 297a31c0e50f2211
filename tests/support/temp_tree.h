// A directory tree of a test's own, gone when the test ends.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weft::testing {

class temp_tree {
 public:
  temp_tree() {
    std::string name = std::filesystem::temp_directory_path() / "weft-test-XXXXXX";
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make " + name);
    root_ = name;
  }
  ~temp_tree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  temp_tree(const temp_tree&) = delete;
  temp_tree& operator=(const temp_tree&) = delete;

  // Stands for "/".
  const std::string& root() const { return root_; }

  // The file at `path`, from "/", with its directories.
  temp_tree& file(const std::string& path, std::string_view text) {
    const std::filesystem::path at = root_ + path;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << text;
    return *this;
  }

 private:
  std::string root_;
};

}  // namespace weft::testing
