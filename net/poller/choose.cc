// Which poller a world gets: what options and WEFT_POLLER ask for, else io_uring, else epoll.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "net/poller/backend.h"
#include "runtime/fatal.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

backend* choose(const world& w) {
  const options& o = w.opt;
  const poller_kind wanted = poller_asked_for(o);
  std::string why_not = "not asked for";
  backend* made = wanted == poller_kind::epoll ? nullptr : make_uring(why_not);
  if (!made) {
    if (wanted == poller_kind::io_uring) log_line(fmt::format("io_uring is asked for but cannot be used: {}", why_not));
    const std::string no_uring = why_not;
    made = the_epoll(why_not);
    if (!made) fatal(fmt::format("no poller: io_uring: {}; epoll: {}", no_uring, why_not));
  }
  if (w.debug.poller)
    log_line(made->kind() == poller_kind::io_uring ? "poller: io_uring"
                                                   : fmt::format("poller: epoll (io_uring: {})", why_not));
  return made;
}

[[gnu::noinline]] backend* first_backend(world& w) {
  static std::mutex choosing;
  const std::lock_guard hold(choosing);
  if (poller* p = w.poller_or_null()) return static_cast<backend*>(p);
  return static_cast<backend*>(install_poller(w, choose(w)));
}

}  // namespace

poller_kind poller_asked_for(const options& o) {
  const char* v = std::getenv("WEFT_POLLER");
  if (!v || !*v) return o.poller;
  if (std::strcmp(v, "io_uring") == 0) return poller_kind::io_uring;
  if (std::strcmp(v, "epoll") == 0) return poller_kind::epoll;
  if (std::strcmp(v, "auto") == 0) return poller_kind::automatic;
  static std::once_flag told;
  std::call_once(told, [v] {
    log_line(fmt::format("WEFT_POLLER={}: no such poller; allowed are io_uring, epoll and auto, and it is ignored", v));
  });
  return o.poller;
}

backend* backend_of_fiber() {
  const M* m = this_m();
  if (!m || !m->g) return nullptr;
  world& w = *m->w;  // the same for all Ms that this fiber may ever be on
  if (poller* p = w.poller_or_null()) [[likely]]
    return static_cast<backend*>(p);
  return first_backend(w);
}

}  // namespace weft::detail
