// Moby's other blocking bugs, Knative Serving's and Syncthing's.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A monitor is stopped by a send with the lock held that its probe takes.
void moby_28462(variant v) {
  struct container {
    weft::mutex mu;
    weft::chan<void> stop = make_chan<void>();
  };
  auto c = std::make_shared<container>();
  go([c] {
    while (select(recv(c->stop), otherwise) == 1) const guard probe(c->mu);
  });
  go([c, v] {
    const guard hold(c->mu);
    if (v == variant::repaired) c->stop.close();
    else c->stop.send();
  });
}

// A plugin that waits for its activation is deactivated, which wakes no fiber.
void moby_29733(variant v) {
  struct plugin {
    weft::mutex mu, handlers;
    weft::cond change;
    bool activated = false, failed = false;
  };
  auto p = std::make_shared<plugin>();
  const auto test_active = [p] {
    auto done = make_chan<void>();
    go([p, done] {
      lock hold(p->mu);
      p->change.wait(hold, [&] { return p->activated || p->failed; });
      done.close();
    });
    return done;
  };
  const auto handle = [p, v] {
    const guard hold(p->handlers);
    const guard state(p->mu);
    p->activated = false;
    if (v == variant::broken) return;
    p->failed = true;
    p->change.broadcast();
  };
  const auto active = test_active();
  if (v == variant::repaired) handle();
  active.recv();
  handle();
  test_active().recv();
}

// An activation that has failed is an error in a field, and no activation.
void moby_30408(variant v) {
  struct plugin {
    weft::mutex mu;
    weft::cond change;
    bool has_manifest = false, failed = false;
  };
  auto p = std::make_shared<plugin>();
  p->failed = true;
  auto done = make_chan<void>();
  go([p, done, v] {
    lock hold(p->mu);
    while (!p->has_manifest && !(v == variant::repaired && p->failed)) p->change.wait(hold);
    done.close();
  });
  done.recv();
}

// The error is sent before its channel is returned to the receiver.
void moby_33293(variant v) {
  go([v] {
    auto errors = make_chan<int>(v == variant::repaired ? 1 : 0);
    if (weft::sim::choose(2) == 1) errors.send(1);
  });
}

// The monitor is stopped while a probe has not yet delivered its result.
void moby_33781(variant v) {
  auto stop = make_chan<bool>();
  wait_group g;
  g.go([stop, v] {
    for (;;) {
      if (select(recv(stop), recv(weft::after(1ms))) == 0) return;
      auto results = make_chan<bool>(v == variant::repaired ? 1 : 0);
      auto [ctx, cancel] = weft::with_timeout(weft::background(), 1ms);
      go([results] {
        results.send(true);
        results.close();
      });
      switch (select(recv(stop), recv(results), recv(ctx.done()))) {
        case 0: return;
        case 1: break;
        default: results.recv();
      }
    }
  });
  g.go([stop] {
    weft::sleep(2ms);
    stop.send(true);
  });
  g.wait();
}

// A method that locks calls another one that locks.
void moby_36114(variant v) {
  auto mu = std::make_shared<weft::mutex>();
  go([mu, v] {
    const guard add(*mu);
    if (v == variant::broken) const guard remove(*mu);
  });
}

// Requests are let go one after the other, each after the end of the one before; but they have
// entered in any order.
void serving_2137(variant v) {
  struct request {
    weft::mutex mu;
    weft::chan<bool> accepted = make_chan<bool>(1);
  };
  auto pending = make_chan<void>(2), active = make_chan<void>(1);
  std::vector<std::shared_ptr<request>> requests;
  for (int i = 0; i < 2; ++i) {
    auto r = std::make_shared<request>();
    requests.push_back(r);
    r->mu.lock();
    auto started = std::make_shared<wait_group>();
    started->add(1);
    go([r, pending, active, started] {
      started->done();
      const bool fits = pending.try_send();
      if (fits) {
        active.send();
        { const guard thunk(r->mu); }
        active.recv();
        pending.recv();
      }
      r->accepted.send(fits);
    });
    started->wait();
  }
  if (v == variant::repaired)
    for (const auto& r : requests) r->mu.unlock();
  for (const auto& r : requests) {
    if (v == variant::broken) r->mu.unlock();
    r->accepted.recv();
  }
}

// A mapping notifies with its lock held, and the notification locks it for reading.
void syncthing_4829(variant v) {
  struct service {
    weft::rw_mutex mappings, addresses;
  };
  auto s = std::make_shared<service>();
  go([s, v] {
    const writer remove(s->mappings);
    writer clear(s->addresses);
    if (v == variant::repaired) clear.unlock();
    const reader notify(s->addresses);
  });
}

// A connection is closed from its own dispatcher, and the close waits for the end of the
// dispatcher.
void syncthing_5795(variant v) {
  struct connection {
    weft::chan<int> inbox = make_chan<int>();
    weft::chan<void> stopped = make_chan<void>(), closed = make_chan<void>();
    weft::once close_once;
  };
  auto c = std::make_shared<connection>();
  const auto close = [c, v] {
    c->close_once.call([&] {
      c->closed.close();
      if (v == variant::broken) c->stopped.recv();
    });
  };
  go([c, close] {
    while (select(recv(c->inbox), recv(c->closed)) == 0) close();
    c->stopped.close();
  });
  c->inbox.send(1);
  c->stopped.recv();
}

const kernel all[] = {
    {"moby_28462", bug::mixed, moby_28462},
    {"moby_29733", bug::communication, moby_29733},
    {"moby_30408", bug::communication, moby_30408},
    {"moby_33293", bug::communication, moby_33293},
    {"moby_33781", bug::communication, moby_33781},
    {"moby_36114", bug::resource, moby_36114},
    {"serving_2137", bug::mixed, serving_2137},
    {"syncthing_4829", bug::resource, syncthing_4829},
    {"syncthing_5795", bug::communication, syncthing_5795},
};

}  // namespace

std::span<const kernel> moby_and_others() { return all; }

}  // namespace corpus
