// Operations in an order that the program did not expect, and operations that are not allowed: use
// of what has ended, or does not exist yet, sends to closed channels, counters below 0.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A worker is added to a stopper whose stop has already counted its workers.
void cockroach_4407(variant v) {
  struct stopper {
    weft::mutex mu, server;
    int workers = 0;
    weft::cond all_done;
    bool stopping = false, stopped = false;
  };
  auto s = std::make_shared<stopper>();
  for (int i = 0; i < 2; ++i)
    go([s, v] {
      const guard gossip(s->server);
      {
        const guard hold(s->mu);
        if (v == variant::repaired && s->stopping) return;
        weft::sim::require(!s->stopped, "a worker starts after the stop");
        ++s->workers;
      }
      go([s] {
        { const guard sender(s->server); }
        const guard hold(s->mu);
        --s->workers;
        s->all_done.broadcast();
      });
    });
  lock stop(s->mu);
  s->stopping = true;
  s->all_done.wait(stop, [&] { return s->workers == 0; });
  s->stopped = true;
}

// A response is written after the status, which closes the channel of writes.
void grpc_1687(variant v) {
  auto writes = make_chan<int>();
  auto closed = make_chan<void>();
  go([=] {
    const auto write = [&] {
      if (select(recv(closed), otherwise) == 0) return;
      select(send(writes, 1), recv(closed));
    };
    write();  // the status
    if (v == variant::broken) writes.close();
    else closed.close();
    write();
  });
  for (;;) {
    std::optional<int> w;
    if (select(recv(writes, w), recv(closed)) == 1 || !w) return;
  }
}

// A configuration arrives after the connection has been closed, whose balancer is gone.
void grpc_2371(variant v) {
  struct connection {
    weft::mutex mu;
    std::optional<weft::chan<void>> updates{make_chan<void>(1)};
  };
  for (int i = 0; i < 2; ++i) {
    auto cc = std::make_shared<connection>();
    go([cc, v] {  // the resolver
      const guard hold(cc->mu);
      if (v == variant::repaired && !cc->updates) return;
      panic_if_null(!cc->updates);
      (void)cc->updates->try_recv();
      cc->updates->send();
    });
    go([cc] {
      const guard close(cc->mu);
      cc->updates.reset();
    });
  }
}

// A resolver polls while it is built, before its place in the wrapper is set.
void grpc_3090(variant v) {
  struct wrapper {
    weft::mutex mu, resolver_mu;
    std::shared_ptr<int> resolver;
  };
  auto w = std::make_shared<wrapper>();
  lock building(w->resolver_mu, std::defer_lock);
  if (v == variant::repaired) building.lock();
  {
    const guard poll(w->mu);
    go([w] {
      const guard now(w->mu);
      const guard use(w->resolver_mu);
      panic_if_null(!w->resolver);
    });
  }
  weft::sim::point();  // the rest of the building
  w->resolver = std::make_shared<int>(1);
}

// The stop clears the channel that the loop is yet to wait for, and which is nil then.
void istio_8967(variant v) {
  auto done = std::make_shared<weft::chan<void>>(make_chan<void>());
  go([done] {
    weft::sim::point();
    done->recv();
  });
  done->close();
  if (v == variant::broken) *done = {};
}

// Deletions are counted down before the test has counted them up.
void kubernetes_13058(variant v) {
  constexpr int threads = 3;
  auto deletions = std::make_shared<wait_group>();
  if (v == variant::repaired) deletions->add(threads);
  go([deletions] {
    for (int i = 0; i < threads; ++i) {
      deletions->done();
      weft::yield();
    }
  });
  wait_group adders;
  for (int i = 0; i < threads; ++i) adders.go([] { weft::yield(); });
  if (v == variant::broken) deletions->add(threads);
  adders.wait();
  deletions->wait();
}

// Work is given to a pool after its end was requested.
void serving_3068(variant v) {
  struct pool {
    wait_group work_done;
    weft::chan<std::function<void()>> work = make_chan<std::function<void()>>(5);
    weft::once ended;
    void go(std::function<void()> f) {
      work_done.add(1);
      work.send(std::move(f));
    }
    void wait() {
      ended.call([&] { work.close(); });
      work_done.wait();
    }
  };
  auto p = std::make_shared<pool>();
  weft::go([p] {
    for (const auto& f : p->work) {
      f();
      p->work_done.done();
    }
  });
  auto given = std::make_shared<wait_group>();
  given->go([p] {
    for (int i = 0; i < 3; ++i) p->go([] {});
  });
  if (v == variant::repaired) given->wait();
  p->wait();
  given->wait();
}

// A fiber logs through a test that has ended, which is not allowed.
void logs_after_the_test(variant v, bool through_a_manager) {
  auto test_ended = std::make_shared<bool>(false);
  auto watcher = std::make_shared<wait_group>();
  const auto check = [test_ended, watcher] {
    watcher->go([test_ended] { weft::sim::require(!*test_ended, "log after the test has ended"); });
  };
  if (through_a_manager) {
    watcher->go(check);
  } else {
    wait_group tick;
    tick.go(check);
    tick.wait();
  }
  if (v == variant::repaired) watcher->wait();
  *test_ended = true;
}

void serving_4908(variant v) { logs_after_the_test(v, false); }
void serving_6171(variant v) { logs_after_the_test(v, true); }

// The watcher of a revision ends and closes the channel to which the update of its endpoints is
// sent.
void serving_5865(variant v) {
  auto destinations = make_chan<int>();
  auto ended = make_chan<void>();
  auto watchers = std::make_shared<weft::mutex>();
  {
    const guard create(*watchers);
    go([=] {
      if (v == variant::broken) destinations.close();
      else ended.close();
    });
  }
  if (v == variant::broken) destinations.send(1);
  else select(send(destinations, 1), recv(ended));
}

const kernel all[] = {
    {"cockroach_4407", bug::order, cockroach_4407}, {"grpc_1687", bug::misuse, grpc_1687},
    {"grpc_2371", bug::order, grpc_2371},           {"grpc_3090", bug::order, grpc_3090},
    {"istio_8967", bug::order, istio_8967},         {"kubernetes_13058", bug::misuse, kubernetes_13058},
    {"serving_3068", bug::misuse, serving_3068},    {"serving_4908", bug::order, serving_4908},
    {"serving_5865", bug::misuse, serving_5865},    {"serving_6171", bug::order, serving_6171},
};

}  // namespace

std::span<const kernel> orders() { return all; }

}  // namespace corpus
