// The source position of a code address.
//
// With libbacktrace: function, file and line, inlined functions too, from the debug information
// that the program or its .debug file has. Without it: the dynamic symbol and an offset.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::detail {

struct source_frame {
  std::string function;  // demangled; "0x..." if nothing is known
  std::string file;      // empty if unknown
  int line = 0;

  bool operator==(const source_frame&) const = default;
};

// Returns the function at an address inside an instruction, after the functions inlined into it
// there, innermost first. Never empty. Each address is looked up once. Any thread; allocates.
const std::vector<source_frame>& symbolize(std::uintptr_t pc);

// Returns "function file:line", or the parts of it that are known.
std::string to_string(const source_frame& f);

// Returns true for functions of the runtime that no program calls by name.
bool is_internal(const source_frame& f) noexcept;
// Returns true for functions of the runtime and the C++ library that may stand between a user's
// function and the bottom of its stack.
bool is_below_user_code(const source_frame& f) noexcept;

// Returns the innermost frame of a backtrace that is neither the runtime's nor the C++ library's;
// if there is none, the last.
source_frame first_of_user(const std::vector<std::uintptr_t>& frames);

// Returns the source of a backtrace, without the runtime's frames at either end unless they are to
// be shown.
std::vector<source_frame> readable(const std::vector<std::uintptr_t>& frames);
void show_runtime_frames(bool shown) noexcept;

// Returns the source position of a go statement.
source_frame start_site(const void* site);

std::string demangle(const char* name);

}  // namespace weft::detail
