// Moby: blocking bugs, the first half.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// The result of a call goes to a channel that its caller has dropped.
void moby_4395(variant v) {
  auto result = make_chan<int>(v == variant::repaired ? 1 : 0);
  go([result] { result.send(1); });
}

// To remove a device, the set's lock is released and taken again with the device locked; another
// deletion holds the set and waits for the device.
void moby_4951(variant v) {
  struct devices {
    weft::mutex set, device;
  };
  auto d = std::make_shared<devices>();
  wait_group g;
  for (int i = 0; i < 2; ++i)
    g.go([d, v] {
      lock set(d->set);
      if (v == variant::repaired) set.unlock();
      const guard device(d->device);
      if (v == variant::repaired) set.lock();
      set.unlock();
      weft::sleep(300ns);
      set.lock();
    });
  g.wait();
}

// An iteration that fails continues without unlocking.
void moby_7559(variant v) {
  auto tracked = std::make_shared<weft::mutex>();
  go([tracked, v] {
    for (int i = 0; i < 2; ++i) {
      tracked->lock();
      const bool dialed = false;
      if (!dialed) {
        if (v == variant::repaired) tracked->unlock();
        continue;
      }
      tracked->unlock();
    }
  });
}

// One return of the clean-up keeps the lock.
void moby_17176(variant v) {
  struct devices {
    weft::mutex mu;
    int deleted = 0;
  };
  auto d = std::make_shared<devices>();
  d->mu.lock();
  if (d->deleted != 0 || v == variant::repaired) d->mu.unlock();
  auto done = make_chan<bool>(1);
  go([d, done] {
    const guard hold(d->mu);
    done.send(true);
  });
  select(recv(weft::after(1ms)), recv(done));
}

// The consumer of progress may leave early; the fibers that report, and that which waits for its
// end, stay.
void moby_21233(variant v) {
  struct watcher {
    weft::chan<void> release = make_chan<void>(), running = make_chan<void>();
  };
  auto progress = make_chan<int>();
  auto progress_done = make_chan<void>();
  go([progress, progress_done, v] {
    for ([[maybe_unused]] const int p : progress)
      if (weft::sim::choose(2) == 1 && v == variant::broken) return;
    progress_done.close();
  });
  std::vector<std::shared_ptr<watcher>> watchers;
  for (int i = 0; i < 2; ++i) {
    auto w = std::make_shared<watcher>();
    watchers.push_back(w);
    go([w, progress] {
      for (bool done = false;; done = true) {
        if (weft::sim::choose(2) == 1) progress.send(1);
        if (done) break;
        w->release.recv();
      }
      w->running.close();
    });
  }
  for (const auto& w : watchers) {
    w->release.close();
    w->running.recv();
  }
  progress.close();
  progress_done.recv();
}

// A group is waited for inside the loop that starts its members.
void moby_25384(variant v) {
  auto group = std::make_shared<wait_group>();
  go([group, v] {
    group->add(2);
    for (int plugin = 0; plugin < 2; ++plugin) {
      go([group] { group->done(); });
      if (v == variant::broken) group->wait();
    }
    if (v == variant::repaired) group->wait();
  });
}

// The reader of a log ends on a condition that only the events broadcast which are not passed on,
// while the source of events waits to pass one on.
void moby_27782(variant v) {
  struct file_watcher {
    weft::chan<int> events = make_chan<int>();
    weft::chan<void> done = make_chan<void>();
    weft::mutex mu;
    weft::cond removed;
    bool exists = true;
  };
  auto close_notifier = make_chan<void>();
  go([close_notifier, v] {  // follows the log
    auto w = std::make_shared<file_watcher>();
    go([w] {
      while (select(recv(w->done), otherwise) == 1)
        if (select(send(w->events, 1), recv(w->done)) == 1) break;
      w->events.close();
    });
    if (select(recv(w->events), recv(close_notifier)) == 1 && v == variant::broken) {
      lock hold(w->mu);
      while (w->exists) w->removed.wait(hold);
    }
    w->done.close();
  });
  close_notifier.close();
}

const kernel all[] = {
    {"moby_4395", bug::communication, moby_4395},   {"moby_4951", bug::resource, moby_4951},
    {"moby_7559", bug::resource, moby_7559},        {"moby_17176", bug::resource, moby_17176},
    {"moby_21233", bug::communication, moby_21233}, {"moby_25384", bug::mixed, moby_25384},
    {"moby_27782", bug::communication, moby_27782},
};

}  // namespace

std::span<const kernel> moby() { return all; }

}  // namespace corpus
