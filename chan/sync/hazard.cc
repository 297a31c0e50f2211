#include <weft/detail/hazard.h>
#include <weft/detail/in_line.h>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/fatal.h"
#include "sched/simulated.h"

namespace weft::detail {
namespace {

constinit std::atomic<hazard_page*> all_pages{nullptr};
// Of a thread that simulates: page_of_thread stays null there, so that each operation comes to
// take_page().
constinit thread_local hazard_page* page_in_simulation __attribute__((tls_model("initial-exec"))) = nullptr;
constinit thread_local hazard_page* page_of_thread __attribute__((tls_model("initial-exec"))) = nullptr;

// Returns the page when the thread ends. Slots may still be in use by fibers that run on other
// threads.
struct page_owner {
  bool here = false;
  ~page_owner() {
    if (hazard_page* p = page_of_thread ? page_of_thread : page_in_simulation)
      p->owned.store(false, std::memory_order_release);  // [page]
    page_of_thread = page_in_simulation = nullptr;
  }
};
thread_local page_owner owner_of_thread;

[[gnu::noinline]] hazard_page* take_page() noexcept {
  if (in_line.simulated && this_simulator()) {
    sim_point(sim_op::atomic_value, nullptr);
    if (page_in_simulation) return page_in_simulation;
  }
  owner_of_thread.here = true;  // its destructor is due at the thread's end
  hazard_page* p = all_pages.load(std::memory_order_acquire);  // [page]
  for (; p; p = p->next) {
    bool free = false;
    // [page] the slots as the last owner left them
    if (p->owned.compare_exchange_strong(free, true, std::memory_order_acquire, std::memory_order_relaxed)) break;
  }
  if (!p) {
    p = new hazard_page;
    p->next = all_pages.load(std::memory_order_relaxed);
    // [page] the page before the list that has it
    while (!all_pages.compare_exchange_weak(p->next, p, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
  }
  (in_line.simulated && this_simulator() ? page_in_simulation : page_of_thread) = p;
  return p;
}

}  // namespace

const bool fences_are_lopsided = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;

[[gnu::noinline]] hazard_page* this_hazard_page() noexcept {
  hazard_page* p = page_of_thread;
  return p ? p : take_page();
}

void full_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }  // [hazard] H2, W2

void heavy_fence() noexcept {
  full_fence();  // W2, where readers fence for themselves
  if (fences_are_lopsided) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);  // [hazard] W2
}

void for_each_protected_(void (*seen)(void*, const void*), void* arg) {
  heavy_fence();
  for (hazard_page* page = all_pages.load(std::memory_order_acquire); page; page = page->next)  // [page]
    for (const hazard_slot& slot : page->slots)
      if (const void* p = slot.load(std::memory_order_acquire)) seen(arg, p);  // [hazard] W3
}

// Note [page]: a page is complete before it is in the list. A thread that ends releases `owned`,
// and the thread that takes over the page acquires it, so a page has one owner at a time. A thread
// that adds a page after a writer has scanned the list reads pointers that were replaced before the
// heavy fence: pages are added with a read-modify-write, before the new page's first H1.

}  // namespace weft::detail
