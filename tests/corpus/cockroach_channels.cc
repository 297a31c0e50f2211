// Cockroach: bugs with channels, conditions and wait groups.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// A stopper drains its tasks with its lock held, and no task ever says that it has finished.
void cockroach_1055(variant v) {
  struct stopper {
    weft::chan<void> quit = make_chan<void>();
    wait_group workers, drain;
    weft::mutex mu;
    weft::cond finished;
    bool draining = false;
    int tasks = 0;
  };
  const auto quiesce = [v](stopper& s, bool stops) {
    lock hold(s.mu);
    s.draining = true;
    if (v == variant::broken) s.drain.wait();
    else s.finished.wait(hold, [&] { return s.tasks == 0; });
    if (!stops) s.draining = false;
    if (!stops) return;
    s.quit.close();
    if (v == variant::repaired) hold.unlock();
    s.workers.wait();
  };
  std::vector<std::shared_ptr<stopper>> all;
  for (int i = 0; i < 2; ++i) {
    auto s = std::make_shared<stopper>();
    all.push_back(s);
    s->workers.add(1);
    go([s, v] {
      if (v == variant::broken && !s->draining) {
        const guard hold(s->mu);
        s->drain.add(1);
      } else if (v == variant::repaired) {
        const guard hold(s->mu);
        if (!s->draining) ++s->tasks;
        if (s->tasks) --s->tasks;
        s->finished.broadcast();
      }
      s->quit.recv();
      s->workers.done();
    });
  }
  auto done = make_chan<void>();
  go([all, done, quiesce] {
    for (const auto& s : all) quiesce(*s, false);
    for (const auto& s : all) quiesce(*s, true);
    done.close();
  });
  done.recv();
}

// The reader of events leaves at the stop; a writer that has looked for the stop before it is left
// with its event.
void cockroach_1462(variant v) {
  struct transport {
    weft::chan<int> events = make_chan<int>();
    weft::chan<void> stop = make_chan<void>();
    wait_group workers;
  };
  auto t = std::make_shared<transport>();
  t->workers.go([t, v] {
    for (;;) {
      if (v == variant::repaired) {
        if (select(recv(t->stop), send(t->events, 0)) == 0) return;
        continue;
      }
      if (select(recv(t->stop), otherwise) == 0) return;
      t->events.send(0);
    }
  });
  t->workers.go([t] {
    while (select(recv(t->events), recv(t->stop)) == 0) {
    }
  });
  t->stop.close();
  t->workers.wait();
}

// Two loops send to each other: one an event, the other the callback of the event before.
void cockroach_2448(variant v) {
  struct raft {
    weft::chan<int> events = make_chan<int>(), callbacks = make_chan<int>();
    weft::chan<void> stop = make_chan<void>();
  };
  auto r = std::make_shared<raft>();
  wait_group g;
  g.go([r] {  // the store
    for (;;) {
      if (select(recv(r->events), recv(r->stop)) == 1) return;
      if (select(send(r->callbacks, 1), recv(r->stop)) == 1) return;
    }
  });
  g.go([r, v] {  // the state machine
    for (int sent = 0; sent < 4;) {
      const int ready = select(recv(r->stop), recv(r->callbacks), otherwise);
      if (ready == 0) return;
      if (ready == 1) continue;
      if (v == variant::broken) {
        if (select(send(r->events, 1), recv(r->stop)) == 1) return;
        ++sent;
      } else if (select(send(r->events, 1), recv(r->callbacks)) == 0) {
        ++sent;
      }
      weft::sleep(100us);
    }
    r->stop.close();
  });
  g.wait();
}

// At the end of the context the rest is received by a fiber of its own, but the sender has left
// too.
void cockroach_10790(variant v) {
  const std::size_t room = v == variant::repaired ? 1 : 0;
  std::vector<weft::chan<bool>> commands{make_chan<bool>(room), make_chan<bool>(room)};
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  go([commands, ctx, v] {  // the sender
    for (const auto& ch : commands) {
      if (v == variant::repaired) ch.send(true);
      else if (select(send(ch, true), recv(ctx.done())) == 1) return;
    }
  });
  go([commands, ctx, v] {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (select(recv(commands[i]), recv(ctx.done())) == 0) continue;
      const std::size_t first = v == variant::repaired ? i : 0;
      go([commands, first] {
        for (std::size_t k = first; k < commands.size(); ++k) commands[k].recv();
      });
      if (v == variant::repaired) return;
    }
  });
  go([cancel = std::move(cancel)] { cancel(); });
}

// A transaction that waits for its own cancellation, and a caller that forgets it.
void awaits_own_end(variant v) {
  auto tx = std::make_shared<weft::cancelable>(weft::with_cancel(weft::background()));
  go([tx] { tx->ctx.done().recv(); });
  if (v == variant::repaired) tx->cancel();
}

void cockroach_13197(variant v) { awaits_own_end(v); }

// As above, with rows that no fiber closes, in the method of an object.
void cockroach_13755(variant v) {
  struct rows {
    weft::cancelable life = weft::with_cancel(weft::background());
    weft::mutex mu;
    bool closed = false;
    void close() {
      const guard hold(mu);
      if (!std::exchange(closed, true)) life.cancel();
    }
  };
  auto rs = std::make_shared<rows>();
  go([rs] {
    rs->life.ctx.done().recv();
    rs->close();
  });
  if (v == variant::repaired) rs->close();
}

// The consumer returns when the context ends, and the producer has more than the channel has room
// for.
void cockroach_18101(variant v) {
  constexpr int room = 6;
  auto made = weft::with_cancel(weft::background());
  auto ready = make_chan<bool>(room);
  go([ctx = made.ctx, ready] {
    for ([[maybe_unused]] const bool b : ready) {
      ctx.done().recv();
      return;
    }
  });
  go([ctx = made.ctx, ready, v] {
    for (int i = 0; i < room + 2; ++i) {
      if (v == variant::broken) ready.send(i != 0);
      else if (select(send(ready, i != 0), recv(ctx.done())) == 1) break;
    }
    ready.close();
  });
  go([cancel = std::move(made.cancel)] { cancel(); });
}

// The worker that empties the channel is started after a send for which the channel has no room
// left.
void cockroach_24808(variant v) {
  auto work = make_chan<void>(1);
  auto stop = make_chan<void>();
  work.send();
  const auto start_worker = [work, stop] {
    go([work, stop] {
      while (select(recv(stop), recv(work)) == 1) {
      }
    });
  };
  go([=] {
    if (v == variant::repaired) start_worker();
    work.send();
    if (v == variant::broken) start_worker();
    stop.close();
  });
}

// A queue waits for the quiescence of a stopper that no fiber stops.
void cockroach_25456(variant v) {
  auto quiescer = make_chan<void>();
  go([quiescer] {
    for (int i = 0; i < 2; ++i) quiescer.recv();
  });
  if (v == variant::repaired) quiescer.close();
}

// Rows are pushed into a full channel whose consumer has left without taking the row that was on
// its way.
void cockroach_35073(variant v) {
  constexpr int room = 16;
  struct row_channel {
    weft::chan<int> data = make_chan<int>(room);
    std::atomic<bool> consumer_closed{false};
    void push() {
      weft::sim::point();
      if (!consumer_closed) data.send(0);
    }
  };
  auto out = std::make_shared<row_channel>();
  for (int i = 0; i < room; ++i) out->push();
  go([out] { out->push(); });
  auto group = std::make_shared<wait_group>();
  group->add(1);
  go([out, group, v] {
    if (v == variant::repaired) {
      out->consumer_closed = true;
      (void)out->data.try_recv();
    }
    group->done();
  });
  group->wait();
  out->push();
}

// To cancel a flow, one more element is pushed to each receiver, and one of them is full.
void cockroach_35931(variant v) {
  auto left = make_chan<void>(1), right = make_chan<void>(1);
  auto registry = std::make_shared<weft::mutex>();
  left.send();
  go([=] {
    { const guard hold(*registry); }
    for (const auto& receiver : {left, right}) {
      if (v == variant::broken) receiver.send();
      else (void)receiver.try_send();
    }
  });
}

const kernel all[] = {
    {"cockroach_1055", bug::mixed, cockroach_1055},           {"cockroach_1462", bug::mixed, cockroach_1462},
    {"cockroach_2448", bug::communication, cockroach_2448},   {"cockroach_10790", bug::communication, cockroach_10790},
    {"cockroach_13197", bug::communication, cockroach_13197}, {"cockroach_13755", bug::communication, cockroach_13755},
    {"cockroach_18101", bug::communication, cockroach_18101}, {"cockroach_24808", bug::communication, cockroach_24808},
    {"cockroach_25456", bug::communication, cockroach_25456}, {"cockroach_35073", bug::communication, cockroach_35073},
    {"cockroach_35931", bug::communication, cockroach_35931},
};

}  // namespace

std::span<const kernel> cockroach_channels() { return all; }

}  // namespace corpus
