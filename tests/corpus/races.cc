// Races of memory, the first half: variables of a closure, globals of a test, counters.
//
// Where the bug is that an access takes no lock, the repair is to take it. What a program accesses
// without a lock is a cell<>, in both variants.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// Fibers that a loop starts refer to the loop's variable. Repaired: each has its own.
void loop_variable(variant v, int n) {
  auto i = std::make_shared<cell<int>>(0);
  wait_group g;
  for (int k = 0; k < n; ++k) {
    i->write(k);
    const auto seen = v == variant::repaired ? std::make_shared<cell<int>>(k) : i;
    g.go([seen] { seen->read(); });
    if (v == variant::repaired) i = std::make_shared<cell<int>>(k);
  }
  g.wait();
}

void cockroach_35501(variant v) { loop_variable(v, 3); }
void moby_27037(variant v) { loop_variable(v, 5); }

// As above: a variable that holds both parts of a case, one of which is written to a pipe under the
// pipe's lock.
void moby_22941(variant v) {
  using parts = std::pair<int, int>;
  auto test = std::make_shared<cell<parts>>();
  auto pipe = std::make_shared<weft::mutex>();
  for (int k = 0; k < 2; ++k) {
    if (v == variant::repaired) test = std::make_shared<cell<parts>>();
    test->write({k, k});
    go([test, pipe] {
      const int request = test->read().first;
      const guard write(*pipe);
      weft::sim::require(request >= 0);
    });
  }
}

// A global that a test sets while a fiber of the program reads it. Repaired: under a lock.
void test_changes_global(variant v, bool restores) {
  auto interval = std::make_shared<cell<int>>(10);
  auto mu = std::make_shared<weft::mutex>();
  wait_group g;
  const auto change = [interval, mu, v](int to) {
    lock hold(*mu, std::defer_lock);
    if (v == variant::repaired) hold.lock();
    interval->write(to);
  };
  g.go([interval, mu, v] {
    lock hold(*mu, std::defer_lock);
    if (v == variant::repaired) hold.lock();
    interval->read();
  });
  g.go([change, restores] {
    change(3);
    if (restores) change(10);
  });
  g.wait();
}

void etcd_4876(variant v) { test_changes_global(v, false); }
void etcd_8194(variant v) { test_changes_global(v, true); }

// The same, where the test restores the value while the connection that it started is not yet made.
void grpc_1748(variant v) {
  auto timeout = std::make_shared<cell<int>>(10);
  auto balancer = std::make_shared<bool>(false);
  auto mu = std::make_shared<weft::mutex>(), timeout_mu = std::make_shared<weft::mutex>();
  const auto guarded = [timeout_mu, v](auto f) {
    lock hold(*timeout_mu, std::defer_lock);
    if (v == variant::repaired) hold.lock();
    f();
  };
  go([=] {  // the watcher
    for (int i = 0; i < 3; ++i) {
      lock hold(*mu);
      const bool has_balancer = *balancer;
      hold.unlock();
      if (has_balancer) go([=] { guarded([&] { timeout->read(); }); });
    }
  });
  {
    const guard hold(*mu);
    *balancer = true;
  }
  guarded([&] { timeout->write(10); });
}

// Two fibers on one object without a lock. Repaired: with one.
template <class First, class Second>
void two_on_one(variant v, First first, Second second) {
  auto object = std::make_shared<cell<int>>(0);
  auto mu = std::make_shared<weft::mutex>();
  wait_group g;
  const auto start = [&](auto f) {
    g.go([object, mu, f, v] {
      lock hold(*mu, std::defer_lock);
      if (v == variant::repaired) hold.lock();
      f(*object);
    });
  };
  start(first);
  start(second);
  g.wait();
}

constexpr auto reads = [](cell<int>& c) { c.read(); };
constexpr auto writes = [](cell<int>& c) { c.write(1); };
constexpr auto counts = [](cell<int>& c) { c.change([](int& n) { ++n; }); };

// A buffer of read transactions is reset beside a range over it.
void etcd_9446(variant v) { two_on_one(v, writes, reads); }
// Labels of a proxy are replaced beside the generation of its routes.
void istio_16742(variant v) { two_on_one(v, reads, writes); }
// Writes are counted by an atomic, and read as a part of a plain copy.
void istio_8214(variant v) {
  const auto set_and_copy = [](cell<int>& c) {
    c.change([](int& n) { ++n; });
    c.read();
  };
  two_on_one(v, set_and_copy, set_and_copy);
}
// Two authentications replace one callback.
void kubernetes_80284(variant v) { two_on_one(v, writes, writes); }

// An evicting fiber counts callbacks, and the test reads the count.
void istio_8144(variant v) {
  auto callbacks = std::make_shared<cell<int>>(0);
  auto mu = std::make_shared<weft::mutex>();
  go([=] {
    for (int entry = 0; entry < 2; ++entry) {
      lock hold(*mu, std::defer_lock);
      if (v == variant::repaired) hold.lock();
      counts(*callbacks);
    }
  });
  lock hold(*mu, std::defer_lock);
  if (v == variant::repaired) hold.lock();
  reads(*callbacks);
}

// Workers take pieces from a channel and change what they share.
template <class F>
void parallelize(variant v, F piece_of_work) {
  auto pieces = make_chan<int>(2);
  for (int i = 0; i < 2; ++i) pieces.send(i);
  pieces.close();
  auto shared = std::make_shared<cell<int>>(0);
  auto mu = std::make_shared<weft::mutex>();
  wait_group g;
  for (int worker = 0; worker < 2; ++worker)
    g.go([=] {
      for ([[maybe_unused]] const int piece : pieces) {
        lock hold(*mu, std::defer_lock);
        if (v == variant::repaired) hold.lock();
        piece_of_work(*shared);
      }
    });
  g.wait();
}

// Each node checks and replaces the priorities of all.
void kubernetes_70892(variant v) {
  parallelize(v, [](cell<int>& results) {
    if (results.read() != 4) results.write(7);
  });
}
// Each node counts a call of the filter.
void kubernetes_81091(variant v) { parallelize(v, counts); }

// Providers are made at their first use, by ten users.
void kubernetes_82550(variant v) {
  auto provider = std::make_shared<cell<std::shared_ptr<int>>>();
  auto made = std::make_shared<weft::once>();
  for (int i = 0; i < 4; ++i)
    go([=] {
      if (v == variant::repaired) {
        made->call([&] { provider->write(std::make_shared<int>(1)); });
      } else if (!provider->read()) {
        provider->write(std::make_shared<int>(1));
      }
      provider->read();
    });
}

const kernel all[] = {
    {"cockroach_35501", bug::race, cockroach_35501},
    {"etcd_4876", bug::race, etcd_4876},
    {"etcd_8194", bug::race, etcd_8194},
    {"etcd_9446", bug::race, etcd_9446},
    {"grpc_1748", bug::race, grpc_1748},
    {"istio_8144", bug::race, istio_8144},
    {"istio_8214", bug::race, istio_8214},
    {"istio_16742", bug::race, istio_16742},
    {"kubernetes_70892", bug::race, kubernetes_70892},
    {"kubernetes_80284", bug::race, kubernetes_80284},
    {"kubernetes_81091", bug::race, kubernetes_81091},
    {"kubernetes_82550", bug::race, kubernetes_82550},
    {"moby_22941", bug::race, moby_22941},
    {"moby_27037", bug::race, moby_27037},
};

}  // namespace

std::span<const kernel> races() { return all; }

}  // namespace corpus
