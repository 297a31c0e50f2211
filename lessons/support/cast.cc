#include "lessons/support/cast.h"

#include <array>
#include <cctype>

namespace lesson {
namespace {

struct colours {
  std::string_view block, text;
};
constexpr colours for_main{"97;100", "90"};
constexpr std::array<colours, 6> palette{
    {{"30;46", "36"}, {"30;43", "33"}, {"30;42", "32"}, {"97;45", "35"}, {"97;44", "94"}, {"97;41", "31"}}};

const colours& colours_of(int number) {
  return number == 0 ? for_main : palette[static_cast<std::size_t>(number - 1) % palette.size()];
}

char free_letter(const std::string& name, const std::string& taken) {
  for (const std::string& from : {name, std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZ")})
    for (const char c : from) {
      const char up = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (std::isalnum(static_cast<unsigned char>(up)) && taken.find(up) == std::string::npos) return up;
    }
  return '#';
}

}  // namespace

std::string_view role::block() const { return colours_of(number).block; }
std::string_view role::text() const { return colours_of(number).text; }

const role& cast::of(const std::string& name) {
  if (const auto at = roles_.find(name); at != roles_.end()) return at->second;
  if (name == "main") return roles_[name] = {'m', 0};
  const char letter = free_letter(name, taken_);
  taken_ += letter;
  return roles_[name] = {letter, static_cast<int>(taken_.size())};
}

}  // namespace lesson
