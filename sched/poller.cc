#include "sched/poller.h"

#include "sched/world.h"

namespace weft::detail {

// Note [poller]: a poller is complete before it is stored, and stays; readers acquire it.

poller* install_poller(world& w, poller* net) noexcept {
  poller* none = nullptr;
  // [poller] in both cases the poller that is returned is seen complete
  return w.net.compare_exchange_strong(none, net, std::memory_order_acq_rel, std::memory_order_acquire) ? net : none;
}

}  // namespace weft::detail
