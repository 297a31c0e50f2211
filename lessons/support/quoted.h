// Text as a string of JSON, and so of JavaScript.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace lesson {

inline std::string quoted(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += {'\\', c};
    else if (c == '\n') all += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20) all += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else all += c;
  }
  return all + "\"";
}

}  // namespace lesson
