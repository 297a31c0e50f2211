// Kubernetes: blocking bugs with locks.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A watcher is stopped under the lock that the distributor holds while it sends to that watcher.
void kubernetes_1321(variant v) {
  struct mux {
    weft::mutex mu;
    std::map<int, weft::chan<void>> watchers;
  };
  auto m = std::make_shared<mux>();
  go([m] {
    for (int i = 0; i < 3; ++i) {
      const guard hold(m->mu);
      for (const auto& [id, result] : m->watchers) result.send();
    }
  });
  auto result = make_chan<void>();
  m->watchers[0] = result;
  weft::yield();
  if (v == variant::repaired)
    go([result] {
      while (result.recv()) {
      }
    });
  const guard hold(m->mu);
  m->watchers.erase(0);
  result.close();
}

// A frame is written under the lock that the monitor takes to end; then no fiber receives.
void kubernetes_6632(variant v) {
  struct framer {
    weft::chan<bool> reset = make_chan<bool>(), closed = make_chan<bool>();
    weft::mutex write;
    bool open = true;
  };
  auto f = std::make_shared<framer>();
  go([f] { f->closed.send(true); });
  go([f, v] {
    f->closed.recv();
    if (v == variant::repaired)
      go([f] {
        for ([[maybe_unused]] const bool b : f->reset) {
        }
      });
    const guard hold(f->write);
    f->reset.close();
    f->open = false;
  });
  go([f] {
    const guard hold(f->write);
    if (f->open) f->reset.send(true);
  });
}

// A status is sent with the lock held that the receiver takes after the status before.
void kubernetes_10182(variant v) {
  struct manager {
    weft::rw_mutex statuses;
    weft::chan<bool> channel = make_chan<bool>();
  };
  auto s = std::make_shared<manager>();
  go([s] {
    for (int i = 0; i < 2; ++i) {
      s->channel.recv();
      const writer remove(s->statuses);
    }
  });
  for (int i = 0; i < 2; ++i)
    go([s, v] {
      writer set(s->statuses);
      if (v == variant::repaired) set.unlock();
      s->channel.send(true);
    });
}

// The cacher's lock, then the watch cache's to replace; the cache's, then the cacher's for an
// event.
void kubernetes_13135(variant v) {
  struct cacher {
    weft::mutex mu, cache;
    weft::once first;
    wait_group initialized;
  };
  auto c = std::make_shared<cacher>();
  auto stop = make_chan<void>();
  c->initialized.add(1);
  go([c, stop] {
    while (select(recv(stop), otherwise) == 1) {
      lock caching(c->mu);
      const guard replace(c->cache);
      c->first.call([&] { c->initialized.done(); });
      caching.unlock();
      weft::yield();
    }
  });
  c->initialized.wait();
  go([c, v] {
    lock event(c->cache);
    if (v == variant::repaired) event.unlock();
    const guard process(c->mu);
  });
  go([stop] { stop.close(); });
}

// A consumer waits for the stop with the lock held for which the stopper waits.
void kubernetes_26980(variant v) {
  struct listener {
    weft::rw_mutex mu;
    weft::cond added;
    int pending = 0;
  };
  auto l = std::make_shared<listener>();
  auto stop = make_chan<void>(), locked = make_chan<void>();
  {
    const writer add(l->mu);
    ++l->pending;
    l->added.broadcast();
  }
  go([l, stop, v] {
    writer pop(l->mu);
    l->added.wait(pop, [&] { return l->pending > 0; });
    if (v == variant::repaired) pop.unlock();
    stop.recv();
  });
  go([l, locked] {
    const writer probe(l->mu);
    locked.close();
  });
  locked.recv();
  stop.close();
}

// Informer, then queue; and queue, then informer.
void kubernetes_30872(variant v) {
  struct informer {
    weft::mutex mu, queue;
    weft::chan<void> stop = make_chan<void>();
  };
  auto f = std::make_shared<informer>();
  auto stop = make_chan<void>();
  {
    const guard start(f->mu);
    go([f] {
      while (select(recv(f->stop), otherwise) == 1) {
        const guard pop(f->queue);
        const guard add_cluster(f->mu);
      }
    });
  }
  go([f, stop] {
    stop.recv();
    const guard hold(f->mu);
    f->stop.close();
  });
  go([f, v] {
    lock clusters_synced(f->mu);
    if (v == variant::repaired) clusters_synced.unlock();
    const guard has_synced(f->queue);
  });
  stop.close();
}

// Workers wait for work with the lock held for reading for which the resync waits, and those behind
// it.
void kubernetes_58107(variant v) {
  struct queue {
    weft::mutex mu;
    weft::cond filled;
    int items = 0;
  };
  struct controller {
    weft::rw_mutex workers;
    queue queues[2];
  };
  auto c = std::make_shared<controller>();
  for (int i = 0; i < 2; ++i)
    go([c, i, v] {
      queue& q = c->queues[i];
      const auto get = [&] {
        lock hold(q.mu);
        if (v == variant::broken) q.filled.wait(hold);
        else q.filled.wait(hold, [&] { return q.items > 0; });
      };
      if (v == variant::repaired) get();
      const reader work(c->workers);
      if (v == variant::broken) get();
    });
  go([c] {
    for (int i = 0; i < 3; ++i) const writer sync(c->workers);
  });
  for (int i = 0; i < 3; ++i)
    for (queue& q : c->queues) {
      {
        const guard hold(q.mu);
        ++q.items;
      }
      q.filled.signal();
    }
}

// A reader reads again further down, with a writer in between.
void kubernetes_62464(variant v) {
  auto state = std::make_shared<weft::rw_mutex>();
  go([state, v] {
    reader get_or_default(*state);
    if (v == variant::repaired) get_or_default.unlock();
    {
      const reader get(*state);
      if (weft::sim::choose(10) > 5) return;
    }
    const reader get_default(*state);
  });
  go([state] {
    { const reader get_default(*state); }
    const writer set_default(*state);
  });
}

const kernel all[] = {
    {"kubernetes_1321", bug::mixed, kubernetes_1321},      {"kubernetes_6632", bug::mixed, kubernetes_6632},
    {"kubernetes_10182", bug::mixed, kubernetes_10182},    {"kubernetes_13135", bug::resource, kubernetes_13135},
    {"kubernetes_26980", bug::mixed, kubernetes_26980},    {"kubernetes_30872", bug::resource, kubernetes_30872},
    {"kubernetes_58107", bug::resource, kubernetes_58107}, {"kubernetes_62464", bug::resource, kubernetes_62464},
};

}  // namespace

std::span<const kernel> kubernetes_locks() { return all; }

}  // namespace corpus
