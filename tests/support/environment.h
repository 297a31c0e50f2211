// A variable of the environment that this process and its children see, as long as it lives.
#pragma once
#include <cstdlib>

namespace weft::testing {

class variable {
 public:
  variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~variable() { unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  const char* name_;
};

}  // namespace weft::testing
