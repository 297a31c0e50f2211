// S7: a writer replaces a configuration in place while others read it.
#include <fmt/ranges.h>

#include <array>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int readers = 4, prints = 100;
using numbers = std::array<int, 6>;

bool consecutive(const numbers& a) {
  for (std::size_t i = 1; i < a.size(); ++i)
    if (a[i] != a[i - 1] + 1) return false;
  return true;
}

// Four readers read a hundred times each. One writer writes i .. i+5 for each i.
template <class Write, class Read>
void watch(Write write, Read read) {
  std::atomic<bool> done{false};
  std::atomic<int> torn{0}, backwards{0};
  const auto example = make_chan<numbers>(1);  // the first torn line
  const auto written = make_chan<void>();
  wait_group writer, reading;
  writer.go([&] {
    for (int i = 1; !done.load(); ++i) {
      if (i == 2) written.close();
      write(numbers{i, i + 1, i + 2, i + 3, i + 4, i + 5});
      yield();
    }
  });
  for (int n = 0; n < readers; ++n)
    reading.go([&] {
      int last = 0;
      written.recv();
      for (int i = 0; i < prints; ++i) {
        const numbers a = read();
        if (!consecutive(a)) {
          torn.fetch_add(1);
          example.try_send(a);
        }
        if (a[0] < last) backwards.fetch_add(1);
        last = a[0];
        sleep(std::chrono::microseconds(10));  // the writer gets time, however busy the machine is
      }
    });
  reading.wait();
  done.store(true);
  writer.wait();
  if (const auto a = example.try_recv()) println("for example: {}", fmt::join(*a, " "));
  println("{} of {} lines torn, {} went backwards", torn.load(), readers * prints, backwards.load());
}

void wrong() {
  static std::array<lesson::racy<int>, 6> a = {0, 1, 2, 3, 4, 5};
  watch(
      [](const numbers& next) {
        for (std::size_t i = 0; i < next.size(); ++i) {
          a[i] = next[i];
          if (i == 2) sleep(std::chrono::microseconds(20));  // half written for most of the time
        }
      },
      [] {
        numbers seen{};
        for (std::size_t i = 0; i < seen.size(); ++i) seen[i] = a[i];
        return seen;
      });
}

void right() {
  atomic_value<numbers> a(numbers{0, 1, 2, 3, 4, 5});
  watch([&](const numbers& next) { a.store(next); }, [&] { return numbers(a.load()); });
}

const lesson::page page{
    "S7",
    "torn_config",
    {{"wrong", "changed in place, a word at a time", wrong}, {"right", "a new version beside the old one", right}}};

}  // namespace
