// An HTTP server on a port of its own for as long as this lives, behind either kind of listener.
#pragma once
#include <weft/http.h>
#include <weft/wait_group.h>

#include <string>
#include <string_view>
#include <utility>

#include "tests/support/facts.h"

namespace weft::testing {

template <class Listener>
class running_server {
 public:
  running_server(Listener l, http::handler h, http::limits few)
      : listener_(std::move(l)), server("", std::move(h), few) {
    fiber_.go([this] { end = server.serve(listener_); });
  }
  ~running_server() {
    (void)server.close();
    fiber_.wait();
    FACT(end == errc::closed);
  }
  std::string place() const { return listener_.addr().to_string(); }

 private:
  Listener listener_;
  wait_group fiber_;

 public:
  http::server server;
  std::error_code end;
};

}  // namespace weft::testing
