// Forms with files: multipart/form-data of RFC 7578, whose body is in memory.
#pragma once
#include <weft/http.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http::detail {

// The value of a parameter of a field: name="a b" in 'form-data; name="a b"'. None if it is absent
// or malformed.
std::optional<std::string> parameter(std::string_view field, std::string_view name);

// The contents are views into `body`. None if it is malformed, or has more than max_form_parts.
inline constexpr std::size_t max_form_parts = 1000;
std::optional<std::vector<form_part>> parse_multipart(std::string_view body, std::string_view boundary);

}  // namespace weft::http::detail
