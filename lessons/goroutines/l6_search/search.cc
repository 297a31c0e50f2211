// L6, L7: a slow call, made in line.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Stands for a database or a service, which takes 200 ms.
result<std::string> search(const std::string&) {
  sleep(lesson::scaled(200ms));
  return {"some value", {}};
}

std::error_code process(const std::string& term) {
  auto [record, err] = search(term);
  if (err) return err;
  println("Received: {}", record);
  return {};
}

void sequential() {
  const lesson::stopwatch watch;
  if (const std::error_code err = process("term")) println("error: {}", err.message());
  println("after {} ms", watch.ms());
}

const lesson::page page{"L6", "search", {{"wrong", "the caller waits as long as it takes", sequential}}};

}  // namespace
