// Which poller a world gets: what options and WEFT_POLLER ask for, else io_uring, else epoll.
#include <fmt/format.h>
#include <weft/errors.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "net/poller/choose.h"

#include "net/poller/epoll.h"
#include "net/poller/uring.h"
#include "runtime/fatal.h"
#include "sched/current.h"
#include "sched/simulated.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// Every operation fails with the same error.
class refusing final : public backend {
 public:
  explicit refusing(int error) noexcept : backend(poller_kind::automatic), error_(error) {}

  outcome perform(const io_lock&, io_request&, const context*) override { return outcome_of(-error_); }
  int perform_on_file(io_request&) override { return -error_; }
  std::error_code wait_for_foreign(int, short, const context*) override { return outcome_of(-error_).err; }
  void forget(registration*, int) noexcept override {}

  bool has_waiters() const noexcept override { return false; }
  void poll(P&, ready_list&) override {}
  void wait(std::int64_t, ready_list&) override {}
  void wake() noexcept override {}
  void flush(P&) override {}
  void end_world(bool) override {}

 private:
  const int error_;
};

bool may_pass(int error) noexcept { return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC; }

backend* refuse_for_now(int error) {
  static refusing no_fd(EMFILE), no_file(ENFILE), no_memory(ENOMEM), no_watch(ENOSPC);
  return error == EMFILE ? &no_fd : error == ENFILE ? &no_file : error == ENOSPC ? &no_watch : &no_memory;
}

// Null and errno if there are not enough descriptors or memory just now.
backend* choose(const world& w) {
  const options& o = w.opt;
  const poller_kind wanted = poller_asked_for(o);
  std::string why_not = "not asked for";
  backend* made = wanted == poller_kind::epoll ? nullptr : make_uring(why_not);
  if (!made && wanted != poller_kind::epoll && (errno == EMFILE || errno == ENFILE)) return nullptr;
  if (!made) {
    if (wanted == poller_kind::io_uring)
      log_line(fmt::format("io_uring was requested but cannot be used: {}", why_not));
    const std::string no_uring = why_not;
    made = the_epoll(why_not);
    if (!made && may_pass(errno)) return nullptr;
    if (!made) give_up(fmt::format("no poller: io_uring: {}; epoll: {}", no_uring, why_not));
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
  backend* const made = choose(w);
  return made ? static_cast<backend*>(install_poller(w, made)) : refuse_for_now(errno);
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

void refuse_in_simulation() {
  if (!this_m() && sim_self())
    throw panic("network and files are not simulated: a simulation may use no descriptor, path, name or process");
}

backend* backend_of_fiber() {
  const M* m = this_m();
  if (!m) refuse_in_simulation();
  if (!m || !m->g) return nullptr;
  world& w = *m->w;  // the same for all Ms that this fiber may ever be on
  if (poller* p = w.poller_or_null()) [[likely]]
    return static_cast<backend*>(p);
  return first_backend(w);
}

}  // namespace weft::detail
