// A plain HTTP server, and a client that sends any bytes.
#pragma once
#include <weft/http.h>

#include <string>
#include <string_view>

#include "tests/net/on_each_poller.h"
#include "tests/net/running_server.h"

namespace weft::testing {

struct plain_server : running_server<net::listener> {
  explicit plain_server(http::handler h, http::limits l = {})
      : running_server(net::listen("tcp", "127.0.0.1:0").unwrap(), std::move(h), l) {}
  std::string url(std::string_view path) const { return "http://" + place() + std::string(path); }
};

// What a server answers to these bytes, until it closes the connection or for a while.
inline std::string answer_to(const std::string& place, std::string_view text) {
  auto c = net::dial("tcp", place).unwrap();
  FACT(!c.write(text).err);
  (void)c.close_write();
  c.set_read_deadline(weft::now() + std::chrono::seconds(5));
  return read_up_to(c, 1 << 20);
}

}  // namespace weft::testing
