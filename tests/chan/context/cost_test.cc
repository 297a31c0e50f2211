// What contexts cost: allocations, and that reading a context never waits.
#include <atomic>
#include <cstdlib>
#include <new>

#include "runtime/sanitizer.h"
#include "tests/chan/context/support.h"
#include "tests/support/private_member.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

thread_local long allocations = 0;

[[maybe_unused]] void* counted(std::size_t size, std::size_t align) {
  ++allocations;
  void* p = align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? std::malloc(size)
                                                      : std::aligned_alloc(align, (size + align - 1) / align * align);
  if (!p) throw std::bad_alloc();
  return p;
}

// For each call, by this thread: the runtime allocates too in some calls.
template <class F>
long allocations_of(F f) {
  f();  // what is made once
  const long before = allocations;
  constexpr int times = 100;
  for (int i = 0; i < times; ++i) f();
  return (allocations - before + times - 1) / times;
}

}  // namespace

// A sanitizer has its own, and needs all forms from one place. noinline: else g++ sees free()
// beside operator new.
#if !WEFT_ASAN && !WEFT_TSAN
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size, 1); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif

struct a_value {
  using type = int;
};
namespace weft::testing {
struct its_lock {
  friend detail::spin_lock detail::cancel_node::*member_of(its_lock);
};
template struct private_member<its_lock, &detail::cancel_node::lock_>;
}  // namespace weft::testing

TEST_CASE("contexts allocate little", "[context][CTX-11]") {
  if (sanitized) {
    WARN("a sanitizer's allocations are not counted");
    return;
  }
  in_world(1, [] {
    const context root = background();
    CHECK(allocations_of([] { (void)background(); }) == 0);
    bool right = true;
    CHECK(allocations_of([&] { right = right && *with_value<a_value>(root, 7).value<a_value>() == 7; }) <= 1);
    CHECK(right);
    CHECK(allocations_of([&] { with_cancel(root).cancel(); }) <= 2);
    CHECK(allocations_of([&] { (void)with_timeout(root, 1ns); }) <= 3);
    CHECK(allocations_of([&] { (void)with_timeout(root, 5ms); }) <= 3);
    auto [ctx, cancel] = with_cancel(root);
    ctx.done();
    CHECK(allocations_of([&ctx = ctx] {
            (void)ctx.err();
            (void)ctx.done();
          }) == 0);
  });
}

TEST_CASE("to look whether a context is done waits for nobody", "[context][CTX-31]") {
  const hang_guard guard("a look at a context waits");
  in_world(GENERATE(1, 2), [] {
    auto [ctx, cancel] = with_cancel(background());
    const context inner = with_value<a_value>(ctx, 0);
    ctx.done();
    auto& lock = ctx.node().canceler->*member_of(its_lock());
    lock.lock();
    CHECK(is_live(inner));
    lock.unlock();
    cancel();
    lock.lock();
    CHECK(is_over(inner, errc::canceled));
    lock.unlock();
  });
}
