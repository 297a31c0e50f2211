// R8c: two streams become one, and duplicates are removed.
#include <set>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

// A stream of items that ends when `quit` is closed.
recv_chan<int> stream(int first, const chan<void>& quit) {
  auto out = make_chan<int>();
  go({.name = "stream"}, [=] {
    for (int i = first; select(send(out, i), recv(quit)) == 0; ++i) continue;
  });
  return out;
}

// Forwards until the reader stops to read: then each forwarder stays blocked in its send.
recv_chan<int> naive_merge(const recv_chan<int>& a, const recv_chan<int>& b) {
  auto out = make_chan<int>();
  for (const auto& in : {a, b})
    go({.name = "forwarder"}, [=] {
      for (;;) out.send(*in.recv());
    });
  return out;
}

// As above; each wait also ends when `quit` is closed.
recv_chan<int> merge(const recv_chan<int>& a, const recv_chan<int>& b, const chan<void>& quit) {
  auto out = make_chan<int>();
  for (const auto& in : {a, b})
    go({.name = "forwarder"}, [=] {
      for (int v;;) {
        if (select(recv(in, v), recv(quit)) == 1) return;
        if (select(send(out, v), recv(quit)) == 1) return;
      }
    });
  return out;
}

void read_ten(const recv_chan<int>& from) {
  int low = 0, high = 0;
  for (int i = 0; i < 10; ++i) ++(*from.recv() < 1000 ? low : high);
  println("read {} items of two streams", low + high);
}

void wrong() {
  const auto quit = make_chan<void>();
  read_ten(naive_merge(stream(0, quit), stream(1000, quit)));
  quit.close();
}

void right() {
  const auto quit = make_chan<void>();
  read_ten(merge(stream(0, quit), stream(1000, quit), quit));
  quit.close();
}

// Sends each item once.
recv_chan<int> dedupe(const recv_chan<int>& in, const chan<void>& quit) {
  auto out = make_chan<int>();
  go({.name = "dedupe"}, [=] {
    std::set<int> seen;
    for (int v;;) {
      if (select(recv(in, v), recv(quit)) == 1) return;
      if (seen.insert(v).second && select(send(out, v), recv(quit)) == 1) return;
    }
  });
  return out;
}

void dedupe_both() {
  const auto quit = make_chan<void>();
  const auto once = dedupe(merge(stream(0, quit), stream(0, quit), quit), quit);
  std::set<int> items;
  for (int i = 0; i < 20; ++i) items.insert(*once.recv());
  quit.close();
  println("20 items of two equal streams, {} different", items.size());
}

const lesson::page page{"R8c",
                        "merge",
                        {{"wrong", "forwarders that the reader leaves behind", wrong, {.leaks = 2}},
                         {"right", "each wait ends when quit is closed", right},
                         {"dedupe", "each item once", dedupe_both}}};

}  // namespace
