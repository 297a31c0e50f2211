// The head of a response: its status line and its fields. RFC 9112 sections 4 and 5.
//
// A head is collected whole, up to its limit, and parsed in one step.
//
// Refused: Boost.Beast, which the server uses. It rejects a status line without a reason, throws
// for lengths that no memory has, and checks its limits only where a message comes in pieces.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "net/http/syntax.h"

namespace weft::http::detail {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct answer_head {
  int minor = 1;        // of HTTP/1.x
  int status = 0;
  header_list headers;  // as they came, an obs-fold replaced by a space
};

// Finds the end of a head. Holds the position between calls: each byte is examined once.
class head_scanner {
 public:
  // Returns the size of the head in `text` with its empty line, or npos if more must come.
  std::size_t find_end(std::string_view text) noexcept;

 private:
  std::size_t at_ = 0;
};

// Returns std::errc::bad_message for what RFC 9112 refuses, and std::errc::message_size for too
// many fields.
std::error_code parse_head(std::string_view text, answer_head& out);
// Parses lines of fields up to an empty line, for trailers.
std::error_code parse_fields(std::string_view text, header_list& out);

// The first value; empty if there is none.
std::string_view find_field(const header_list& all, std::string_view name) noexcept;
// True if a field of this name lists `word`, without regard to case.
bool lists(const header_list& all, std::string_view name, std::string_view word) noexcept;
void remove_fields(header_list& all, std::string_view name);

}  // namespace weft::http::detail
