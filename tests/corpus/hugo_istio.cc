// Hugo and Istio: blocking bugs.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A lock for each URL, found under a lock for all of them: that is held while the first is waited
// for, and is needed to release it.
void hugo_3251(variant v) {
  struct url_locks {
    weft::rw_mutex mu;
    std::map<int, std::shared_ptr<weft::mutex>> each;
  };
  auto l = std::make_shared<url_locks>();
  wait_group g;
  for (int i = 0; i < 3; ++i)
    g.go([l, v] {
      for (int k = 0; k < 2; ++k) {
        writer w(l->mu);
        auto& mine = l->each[0];
        if (!mine) mine = std::make_shared<weft::mutex>();
        const auto url = mine;
        if (v == variant::repaired) w.unlock();
        url->lock();
        if (v == variant::broken) w.unlock();

        const reader r(l->mu);
        l->each[0]->unlock();
      }
    });
  g.wait();
}

// A page is rendered once, with a time limit. What runs past the limit holds the page's lock and
// comes back to the same page, whose own rendering takes that lock.
void hugo_5379(variant v) {
  struct page {
    weft::once content, plain;
    weft::mutex content_mu;

    static void word_count(const std::shared_ptr<page>& p, variant v) {
      p->content.call([&] {
        auto [ctx, cancel] = weft::with_timeout(weft::background(), 1ms);
        auto done = make_chan<void>(1);
        go([p, done, v] {
          const guard hold(p->content_mu);
          if (v == variant::broken) word_count(p, v);  // by a shortcode; the repair gives it no content
          done.send();
        });
        select(recv(ctx.done()), recv(done));
      });
      p->plain.call([&] { const guard hold(p->content_mu); });
    }
  };
  auto p = std::make_shared<page>();
  wait_group g;
  for (int renderer = 0; renderer < 2; ++renderer) g.go([p, v] { page::word_count(p, v); });
  g.wait();
}

// A handler reports under a lock that the receiver of the report takes first.
void istio_16224(variant v) {
  auto events = make_chan<int>();
  auto done = make_chan<void>(), stop = make_chan<void>();
  auto mu = std::make_shared<weft::mutex>();
  go([=] {
    for (;;) {
      if (select(recv(stop), recv(events)) == 0) {
        if (v == variant::broken) events.recv();
        return;
      }
      lock hold(*mu);
      if (v == variant::repaired) hold.unlock();
      done.send();
    }
  });
  go([=] {
    events.send(0);
    { const guard hold(*mu); }
    done.recv();
    stop.close();
  });
}

// The exit of an epoch is reported to an agent that has left.
void istio_17860(variant v) {
  struct agent {
    weft::mutex mu;
    weft::chan<int> status = make_chan<int>();
    int epoch = 0;
    std::map<int, bool> active;
  };
  auto a = std::make_shared<agent>();
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  go([a, ctx] {
    for (;;) {
      int ended = 0;
      if (select(recv(a->status, ended), recv(ctx.done())) == 1) return;
      const guard hold(a->mu);
      a->active.erase(ended);
      if (a->active.empty()) return;
    }
  });
  wait_group restarts;
  const auto restart = [a, ctx, v] {
    const guard hold(a->mu);
    if (!a->active.empty()) {  // wait until the proxy lives, which it never does
      weft::ticker interval(30ns);
      weft::timer limit(100ns);
      while (select(recv(limit.c()), recv(interval.c())) == 1) {
      }
    }
    const int epoch = ++a->epoch;
    a->active[epoch] = true;
    go([a, ctx, epoch, v] {
      if (v == variant::broken) a->status.send(epoch);
      else select(send(a->status, epoch), recv(ctx.done()));
    });
  };
  restart();
  restarts.go(restart);
  weft::sleep(200ns);
  restarts.wait();
}

// A timer that was not stopped in time is drained, but its value was received before.
void istio_18454(variant v) {
  struct strategy {
    weft::mutex mu;
    std::optional<weft::timer> timer;
    weft::chan<void> reset = make_chan<void>(1);
    weft::cancelable worker = weft::with_cancel(weft::background());
  };
  auto s = std::make_shared<strategy>();
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  auto events = make_chan<int>(4);
  for (int i = 0; i < 4; ++i) events.send(i);
  const auto on_change = [s, v] {
    lock hold(s->mu);
    if (s->timer) {
      hold.unlock();
      return s->reset.send();
    }
    s->timer.emplace(1ns);
    go([s, v] {
      for (;;) {
        switch (select(recv(s->timer->c()), recv(s->reset), recv(s->worker.ctx.done()))) {
          case 0: break;
          case 1:
            if (!s->timer->stop()) {
              if (v == variant::broken) s->timer->c().recv();
              else (void)s->timer->c().try_recv();
            }
            s->timer->reset(1ns);
            break;
          default: s->timer->stop(); return;
        }
      }
    });
  };
  wait_group g;
  g.go([s, ctx, events, on_change] {
    while (select(recv(ctx.done()), recv(events)) == 1) on_change();
    s->worker.cancel();
  });
  weft::sleep(1us);
  cancel();
  g.wait();
}

const kernel all[] = {
    {"hugo_3251", bug::resource, hugo_3251},          {"hugo_5379", bug::resource, hugo_5379},
    {"istio_16224", bug::mixed, istio_16224},         {"istio_17860", bug::communication, istio_17860},
    {"istio_18454", bug::communication, istio_18454},
};

}  // namespace

std::span<const kernel> hugo_istio() { return all; }

}  // namespace corpus
