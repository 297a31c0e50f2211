// A tree of files for C10.
#pragma once
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

// Thirty files in five folders, gone at the end.
class small_tree {
 public:
  small_tree() {
    std::string name = std::filesystem::temp_directory_path() / "weft-lesson-XXXXXX";
    root_ = mkdtemp(name.data());
    for (int i = 0; i < 30; ++i) {
      const std::filesystem::path folder = root_ / fmt::format("folder-{}", i % 5);
      std::filesystem::create_directories(folder);
      std::ofstream(folder / fmt::format("file-{}", i)) << std::string(1000, static_cast<char>('a' + i % 26));
    }
  }
  ~small_tree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};
