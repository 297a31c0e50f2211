// etcd: blocking bugs.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// One way out keeps the lock for reading.
void etcd_5509(variant v) {
  struct client {
    weft::rw_mutex mu;
    weft::mutex remote;
    bool closed = false;
  };
  auto c = std::make_shared<client>();
  auto done = make_chan<void>();
  go([c, done, v] {
    for (;;) {
      c->mu.lock_shared();
      const bool closed = c->closed;
      { const guard hold(c->remote); }
      if (closed) {
        if (v == variant::repaired) c->mu.unlock_shared();
        break;
      }
      c->mu.unlock_shared();
    }
    done.close();
  });
  {
    writer w(c->mu);
    c->closed = true;
    w.unlock();
    w.lock();
  }
  done.recv();
}

// With the lock held for writing, the leader is looked up by a call that locks for reading.
void etcd_6708(variant v) {
  auto mu = std::make_shared<weft::rw_mutex>();
  go([mu, v] {
    writer sync(*mu);
    if (v == variant::repaired) sync.unlock();
    const reader ask_leader(*mu);
  });
}

// Status sends its request to a loop that a stop may have ended.
void etcd_6857(variant v) {
  struct node {
    weft::chan<weft::chan<int>> status = make_chan<weft::chan<int>>();
    weft::chan<void> stop = make_chan<void>(), done = make_chan<void>();
  };
  auto n = std::make_shared<node>();
  go([n] {
    for (;;) {
      weft::chan<int> answer;
      if (select(recv(n->status, answer), recv(n->stop)) == 1) break;
      answer.send(1);
    }
    n->done.close();
  });
  go([n, v] {
    auto answer = make_chan<int>();
    if (v == variant::broken) n->status.send(answer);
    else if (select(send(n->status, answer), recv(n->done)) == 1) return;
    answer.recv();
  });
  go([n] {
    if (select(send(n->stop), recv(n->done)) == 0) n->done.recv();
  });
}

// Stop waits with the lock held for a loop that locks.
void etcd_6873(variant v) {
  struct broadcasts {
    weft::mutex mu;
    weft::chan<int> updates = make_chan<int>(1);
    weft::chan<void> done = make_chan<void>();
  };
  auto b = std::make_shared<broadcasts>();
  go([b] {
    for ([[maybe_unused]] const int u : b->updates) const guard coalesce(b->mu);
    b->done.close();
  });
  (void)b->updates.try_send(1);
  go([b, v] {
    lock hold(b->mu);
    b->updates.close();
    if (v == variant::repaired) hold.unlock();
    b->done.recv();
  });
}

// A balancer notifies with its lock held. The watcher that takes the notification tears connections
// down, which wait for that lock.
void etcd_7443(variant v) {
  using addresses = std::vector<int>;
  struct balancer {
    weft::chan<addresses> notify = make_chan<addresses>(1);
    addresses all{0, 1, 2};
    weft::mutex mu;
    bool closed = false;
    int pinned = 0;

    void tell(const addresses& what, variant v) {
      if (v == variant::broken) return notify.send(what);
      (void)notify.try_recv();  // older news
      (void)notify.try_send(what);
    }
    bool up(int address, variant v) {
      const guard hold(mu);
      if (closed) return false;
      if (pinned == 0) {
        pinned = address;
        tell({address}, v);
      }
      return true;
    }
    void down(int address, variant v) {
      try {
        const guard hold(mu);
        if (pinned != address || (v == variant::repaired && closed)) return;
        pinned = 0;
        tell(all, v);
      } catch (const weft::panic&) {  // closed in between
      }
    }
    void close() {
      const guard hold(mu);
      if (std::exchange(closed, true)) return;
      notify.close();
      pinned = 0;
    }
  };
  struct connection {
    int address;
    weft::mutex mu;
    bool is_up = false;
  };
  struct client {
    balancer b;
    weft::mutex mu;
    std::optional<std::map<int, std::shared_ptr<connection>>> connections{std::in_place};

    void tear_down(connection& c, variant v) {
      const guard hold(c.mu);
      if (std::exchange(c.is_up, false)) b.down(c.address, v);
    }
  };
  auto c = std::make_shared<client>();
  c->b.notify.send(c->b.all);
  go([c, v] {  // the watcher
    for (const addresses& wanted : c->b.notify) {
      addresses added;
      std::vector<std::shared_ptr<connection>> gone;
      {
        const guard hold(c->mu);
        if (!c->connections) continue;
        for (const int a : wanted)
          if (!c->connections->count(a)) added.push_back(a);
        for (const auto& [a, made] : *c->connections)
          if (std::find(wanted.begin(), wanted.end(), a) == wanted.end()) gone.push_back(made);
        for (const auto& old : gone) c->connections->erase(old->address);
      }
      for (const int a : added) {
        auto made = std::make_shared<connection>();
        made->address = a;
        {
          const guard hold(c->mu);
          if (!c->connections) break;
          (*c->connections)[a] = made;
        }
        go([c, made, v] {
          const guard hold(made->mu);
          made->is_up = c->b.up(made->address, v);
        });
      }
      for (const auto& old : gone) c->tear_down(*old, v);
    }
  });
  auto closed = make_chan<void>();
  go([c, closed] {
    c->b.close();
    closed.close();
  });
  go([c, v] {
    std::optional<std::map<int, std::shared_ptr<connection>>> left;
    {
      const guard hold(c->mu);
      left.swap(c->connections);
    }
    c->b.close();
    for (const auto& [a, made] : *left) c->tear_down(*made, v);
  });
  closed.recv();
}

// A token is handed to the keeper with the tokens locked; the keeper deletes old ones, which locks
// them.
void etcd_7492(variant v) {
  struct tokens {
    weft::mutex mu;
    weft::chan<void> added = make_chan<void>(1);
    weft::chan<weft::chan<void>> stop = make_chan<weft::chan<void>>();
  };
  auto t = std::make_shared<tokens>();
  go([t] {
    weft::ticker tick(1ns);
    int kept = 0;
    for (;;) {
      weft::chan<void> stopped;
      switch (select(recv(t->added), recv(tick.c()), recv(t->stop, stopped))) {
        case 0: ++kept; break;
        case 1:
          for (; kept > 0; --kept) const guard hold(t->mu);
          break;
        default: stopped.send(); return;
      }
    }
  });
  wait_group g;
  for (int i = 0; i < 3; ++i)
    g.go([t, v] {
      lock hold(t->mu);
      if (v == variant::repaired) hold.unlock();
      t->added.send();
    });
  g.wait();
  auto stopped = make_chan<void>();
  t->stop.send(stopped);
  stopped.recv();
}

// A follower waits for the leader with the lock held that the leader needs to release it.
void etcd_7902(variant v) {
  constexpr std::size_t clients = 3, rounds = 2;
  struct election {
    weft::mutex mu;
    std::vector<weft::chan<void>> next;
  };
  auto e = std::make_shared<election>();
  for (std::size_t i = 0; i < rounds; ++i) e->next.push_back(make_chan<void>());
  wait_group g;
  for (std::size_t i = 0; i < clients; ++i)
    g.go([e, i, v] {
      for (std::size_t round = 0; round < rounds; ++round) {
        weft::chan<void> mine;
        {
          const guard validate(e->mu);
          mine = e->next[round];
        }
        weft::sleep(10ms);
        lock release(e->mu);
        if (i == 0) mine.close();
        if (v == variant::repaired) release.unlock();
        mine.recv();
      }
    });
  g.wait();
}

// A renewal calls back with the lock held, and the callback locks.
void etcd_10492(variant v) {
  struct lessor {
    weft::mutex mu;
    std::function<void()> checkpoint;
  };
  auto le = std::make_shared<lessor>();
  le->checkpoint = [mu = &le->mu] { const guard hold(*mu); };
  go([le, v] {
    lock hold(le->mu);
    if (v == variant::repaired) hold.unlock();
    le->checkpoint();
  });
}

const kernel all[] = {
    {"etcd_5509", bug::resource, etcd_5509},      {"etcd_6708", bug::resource, etcd_6708},
    {"etcd_6857", bug::communication, etcd_6857}, {"etcd_6873", bug::mixed, etcd_6873},
    {"etcd_7443", bug::mixed, etcd_7443},         {"etcd_7492", bug::mixed, etcd_7492},
    {"etcd_7902", bug::mixed, etcd_7902},         {"etcd_10492", bug::resource, etcd_10492},
};

}  // namespace

std::span<const kernel> etcd() { return all; }

}  // namespace corpus
