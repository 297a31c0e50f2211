// A disk that fails on request: directories and their names, some of which cannot be read to the
// end.
#pragma once
#include <map>
#include <string>
#include <system_error>
#include <vector>

namespace disk {

struct directory {
  std::vector<std::string> names;
  bool breaks = false;  // reading fails behind the last name
};

inline const std::map<std::string, directory>& all() {
  static const std::map<std::string, directory> tree{
      {"photos", {{"cat.jpg", "dog.jpg", "owl.jpg"}}},
      {"empty", {}},
      {"damaged", {{"cat.jpg", "dog.jpg"}, true}},
  };
  return tree;
}

// Reads a directory name by name; "missing" is one that is not there.
class reader {
 public:
  explicit reader(const std::string& dir) {
    if (const auto at = all().find(dir); at != all().end()) dir_ = &at->second;
  }
  // The next name, or null at the end, with err set if it is not the true one.
  const std::string* next(std::error_code& err) {
    if (!dir_) err = std::make_error_code(std::errc::no_such_file_or_directory);
    else if (at_ < dir_->names.size()) return &dir_->names[at_++];
    else if (dir_->breaks) err = std::make_error_code(std::errc::io_error);
    return nullptr;
  }

 private:
  const directory* dir_ = nullptr;
  std::size_t at_ = 0;
};

}  // namespace disk
