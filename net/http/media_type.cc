// Types by extension. The table is the same on every machine.
//
// Refused: a guess from the first bytes. A file of a user that begins like a page would be a page
// (RFC 9110 section 8.3); /etc/mime.types, by which the same program would answer differently on
// two machines.
#include "net/http/media_type.h"

#include <utility>

#include "net/http/syntax.h"

namespace weft::http::detail {

std::string_view media_type_of(std::string_view name) noexcept {
  constexpr std::pair<std::string_view, std::string_view> types[] = {
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"webmanifest", "application/manifest+json"},
      {"xml", "text/xml; charset=utf-8"},
      {"txt", "text/plain; charset=utf-8"},
      {"log", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"ics", "text/calendar; charset=utf-8"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"avif", "image/avif"},
      {"bmp", "image/bmp"},
      {"ico", "image/vnd.microsoft.icon"},
      {"mp3", "audio/mpeg"},
      {"ogg", "audio/ogg"},
      {"opus", "audio/ogg"},
      {"flac", "audio/flac"},
      {"wav", "audio/wav"},
      {"m4a", "audio/mp4"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
      {"mpeg", "video/mpeg"},
      {"woff", "font/woff"},
      {"woff2", "font/woff2"},
      {"ttf", "font/ttf"},
      {"otf", "font/otf"},
      {"pdf", "application/pdf"},
      {"wasm", "application/wasm"},
      {"zip", "application/zip"},
      {"gz", "application/gzip"},
      {"tar", "application/x-tar"},
      {"7z", "application/x-7z-compressed"},
      {"rtf", "application/rtf"},
  };
  name.remove_prefix(name.rfind('/') + 1);
  const auto dot = name.rfind('.');
  if (dot != name.npos)
    for (const auto& [extension, type] : types)
      if (same_word(name.substr(dot + 1), extension)) return type;
  return "application/octet-stream";
}

}  // namespace weft::http::detail
