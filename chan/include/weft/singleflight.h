// Joining equal calls: callers with the same key share one execution. Go's x/sync/singleflight.
//
//   weft::singleflight<std::string, page> pages;
//   auto [p, shared] = pages.call(url, [&] { return fetch(url); });
//
// It stands before something slow, often a cache: when a page is missing, a hundred requests for it
// fetch it once. It stores nothing: a call that begins after the outcome was delivered runs again.
// call_chan() is for a caller that does not wait as long as the call may take:
//
//   auto got = pages.call_chan(url, [url] { return fetch(url); });
//   std::optional<weft::singleflight<std::string, page>::outcome> o;
//   if (weft::select(recv(got, o), recv(ctx.done())) == 1) return ctx.err();   // it still runs
//
// The callers share everything of the call, also what is wrong with it: if the fiber that executes
// f is slow, all callers are; if f fails, all get its failure. f runs with what its first caller
// captured. A context that is captured is therefore the first caller's, and if it is cancelled, the
// others get that error. Where this matters, pass a context to f that no single caller cancels, as
// weft::without_cancel() makes it, and wait with call_chan(). To store outcomes for later calls,
// put the call behind a map, and forget() a key whose outcome shall not be shared any longer.
//
// The lock that guards the keys is held while a key is hashed, compared and copied, not while f
// runs. So f may use the same singleflight with another key; with an equal key it deadlocks.
//
// A call that a panic ends, or for which no memory is left, ends the wait of all that have joined:
// none waits for a call that does not run.
//
// The outcome says `shared` to all callers of a call that had more than one, also to the first.
//
// V must be copyable, since each caller gets a copy; a value that is expensive to copy is returned
// as a std::shared_ptr<const V>.
//
// All functions may be called from fibers and plain threads, not from signal handlers.
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

// While a call with a key runs, further calls with an equal key wait for it and get copies of its
// value. Must outlive its calls, including the calls that call_chan() has started.
template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class singleflight {
 public:
  // What a call returns.
  struct outcome {
    V value;
    bool shared;  // more than one caller got this value
  };

  singleflight() = default;
  singleflight(const singleflight&) = delete;
  singleflight& operator=(const singleflight&) = delete;

  // Calls f() in this fiber, or blocks until the call that runs under an equal key has ended. If f
  // throws, every waiting call throws the same exception. If f calls goexit, so does every waiting
  // fiber; a waiting plain thread throws weft::panic. Go's Do.
  template <class F>
  outcome call(const K& key, F&& f) {
    const auto [c, mine] = join(key, nullptr);
    if (mine) fly(key, c, f);
    else c->landed.wait();
    if (c->exited) goexit();
    if (c->failure) std::rethrow_exception(c->failure);
    return {*c->value, c->shared};
  }
  // Starts a fiber that calls f(), unless a call with an equal key runs, and returns a channel that
  // delivers the outcome once. An exception that leaves f ends the process, even if other fibers
  // wait in call(). If f calls goexit, the channel is closed without an outcome. Never blocks.
  // Throws weft::panic if no world runs. Go's DoChan.
  template <class F>
  recv_chan<outcome> call_chan(const K& key, F&& f) {
    auto to = make_chan<outcome>(1);
    const auto [c, mine] = join(key, &to);
    if (!mine) return to;
    try {
      go([this, key, c = c, f = std::decay_t<F>(std::forward<F>(f))]() mutable { fly(key, c, f); });
    } catch (...) {  // no world runs, or no memory: the callers that have joined must not wait for it
      c->failure = std::current_exception();
      land(key, c, false);
      throw;
    }
    return to;
  }
  // Forgets the running call: the next call with this key starts a new one. The callers that wait
  // get the outcome of the running one. Never blocks. Go's Forget.
  void forget(const K& key) {
    const std::lock_guard hold(lock_);
    flights_.erase(key);
  }

 private:
  struct flight {
    wait_group landed;
    // Written by the caller that executes f, before `landed` is done.
    std::optional<V> value;
    std::exception_ptr failure;
    bool exited = false;
    // Under lock_ until it has landed.
    bool shared = false;
    std::vector<chan<outcome>> channels;
  };
  using flight_ptr = std::shared_ptr<flight>;

  // Returns the flight under `key`, and true if the caller must execute it.
  std::pair<flight_ptr, bool> join(const K& key, const chan<outcome>* channel) {
    const std::lock_guard hold(lock_);
    if (const auto at = flights_.find(key); at != flights_.end()) {
      at->second->shared = true;
      if (channel) at->second->channels.push_back(*channel);
      return {at->second, false};
    }
    auto c = std::make_shared<flight>();
    c->landed.add(1);
    if (channel) c->channels.push_back(*channel);
    flights_.emplace(key, c);  // last: a flight that is in the map lands
    return {std::move(c), true};
  }

  // Runs f and delivers its outcome to all that have joined.
  template <class F>
  void fly(const K& key, const flight_ptr& c, F& f) {
    try {
      c->value.emplace(f());
    } catch (const detail::goexit_signal&) {
      c->exited = true;
      land(key, c);
      throw;
    } catch (...) {
      c->failure = detail::caught_exception();
      // Of pthread_exit: the thread ends.
      if (!c->failure) throw;
    }
    land(key, c);
  }

  // Ends the flight: the next call with the key starts a new one. `flew`: f was called.
  void land(const K& key, const flight_ptr& c, bool flew = true) {
    std::vector<chan<outcome>> channels;
    struct end_waits {
      flight& f;
      const std::vector<chan<outcome>>& channels;
      ~end_waits() {  // also if V's copy constructor throws
        for (const auto& to : channels) to.close();
        f.landed.done();
      }
    } at_end{*c, channels};
    {
      const std::lock_guard hold(lock_);
      if (const auto at = flights_.find(key); at != flights_.end() && at->second == c) flights_.erase(at);
      channels.swap(c->channels);
    }
    if (c->failure && flew && !channels.empty()) {
      // The exception of f ends the process: call_chan() has no caller that could catch it.
      go([failure = c->failure] { std::rethrow_exception(failure); });
      detail::park_forever(detail::wait_reason::join);
    }
    for (const auto& to : channels)
      if (c->value) to.send({*c->value, c->shared});
  }

  mutex lock_;
  std::unordered_map<K, flight_ptr, Hash, Equal> flights_;  // under lock_
};

}  // namespace weft
