// Fiber-local variables. A fiber_local belongs to a fiber as a thread_local belongs to a thread.
// Use it in place of thread_local: a fiber may resume on another thread after any call that
// suspends.
//
//   static weft::fiber_local<std::string> request_id;
//   *request_id = "42";                    // of this fiber only
//
// Go has no such variables: it passes a context, which reaches the fibers that a function starts.
// A fiber_local does not: each fiber begins with a value of its own.
#pragma once
#include <weft/detail/requirements.h>

#include <functional>
#include <memory>
#include <utility>

namespace weft {
namespace detail {

struct local_value {
  virtual ~local_value() = default;
};
// Returns the value of the calling fiber, or plain thread, under `key`, or null.
local_value* find_local(const void* key) noexcept;
// Stores a value for the calling fiber, or plain thread.
void set_local(const void* key, std::unique_ptr<local_value> v);

}  // namespace detail

// A variable with one value for each fiber and each plain thread. The value is made at its first
// use in a fiber, by `make` or as T{}. It is destroyed when the fiber ends, in that fiber, in the
// reverse order of creation; a destructor may use the values that still exist. The fiber_local must
// outlive the fibers that use it, so it is usually static.
template <class T>
class fiber_local {
 public:
  fiber_local() : make_([] { return T{}; }) {}
  explicit fiber_local(std::function<T()> make) : make_(std::move(make)) {}
  fiber_local(const fiber_local&) = delete;
  fiber_local& operator=(const fiber_local&) = delete;

  // Returns the calling fiber's value, and makes it first if this is its first use. Throws what
  // `make` throws. Blocks only if `make` does. From fibers and plain threads.
  T& get() {
    if (auto* v = static_cast<value*>(detail::find_local(this))) return v->t;
    auto made = std::make_unique<value>(make_());
    T& t = made->t;
    detail::set_local(this, std::move(made));
    return t;
  }
  T& operator*() { return get(); }
  T* operator->() { return &get(); }

 private:
  struct value final : detail::local_value {
    T t;
    explicit value(T&& v) : t(std::move(v)) {}
  };
  std::function<T()> make_;
};

}  // namespace weft
