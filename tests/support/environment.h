// Variables of the environment.
#pragma once
#include <cstdlib>
#include <optional>
#include <string>

namespace weft::testing {

// While it lives, this process and its children see the variable with `value`, or not at all if
// that is null. It has its value from before afterwards.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~variable() { set(before_ ? before_->c_str() : nullptr); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  void set(const char* value) const {
    if (value) setenv(name_, value, 1);
    else unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace weft::testing
