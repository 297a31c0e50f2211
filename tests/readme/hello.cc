// The program that README.md shows; readme.py compares the two, and `meson test` runs it.
#include <weft/weft.h>

#include <cstdio>

int main() {
  return weft::run([] {
    auto numbers = weft::make_chan<int>(), squares = weft::make_chan<int>();
    for (int i = 0; i < 4; ++i)  // four fibers share the work
      weft::go([=] {
        for (int n : numbers) squares.send(n * n);
      });
    weft::go([=] {
      for (int n = 1; n <= 100; ++n) numbers.send(n);
      numbers.close();
    });
    int sum = 0, square = 0;
    const auto too_late = weft::after(std::chrono::seconds(10));
    for (int left = 100; left > 0; --left) {
      if (weft::select(recv(squares, square), recv(too_late)) != 0) return 1;
      sum += square;
    }
    std::printf("%d\n", sum);
    return 0;
  });
}
