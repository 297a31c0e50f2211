// M6: a send comes before its receive, and a close before the receive that sees it.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

void with_send() {
  auto c = make_chan<int>(10);
  std::string a;
  go([&, c] {
    a = "hello, world";
    c.send(0);
  });
  c.recv();
  println("{}", a);
}

void with_close() {
  auto c = make_chan<int>(10);
  std::string a;
  go([&, c] {
    a = "hello, world";
    c.close();
  });
  c.recv();
  println("{}", a);
}

const lesson::page page{
    "M6", "send_receive", {{"right", "a send", with_send}, {"close", "a close instead of a send", with_close}}};

}  // namespace
