// Calls that many make at once although one would do. Go's x/sync/singleflight.
#pragma once
#include <weft/chan.h>
#include <weft/detail/fiber.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/wait_group.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft {

// While a call under a key is under way, further ones under the same key wait for it and get copies of
// its value. Must outlive its calls, those of call_chan included.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class singleflight {
 public:
  struct outcome {
    V value;
    bool shared;  // more than one caller got it
  };

  singleflight() = default;
  singleflight(const singleflight&) = delete;
  singleflight& operator=(const singleflight&) = delete;

  // Calls f() in this fiber, or waits for the call under way. What f throws, all throw who wait for it;
  // if f calls goexit, so do they (a plain thread throws weft::panic instead). Go's Do.
  template <class F>
  outcome call(const K& key, F&& f) {
    const auto [c, mine] = join(key, nullptr);
    if (mine) fly(key, c, f);
    else c->landed.wait();
    if (c->exited) goexit();
    if (c->failure) std::rethrow_exception(c->failure);
    return {*c->value, c->shared};
  }
  // As call(), in a fiber of its own; the channel gives the outcome, once. Nobody can catch there what
  // f throws, so that ends the process, also if others wait in call(). If f calls goexit, the channel
  // is closed without an outcome. Never blocks. Go's DoChan.
  template <class F>
  recv_chan<outcome> call_chan(const K& key, F&& f) {
    auto to = make_chan<outcome>(1);
    const auto [c, mine] = join(key, &to);
    if (mine) go([this, key, c = c, f = std::decay_t<F>(std::forward<F>(f))]() mutable { fly(key, c, f); });
    return to;
  }
  // The next call under this key starts anew, also while one is under way. Go's Forget.
  void forget(const K& key) {
    const std::lock_guard hold(lock_);
    flights_.erase(key);
  }

 private:
  struct flight {
    wait_group landed;
    // Written by the one who flies, before it has landed.
    std::optional<V> value;
    std::exception_ptr failure;
    bool exited = false;
    // Under lock_ until it has landed.
    bool shared = false;
    std::vector<chan<outcome>> channels;
  };
  using flight_ptr = std::shared_ptr<flight>;

  // The flight under `key`; true if it is the caller's to fly.
  std::pair<flight_ptr, bool> join(const K& key, const chan<outcome>* channel) {
    const std::lock_guard hold(lock_);
    flight_ptr& c = flights_[key];
    const bool mine = !c;
    if (mine) {
      c = std::make_shared<flight>();
      c->landed.add(1);
    } else {
      c->shared = true;
    }
    if (channel) c->channels.push_back(*channel);
    return {c, mine};
  }

  template <class F>
  void fly(const K& key, const flight_ptr& c, F& f) {
    try {
      c->value.emplace(f());
    } catch (const detail::goexit_signal&) {
      c->exited = true;
      land(key, c);
      throw;
    } catch (...) {
      c->failure = std::current_exception();
    }
    land(key, c);
  }

  void land(const K& key, const flight_ptr& c) {
    std::vector<chan<outcome>> channels;
    {
      const std::lock_guard hold(lock_);
      if (const auto at = flights_.find(key); at != flights_.end() && at->second == c) flights_.erase(at);
      channels.swap(c->channels);
    }
    if (c->failure && !channels.empty()) {
      // The process ends before anybody can act on what f has thrown.
      go([failure = c->failure] { std::rethrow_exception(failure); });
      detail::park_forever(detail::wait_reason::join);
    }
    for (const auto& to : channels) {
      if (c->value) to.send({*c->value, c->shared});
      to.close();
    }
    c->landed.done();
  }

  mutex lock_;
  std::unordered_map<K, flight_ptr, Hash, Equal> flights_;  // under lock_
};

}  // namespace weft
