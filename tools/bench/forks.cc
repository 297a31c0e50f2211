// Fork-join by parallel_invoke, parallel_for and parallel_reduce.
#include <weft/weft.h>

#include <functional>

#include "tools/bench/peers/forks.h"
#include "tools/bench/workload.h"

namespace bench {
namespace {

struct by_weft {
  template <class F, class G>
  static void both(F f, G g) {
    weft::parallel_invoke(f, g);
  }
  template <class F>
  static void each(std::int64_t n, F f) {
    weft::parallel_for(std::int64_t{0}, n, f);
  }
  template <class F>
  static std::int64_t sum(std::int64_t n, F f) {
    return weft::parallel_reduce(std::int64_t{0}, n, std::int64_t{0}, f, std::plus<>());
  }
};

result result_of(const forks::outcome& o) { return {o.op, o.ops, o.elapsed, {{"value", o.value}}}; }

}  // namespace

result fork_fib(const params& a) { return result_of(forks::run_fib<by_weft>(a.count(32))); }
result fork_skynet(const params& a) { return result_of(forks::run_skynet<by_weft>(a.count(1'000'000))); }
result fork_queens(const params& a) { return result_of(forks::run_queens<by_weft>(a.count(12))); }
result fork_quicksort(const params& a) { return result_of(forks::run_quicksort<by_weft>(a.count(1'000'000))); }
result fork_mergesort(const params& a) { return result_of(forks::run_mergesort<by_weft>(a.count(1'000'000))); }
result fork_matmul(const params& a) { return result_of(forks::run_matmul<by_weft>(a.count(400))); }

}  // namespace bench
