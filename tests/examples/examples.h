// The table of examples. Each file of this folder shows one group of primitives, in short functions
// that can be copied.
#pragma once
#include <filesystem>
#include <initializer_list>
#include <string>

namespace examples {

// in_world: called by the first fiber of weft::run(). alone: called by main(), for functions that
// start a world.
enum class where { in_world, alone };

struct example {
  const char* name;  // the name of the function
  void (*show)();
  where called = where::in_world;
};

// Adds the examples of one file to the table. The objects are static, so main() finds all of them.
class group {
 public:
  group(std::initializer_list<example> some);
};

// An empty directory, removed with its contents at the end of the scope.
class temp_dir {
 public:
  temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  ~temp_dir();
  std::string operator/(const char* name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace examples
