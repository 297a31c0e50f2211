// S0: pollers of resources, once around a locked list, once with resources that are passed on.
#include <atomic>
#include <memory>
#include <mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int resources = 6, pollers = 3, polls_each = 4;

struct resource {
  int polls = 0;
  std::atomic<int> owners = 0;  // to see that there is one at a time
};

bool poll(resource& r) {
  const bool alone = r.owners.fetch_add(1) == 0;
  yield();  // asking takes time
  ++r.polls;
  return r.owners.fetch_sub(1) == 1 && alone;
}

void report(const std::vector<std::unique_ptr<resource>>& all, bool one_owner) {
  int total = 0;
  for (const auto& r : all) total += r->polls;
  println("{} polls, {}", total, one_owner ? "one owner at a time" : "several owners at the same time");
}

// Communicating by sharing: what is being polled is a field, and every access needs the lock.
void with_lock() {
  struct entry {
    resource* of;
    bool polling = false;
    int polls = 0;  // the resource's own count belongs to the fiber that polls it
  };
  std::vector<std::unique_ptr<resource>> all;
  std::vector<entry> list;
  mutex lock;
  for (int i = 0; i < resources; ++i) {
    all.push_back(std::make_unique<resource>());
    list.push_back({all.back().get()});
  }
  std::atomic<bool> one_owner = true;
  wait_group done;
  for (int i = 0; i < pollers; ++i)
    done.go([&] {
      for (;;) {
        entry* mine = nullptr;
        bool all_polled = true;
        {
          const std::lock_guard hold(lock);
          for (entry& e : list) {
            if (e.polls == polls_each) continue;
            all_polled = false;
            if (!e.polling && (!mine || e.polls < mine->polls)) mine = &e;
          }
          if (mine) mine->polling = true;
        }
        if (all_polled) return;
        if (!mine) {
          yield();
          continue;
        }
        if (!poll(*mine->of)) one_owner = false;
        const std::lock_guard hold(lock);
        mine->polling = false;
        ++mine->polls;
      }
    });
  done.wait();
  report(all, one_owner);
}

// Sharing by communicating: the fiber that has received a resource owns it.
void with_channels() {
  auto pending = make_chan<std::unique_ptr<resource>>(), complete = make_chan<std::unique_ptr<resource>>();
  std::atomic<bool> one_owner = true;
  for (int i = 0; i < pollers; ++i)
    go([=, &one_owner] {
      for (auto& r : pending) {
        if (!poll(*r)) one_owner = false;
        complete.send(std::move(r));
      }
    });
  go([=] {
    for (int i = 0; i < resources; ++i) pending.send(std::make_unique<resource>());
  });
  std::vector<std::unique_ptr<resource>> all;
  while (all.size() < resources) {
    std::unique_ptr<resource> r = *complete.recv();
    if (r->polls == polls_each) all.push_back(std::move(r));
    else go([=, r = std::move(r)]() mutable { pending.send(std::move(r)); });
  }
  pending.close();
  report(all, one_owner);
}

const lesson::page page{"S0",
                        "share_by_communicating",
                        {{"lock", "the list is shared, and a lock says whose turn it is", with_lock},
                         {"right", "the resource is passed on, and with it the right to touch it", with_channels}}};

}  // namespace
