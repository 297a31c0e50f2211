// Who is who in a picture: the letter and the colour of each fiber name.
#pragma once
#include <map>
#include <string>
#include <string_view>

namespace lesson {

struct role {
  char letter;
  int number;  // 0: main; the others in the order in which they came
  // ANSI codes: as a block, and as text on the terminal's own background.
  std::string_view block() const;
  std::string_view text() const;
};

class cast {
 public:
  // The role of `name`, new on first sight: its first letter in upper case if that is free, else
  // another one of it, else any. "main" is m.
  const role& of(const std::string& name);

 private:
  std::map<std::string, role> roles_;
  std::string taken_;
};

}  // namespace lesson
