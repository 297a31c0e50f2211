// Races of memory, the second half: what one side accesses under a lock, and the other without.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A queue with its lock, and the fiber that flushes it under the lock. `use` is what the test does,
// without.
template <class F>
void flushed_queue(variant v, F use) {
  struct queue {
    weft::rw_mutex mu;
    cell<int> items{2};
  };
  auto q = std::make_shared<queue>();
  auto stop = make_chan<void>();
  go([q, stop] {
    {
      const writer flush(q->mu);
      q->items.change([](int& n) { --n; });
    }
    stop.recv();
  });
  {
    writer test(q->mu, std::defer_lock);
    if (v == variant::repaired) test.lock();
    use(q->items);
  }
  stop.close();
}

// A look-up by key.
void kubernetes_79631(variant v) {
  flushed_queue(v, [](cell<int>& items) { items.read(); });
}
// The length.
void kubernetes_88331(variant v) {
  flushed_queue(v, [](cell<int>& items) {
    items.read();
    items.read();
  });
}
// A time stamp that the test sets back.
void kubernetes_81148(variant v) {
  flushed_queue(v, [](cell<int>& items) { items.write(60); });
}

// Each dispatcher empties a buffer under the lock and walks over it after the lock.
void dispatch(variant v, bool waits) {
  struct cacher {
    weft::rw_mutex mu;
    cell<int> watchers{3};
  };
  auto c = std::make_shared<cacher>();
  const auto dispatch_event = [c, v] {
    writer start(c->mu);
    c->watchers.write(0);
    if (v == variant::broken) start.unlock();
    c->watchers.read();
  };
  go(dispatch_event);
  for (int i = 0; i < 3; ++i) {
    wait_group g;
    g.go(dispatch_event);
    if (waits) g.wait();
    else weft::yield();
    g.wait();
  }
}

void kubernetes_77796(variant v) { dispatch(v, false); }
void kubernetes_89164(variant v) { dispatch(v, true); }

// A server's handler sets a flag which the test reads while the server ends.
void kubernetes_49404(variant v) {
  auto called = std::make_shared<cell<bool>>(false);
  wait_group server;
  auto connections = std::make_shared<wait_group>();
  server.go([called, connections] { connections->go([called, connections] { called->write(true); }); });
  if (v == variant::repaired) {
    server.wait();
    connections->wait();
  }
  called->read();
  server.wait();
}

// A volume from the shared cache gets an annotation while a worker copies it.
void kubernetes_82239(variant v) {
  auto volume = std::make_shared<cell<std::map<int, int>>>();
  auto stop = make_chan<void>();
  volume->write({{0, 0}, {1, 0}});
  go([volume, stop] {
    volume->read();
    stop.recv();
  });
  if (v == variant::broken) {
    volume->change([](auto& annotations) { annotations[0] = 1; });
  } else {  // of a copy
    auto copy = volume->read();
    copy[0] = 1;
  }
  stop.close();
}

// A command's output is read at the time limit, while the command still writes it.
void moby_18412(variant v) {
  struct command {
    cell<int> output;
    weft::chan<void> killed = make_chan<void>();
  };
  auto c = std::make_shared<command>();
  auto done = make_chan<void>(1);
  wait_group g;
  g.go([c, done] {
    for (int line = 0; line < 3; ++line) {
      if (select(recv(c->killed), recv(weft::after(1ms))) == 0) break;
      c->output.change([](int& n) { ++n; });
    }
    done.send();
  });
  if (select(recv(weft::after(2ms)), recv(done)) == 0) {
    c->killed.close();
    if (v == variant::repaired) done.recv();
  }
  c->output.read();
  g.wait();
}

// Reactions to a fake client are replaced while a controller walks over them.
void serving_3148(variant v) {
  auto reactions = std::make_shared<cell<int>>(0);
  auto mu = std::make_shared<weft::mutex>();
  wait_group g;
  g.go([=] {
    lock invoke(*mu, std::defer_lock);
    if (v == variant::repaired) invoke.lock();
    reactions->read();
  });
  {
    lock prepend(*mu, std::defer_lock);
    if (v == variant::repaired) prepend.lock();
    reactions->write(1);
  }
  g.wait();
}

// Items are counted after they have been queued, while workers count them down.
void serving_6472(variant v) {
  struct prober {
    weft::mutex queue;
    int queued = 0;
    cell<int> pending;
    weft::mutex pending_mu;
  };
  auto p = std::make_shared<prober>();
  wait_group g;
  const auto count = [v](prober& of, int by) {
    lock hold(of.pending_mu, std::defer_lock);
    if (v == variant::repaired) hold.lock();
    of.pending.change([by](int& n) { n += by; });
  };
  for (int worker = 0; worker < 2; ++worker)
    g.go([p, count] {
      {
        const guard get(p->queue);
        if (p->queued == 0) return;
        --p->queued;
      }
      count(*p, -1);
    });
  if (v == variant::repaired) count(*p, 2);
  for (int item = 0; item < 2; ++item) {
    const guard add(p->queue);
    ++p->queued;
  }
  if (v == variant::broken) count(*p, 2);
  g.wait();
}

// The channels of a node are made by its own fiber, and used by the server's.
void etcd_3077(variant v) {
  struct node {
    cell<weft::chan<void>> stopped, done;
    void make() {
      stopped.write(make_chan<void>());
      done.write(make_chan<void>());
    }
  };
  auto n = std::make_shared<node>();
  auto stop = make_chan<void>(), done = make_chan<void>();
  if (v == variant::repaired) n->make();
  go([n, v] {
    if (v == variant::broken) n->make();
    n->stopped.read().recv();
    n->done.read().close();
  });
  go([n, stop, done] {
    stop.recv();
    n->stopped.read().send();
    n->done.read().recv();
    done.close();
  });
  stop.send();
  done.recv();
}

const kernel all[] = {
    {"etcd_3077", bug::race, etcd_3077},
    {"kubernetes_49404", bug::race, kubernetes_49404},
    {"kubernetes_77796", bug::race, kubernetes_77796},
    {"kubernetes_79631", bug::race, kubernetes_79631},
    {"kubernetes_81148", bug::race, kubernetes_81148},
    {"kubernetes_82239", bug::race, kubernetes_82239},
    {"kubernetes_88331", bug::race, kubernetes_88331},
    {"kubernetes_89164", bug::race, kubernetes_89164},
    {"moby_18412", bug::race, moby_18412},
    {"serving_3148", bug::race, serving_3148},
    {"serving_6472", bug::race, serving_6472},
};

}  // namespace

std::span<const kernel> more_races() { return all; }

}  // namespace corpus
