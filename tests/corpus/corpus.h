// Programs with a known bug, each with its repaired twin, to measure weft::sim.
//
// The bugs are those of GoKer, the kernels of GoBench (Yuan et al., "GoBench: A Benchmark Suite of
// Real-World Go Concurrency Bugs", CGO 2021, doi:10.1109/CGO51591.2021.9370317). A program has the
// name of its kernel, which is a project and the number of an issue there. The programs are new:
// they keep the order of locks, channels and fibers of the bug, and no more of the project than
// that needs.
//
// A program is one function for both variants, so the repair is what stands behind `repaired`.
#pragma once
#include <weft/sim.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace corpus {

enum class variant { broken, repaired };

// The classes of GoBench. blocking: resource (locks alone), communication (channels, conditions,
// wait groups), mixed. Not blocking: race (of memory), order (operations in an order that the
// program did not expect), misuse.
enum class bug { resource, communication, mixed, race, order, misuse };

constexpr bool is_blocking(bug b) noexcept { return b <= bug::mixed; }
const char* to_string(bug b) noexcept;

struct kernel {
  const char* name;
  bug what;
  void (*program)(variant);
};

std::span<const kernel> cockroach_locks();
std::span<const kernel> cockroach_channels();
std::span<const kernel> etcd();
std::span<const kernel> grpc();
std::span<const kernel> hugo_istio();
std::span<const kernel> kubernetes_locks();
std::span<const kernel> kubernetes_channels();
std::span<const kernel> moby();
std::span<const kernel> moby_and_others();
std::span<const kernel> races();
std::span<const kernel> more_races();
std::span<const kernel> orders();
std::span<const kernel> sctbench();

// Memory that fibers share without a lock. Each access is a scheduling point in its middle. Fails
// the schedule with "data race" if a fiber reads or writes while another writes.
template <class T>
class cell {
 public:
  cell() = default;
  explicit cell(T v) : v_(std::move(v)) {}

  T read() const {
    weft::sim::require(!writers_, "data race");
    const use here(readers_);
    weft::sim::point();
    return v_;
  }
  void write(T v) {
    change([&](T& to) { to = std::move(v); });
  }
  // One access that reads and writes.
  template <class F>
  void change(F f) {
    weft::sim::require(!writers_ && !readers_, "data race");
    const use here(writers_);
    weft::sim::point();
    f(v_);
  }

 private:
  struct use {
    explicit use(int& n) noexcept : n_(n) { ++n_; }
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    ~use() { --n_; }
    int& n_;
  };
  T v_{};
  mutable int readers_ = 0;
  int writers_ = 0;
};

// Throws as an access to a null pointer would end a Go program.
void panic_if_null(bool is_null);

}  // namespace corpus
