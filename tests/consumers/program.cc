// A program of a user, built in each way in which weft is put into a project. It prints 338350.
#include <weft/weft.h>

#include <cstdio>
#include <stdexcept>

int main() {
  return weft::run([] {
    auto numbers = weft::make_chan<int>(), squares = weft::make_chan<int>(100);
    weft::wait_group workers;
    for (int i = 0; i < 4; ++i)
      workers.go([=] {
        for (int n : numbers) squares.send(n * n);
      });
    for (int n = 1; n <= 100; ++n) numbers.send(n);
    numbers.close();
    workers.wait();
    squares.close();
    int sum = 0;
    for (int square : squares) sum += square;

    // A panic of the library is caught by its type, also when the library is shared.
    bool caught = false;
    try {
      squares.close();
    } catch (const weft::panic&) {
      caught = true;
    }
    std::printf("%d\n", caught ? sum : -1);
    return 0;
  });
}
