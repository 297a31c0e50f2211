// Kubernetes: blocking bugs with channels and conditions.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// No fiber receives the answer to a request that has timed out.
void kubernetes_5316(variant v) {
  const std::size_t room = v == variant::repaired ? 1 : 0;
  auto result = make_chan<bool>(room), error = make_chan<bool>(room);
  wait_group g;
  g.go([result, error] {
    weft::sleep(2ms);
    if (weft::sim::choose(10) > 5) error.send(true);
    else result.send(true);
  });
  select(recv(result), recv(error), recv(weft::after(1us)));
  g.wait();
}

// One fiber holds the lock while it starts another to wait on the condition. The signal for the end
// comes before that one waits.
void kubernetes_11298(variant v) {
  struct notifier {
    weft::mutex mu;
    weft::cond cond;
    bool pinged = false, ends = false;
  };
  auto n = std::make_shared<notifier>();
  auto abort = make_chan<void>(), finished = make_chan<void>();
  go([n, abort, finished] {  // pings until the abort
    while (select(recv(abort), otherwise) == 1) {
      {
        const guard hold(n->mu);
        n->pinged = true;
        n->cond.signal();
      }
      weft::sleep(100ns);
    }
    finished.close();
  });
  auto ended = make_chan<void>();
  go([n, finished, ended, v] {  // the service loop
    if (v == variant::broken) n->mu.lock();
    while (select(recv(finished), otherwise) == 1) {
      auto woken = make_chan<void>();
      go([n, woken, v] {
        if (v == variant::broken) {
          n->cond.wait(n->mu);
        } else {
          lock hold(n->mu);
          n->cond.wait(hold, [&] { return n->pinged || n->ends; });
          n->pinged = false;
        }
        woken.close();
      });
      if (select(recv(finished), recv(woken)) == 1) continue;
      if (v == variant::repaired) {
        const guard hold(n->mu);
        n->ends = true;
      }
      n->cond.signal();
      woken.recv();
      break;
    }
    if (v == variant::broken) n->mu.unlock();
    ended.close();
  });
  weft::sleep(300ns);
  abort.close();
  ended.recv();
}

// The result of an error goes to a channel without a receiver, after the context has been
// cancelled.
void kubernetes_25331(variant v) {
  struct watch {
    weft::cancelable life = weft::with_cancel(weft::background());
    weft::chan<bool> results = make_chan<bool>(), errors = make_chan<bool>();
  };
  auto w = std::make_shared<watch>();
  go([w, v] {
    if (select(recv(w->errors), recv(w->life.ctx.done())) == 1) return;
    if (v == variant::broken) {
      w->life.cancel();
      w->results.send(true);
    } else {
      select(send(w->results, true), recv(w->life.ctx.done()));
    }
  });
  go([w] {
    w->errors.send(true);
    w->life.cancel();
  });
}

// The first events are sent to a watcher's user who has stopped it already.
void kubernetes_38669(variant v) {
  struct watcher {
    weft::mutex mu;
    weft::chan<int> input = make_chan<int>(), results = make_chan<int>();
    weft::chan<void> done = make_chan<void>();
    bool stopped = false;
    void stop() {
      const guard hold(mu);
      if (std::exchange(stopped, true)) return;
      input.close();
      done.close();
    }
  };
  auto w = std::make_shared<watcher>();
  go([w, v] {
    for (const int event : {1, 2}) {
      if (v == variant::broken) w->results.send(event);
      else select(send(w->results, event), recv(w->done));
    }
    while (w->input.recv()) {
    }
    w->stop();
    w->results.close();
  });
  w->stop();
}

// The poller runs until a channel is closed that its user closes when the poller has ended.
void kubernetes_70277(variant v) {
  const auto poll = [](weft::chan<void> done) {
    auto ticks = make_chan<void>();
    go([ticks, done] {
      weft::ticker tick(1ms);
      const auto limit = weft::after(80ms);
      for (;;) {
        if (select(recv(tick.c()), recv(limit), recv(done)) != 0) break;
        (void)ticks.try_send();
      }
      ticks.close();
    });
    return ticks;
  };
  wait_group g;
  g.go([poll, v] {
    auto stop = make_chan<void>();
    // The repair: the channel that the poller gets is closed when the wait has ended.
    auto passed_on = v == variant::repaired ? make_chan<void>() : stop;
    const auto ticks = poll(passed_on);
    ticks.recv();
    weft::sleep(10ms);
    if (v == variant::repaired) passed_on.close();
    passed_on.recv();
    stop.close();
  });
  g.wait();
}

const kernel all[] = {
    {"kubernetes_5316", bug::communication, kubernetes_5316},
    {"kubernetes_11298", bug::communication, kubernetes_11298},
    {"kubernetes_25331", bug::communication, kubernetes_25331},
    {"kubernetes_38669", bug::communication, kubernetes_38669},
    {"kubernetes_70277", bug::communication, kubernetes_70277},
};

}  // namespace

std::span<const kernel> kubernetes_channels() { return all; }

}  // namespace corpus
