#include <weft/http.h>

namespace weft::http {

namespace {

// One line for each line of text: a client would take a line break for the end of a field.
void append_field(std::string& to, std::string_view name, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    ((((to += name) += ": ") += text.substr(0, end)) += '\n');
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

}  // namespace

event_stream::event_stream(response_writer& w) : w_(w) {
  w.set_header("Content-Type", "text/event-stream").set_header("Cache-Control", "no-store");
  (void)w.flush();
}

std::error_code event_stream::send(const event& e) {
  constexpr std::string_view breaks("\r\n\0", 3);
  if (e.type.find_first_of(breaks) != e.type.npos || e.id.find_first_of(breaks) != e.id.npos)
    throw panic("http: a line break in an event's type or id");
  std::string text;
  if (!e.type.empty()) append_field(text, "event", e.type);
  if (!e.id.empty()) append_field(text, "id", e.id);
  if (e.retry_ms >= 0) append_field(text, "retry", std::to_string(e.retry_ms));
  append_field(text, "data", e.data);
  text += '\n';
  if (const std::error_code err = w_.write(text)) return err;
  return w_.flush();
}

std::error_code event_stream::keep_alive() {
  if (const std::error_code err = w_.write(":\n\n")) return err;
  return w_.flush();
}

}  // namespace weft::http
