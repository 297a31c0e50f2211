// gRPC: blocking bugs.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A worker hands its result to a loop that a stop has ended.
void grpc_660(variant v) {
  auto stop = make_chan<void>();
  go([stop, v] {
    for (;;) {
      auto done = make_chan<bool>(v == variant::repaired ? 1 : 0);
      go([done] { done.send(weft::sim::choose(10) <= 7); });
      if (select(recv(stop), recv(done)) == 0) return;
    }
  });
  go([stop] { stop.send(); });
}

// The second graceful stop locks where it should unlock.
void grpc_795(variant v) {
  struct server {
    weft::mutex mu;
    bool drains = false;
  };
  auto s = std::make_shared<server>();
  go([s] { const guard serve(s->mu); });
  go([s, v] {
    for (int i = 0; i < 3; ++i) {
      s->mu.lock();
      if (s->drains && v == variant::broken) return s->mu.lock();
      s->drains = true;
      s->mu.unlock();
    }
  });
}

// A dial that fails loses its connection object, so that no fiber closes it.
void grpc_862(variant v) {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  go([ctx, v] {
    auto cc = std::make_shared<weft::cancelable>(weft::with_cancel(weft::background()));
    go([cc] {
      auto transport = weft::with_cancel(cc->ctx);
      transport.ctx.done().recv();
    });
    std::shared_ptr<weft::cancelable> result;
    if (v == variant::repaired) result = cc;
    if (v == variant::repaired) ctx.done().recv();
    if (select(recv(ctx.done()), otherwise) == 0 && result) result->cancel();
  });
  go([cancel = std::move(cancel)] { cancel(); });
}

// A stream is closed, but the fiber that reads from it is not woken.
void grpc_1275(variant v) {
  auto received = make_chan<void>();
  auto done = make_chan<void>();
  go([received, done] {
    received.recv();
    done.close();
  });
  if (v == variant::repaired) received.close();
  weft::timer timeout(300ns);
  select(recv(done), recv(timeout.c()));
}

// An update of addresses is sent with the lock held that its receiver takes to tear connections
// down.
void grpc_1353(variant v) {
  struct round_robin {
    weft::mutex mu;
    weft::chan<bool> addresses = make_chan<bool>();
  };
  auto rr = std::make_shared<round_robin>();
  go([rr, v] {
    for (int i = 0; i < 3; ++i) {
      lock hold(rr->mu);
      if (v == variant::repaired) hold.unlock();
      rr->addresses.send(true);
    }
    rr->addresses.close();
  });
  go([rr] {
    for ([[maybe_unused]] const bool a : rr->addresses)
      for (int connection = 0; connection < 2; ++connection) const guard down(rr->mu);
  });
}

// The dialer waits for the first addresses; the watcher ends without any and does not say so.
void grpc_1424(variant v) {
  auto addresses = make_chan<bool>();
  go([addresses, v] {
    auto done = make_chan<void>();
    go([addresses, done, v] {
      for ([[maybe_unused]] const bool a : addresses) {
      }
      if (v == variant::repaired) done.close();
    });
    done.recv();
  });
  addresses.close();
}

// The keepalive fiber sleeps on a channel with the lock held that its waker needs.
void grpc_1460(variant v) {
  struct client {
    weft::mutex mu;
    weft::chan<void> awaken = make_chan<void>();
    weft::cond has_stream;
    int streams = 0;
  };
  auto c = std::make_shared<client>();
  go([c, v] {
    lock hold(c->mu);
    if (v == variant::repaired) c->has_stream.wait(hold, [&] { return c->streams > 0; });
    else if (c->streams < 1) c->awaken.recv();
  });
  go([c] {
    const guard hold(c->mu);
    if (++c->streams == 1) {
      (void)c->awaken.try_send();
      c->has_stream.signal();
    }
  });
}

// The timer that removes a cached connection finds that it was cancelled too late to stop it, and
// keeps the lock.
void grpc_3017(variant v) {
  struct entry {
    weft::timer removal;
    bool aborted = false;
  };
  struct cache {
    weft::mutex mu;
    std::shared_ptr<entry> removed;
  };
  auto c = std::make_shared<cache>();
  auto done = make_chan<void>();
  go([c, done, v] {
    for (int i = 0; i < 4; ++i) {
      {
        const guard hold(c->mu);
        auto e = std::make_shared<entry>();
        c->removed = e;
        e->removal = weft::after_func(1ns, [c, e, v] {
          c->mu.lock();
          if (e->aborted) {
            if (v == variant::repaired) c->mu.unlock();
            return;
          }
          c->removed = nullptr;
          c->mu.unlock();
        });
      }
      const guard hold(c->mu);
      if (c->removed && !c->removed->removal.stop()) c->removed->aborted = true;
      c->removed = nullptr;
    }
    const guard hold(c->mu);
    done.close();
  });
  done.recv();
}

const kernel all[] = {
    {"grpc_660", bug::communication, grpc_660}, {"grpc_795", bug::resource, grpc_795},
    {"grpc_862", bug::communication, grpc_862}, {"grpc_1275", bug::communication, grpc_1275},
    {"grpc_1353", bug::mixed, grpc_1353},       {"grpc_1424", bug::communication, grpc_1424},
    {"grpc_1460", bug::mixed, grpc_1460},       {"grpc_3017", bug::resource, grpc_3017},
};

}  // namespace

std::span<const kernel> grpc() { return all; }

}  // namespace corpus
