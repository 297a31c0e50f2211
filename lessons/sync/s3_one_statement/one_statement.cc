// S3: the counter in one statement, which is still three steps.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

lesson::racy<int> counter = 0;

void wrong() {
  wait_group wg;
  for (int routine = 1; routine <= 2; ++routine)
    wg.go([] {
      for (int count = 0; count < 2; ++count) {
        counter = counter + 1;
        sleep(1ns);
      }
    });
  wg.wait();
  lesson::println("Final Counter: {}", static_cast<int>(counter));
}

const lesson::page page{"S3", "one_statement", {{"wrong", "one line of source, three of machine code", wrong}}};

}  // namespace
