// Values that belong to a fiber, as thread_local ones belong to a thread.
#pragma once
#include <functional>
#include <memory>
#include <utility>

namespace weft {
namespace detail {

struct local_value {
  virtual ~local_value() = default;
};
// The calling fiber's (or plain thread's) value under `key`, or null.
local_value* find_local(const void* key) noexcept;
void set_local(const void* key, std::unique_ptr<local_value> v);

}  // namespace detail

// A variable of which every fiber has its own. Made when it is first used in a fiber, by the given
// function or T{}; destroyed when the fiber ends, in that fiber, the last made first; a destructor may
// use the others that are left. Lives at least as long as the fibers that use it, so it is usually
// static. On a plain thread it is that thread's own.
template <class T>
class fiber_local {
 public:
  fiber_local() : make_([] { return T{}; }) {}
  explicit fiber_local(std::function<T()> make) : make_(std::move(make)) {}
  fiber_local(const fiber_local&) = delete;
  fiber_local& operator=(const fiber_local&) = delete;

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
