// S15: two locks, taken in two orders.
#include <mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

struct account {
  mutex lock;
  int money = 100;
};

// Each transfer holds its first lock until both hold one: on a busy machine this happens by chance.
void transfer_in_call_order(account& from, account& to, const chan<void>& i_have_one, const chan<void>& other_has_one) {
  const std::lock_guard first(from.lock);
  i_have_one.close();
  other_has_one.recv();
  const std::lock_guard second(to.lock);
  --from.money;
  ++to.money;
}

void wrong() {
  account a, b;
  const auto one = make_chan<void>(), two = make_chan<void>();
  wait_group both;
  both.go([&, one, two] { transfer_in_call_order(a, b, one, two); });
  both.go([&, one, two] { transfer_in_call_order(b, a, two, one); });
  println("two transfers, in opposite directions");
  both.wait();
}

// scoped_lock takes both locks without holding one while it waits for the other.
void transfer(account& from, account& to) {
  const std::scoped_lock hold(from.lock, to.lock);
  --from.money;
  ++to.money;
}

void right() {
  account a, b;
  wait_group both;
  both.go([&] {
    for (int i = 0; i < 1000; ++i, yield()) transfer(a, b);
  });
  both.go([&] {
    for (int i = 0; i < 1000; ++i, yield()) transfer(b, a);
  });
  both.wait();
  println("2000 transfers, {} in both accounts", a.money + b.money);
}

const lesson::page page{"S15",
                        "lock_order",
                        {{"wrong", "each fiber holds the lock that the other fiber waits for", wrong},
                         {"right", "both locks are taken together", right}}};

}  // namespace
