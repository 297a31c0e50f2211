// Cockroach: bugs with locks alone.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// The loop ends with the lock held when gossip has been closed, and the next stage locks it again.
void cockroach_584(variant v) {
  struct gossip {
    weft::mutex mu;
    bool closed = true;
  };
  auto g = std::make_shared<gossip>();
  go([g, v] {
    for (int stage = 0; stage < 2; ++stage)
      for (;;) {
        g->mu.lock();
        if (g->closed) {
          if (v == variant::repaired) g->mu.unlock();
          break;
        }
        g->mu.unlock();
      }
  });
}

// A scan holds the store's lock for reading and reads again further down; a writer that comes
// between waits for the first and stops the second.
void cockroach_3710(variant v) {
  struct store {
    weft::rw_mutex mu;
    weft::mutex log_queue;
    std::vector<int> replicas{1, 2};
  };
  auto s = std::make_shared<store>();
  go([s, v] {  // the scan
    reader all(s->mu);
    const std::vector<int> replicas = s->replicas;
    if (v == variant::repaired) all.unlock();
    for ([[maybe_unused]] const int r : replicas) {
      const guard queue(s->log_queue);
      const reader status(s->mu);
    }
  });
  go([s] {  // raft processing
    const writer w(s->mu);
    s->replicas.push_back(3);
  });
}

// A look-up holds the cache's lock for reading while it prints the cache, which locks it for
// reading.
void cockroach_6181(variant v) {
  auto mu = std::make_shared<weft::rw_mutex>();
  wait_group g;
  for (int i = 0; i < 3; ++i)
    g.go([mu, v] {
      {
        const reader look_up(*mu);
        if (v == variant::broken) const reader print(*mu);
      }
      const writer insert(*mu);
    });
  g.wait();
}

// Acquire locks the name cache, then the lease; release locks the lease, then the name cache.
void cockroach_7504(variant v) {
  struct leases {
    weft::mutex names, table, lease;
    bool cached = true;
  };
  auto s = std::make_shared<leases>();
  go([s] {
    const guard names(s->names);
    if (s->cached) const guard lease(s->lease);
  });
  go([s, v] {
    const guard table(s->table);
    lock lease(s->lease);
    if (v == variant::repaired) lease.unlock();
    const guard names(s->names);
    s->cached = false;
  });
}

// The path of errors locks the log, which its caller holds.
void cockroach_9935(variant v) {
  auto mu = std::make_shared<weft::mutex>();
  go([mu, v] {
    const guard output(*mu);
    const bool file_was_created = weft::sim::choose(8) % 4 == 0;
    if (!file_was_created && v == variant::broken) const guard exit(*mu);
  });
}

// Heartbeats go out with the coalescing lock held and lock each replica; a replica's tick locks
// itself, then that.
void cockroach_10214(variant v) {
  struct replica {
    weft::mutex raft, mu;
  };
  struct store {
    weft::mutex coalesced;
    int responses = 2;
    replica replicas[2];
  };
  auto s = std::make_shared<store>();
  go([s, v] {
    lock coalesced(s->coalesced);
    const int n = s->responses;
    if (v == variant::repaired) coalesced.unlock();
    for (int i = 0; i < n; ++i)
      for (replica& r : s->replicas) const guard raft(r.raft);
  });
  go([s] {
    replica& r = s->replicas[0];
    const guard raft(r.raft);
    const guard mu(r.mu);
    for (int i = 0; i < 2; ++i) const guard coalesced(s->coalesced);
  });
}

// The condition's lock is the reader side of the lock that the statement takes again further down.
void cockroach_16167(variant v) {
  auto config = std::make_shared<weft::rw_mutex>();
  go([config] { const writer update(*config); });
  reader statement(*config);
  if (v == variant::repaired) statement.unlock();
  const reader cache(*config);
}

const kernel all[] = {
    {"cockroach_584", bug::resource, cockroach_584},     {"cockroach_3710", bug::resource, cockroach_3710},
    {"cockroach_6181", bug::resource, cockroach_6181},   {"cockroach_7504", bug::resource, cockroach_7504},
    {"cockroach_9935", bug::resource, cockroach_9935},   {"cockroach_10214", bug::resource, cockroach_10214},
    {"cockroach_16167", bug::resource, cockroach_16167},
};

}  // namespace

std::span<const kernel> cockroach_locks() { return all; }

}  // namespace corpus
