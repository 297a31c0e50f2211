// Channels and select.
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/go.h>
#include <weft/select.h>
#include <weft/timer.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;

namespace {

// A send to a channel without a buffer waits for its receive; the loop ends when the channel is
// closed.
void channel() {
  auto numbers = weft::make_chan<int>();
  weft::go([=] {
    for (int i = 1; i <= 3; ++i) numbers.send(i);
    numbers.close();
  });
  for (const int n : numbers) std::printf("%d\n", n);
}
// Prints:
// 1
// 2
// 3

// A buffer takes values until it is full. try_send and try_recv never wait.
void channel_buffered() {
  auto words = weft::make_chan<std::string>(2);
  words.send("one");
  words.send("two");
  std::printf("%zu of %zu\n", words.len(), words.cap());
  if (!words.try_send("three")) std::puts("full");
  while (auto word = words.try_recv()) std::puts(word->c_str());
}
// Prints:
// 2 of 2
// full
// one
// two

// A receive from a closed channel returns the buffered values, then nullopt.
void channel_close() {
  auto numbers = weft::make_chan<int>(1);
  numbers.send(7);
  numbers.close();
  while (const std::optional<int> n = numbers.recv()) std::printf("%d\n", *n);
  std::puts("closed and empty");
}
// Prints:
// 7
// closed and empty

// A chan<void> carries no value. Its close releases all fibers that wait for it.
void channel_as_signal() {
  auto start = weft::make_chan<void>();
  auto names = weft::make_chan<std::string>(3);
  for (const char* name : {"a", "b", "c"})
    weft::go([=] {
      start.recv();
      names.send(name);
    });
  start.close();
  std::size_t started = 0;
  for (int i = 0; i < 3; ++i) started += names.recv()->size();
  std::printf("%zu fibers\n", started);
}
// Prints:
// 3 fibers

// A view restricts a function to one direction.
void produce(const weft::send_chan<int>& out) {
  for (int i = 0; i < 3; ++i) out.send(i * i);
  out.close();
}
int sum_of(const weft::recv_chan<int>& in) {
  int sum = 0;
  for (const int n : in) sum += n;
  return sum;
}
void channel_views() {
  auto squares = weft::make_chan<int>();
  weft::go([squares] { produce(squares); });
  std::printf("%d\n", sum_of(squares));
}
// Prints:
// 5

// send_for and recv_for give up after a time, send_until and recv_until at a time.
void channel_time_limit() {
  auto unused = weft::make_chan<int>();
  if (!unused.recv_for(1ms)) std::puts("nothing received");
  if (!unused.send_for(1, 1ms)) std::puts("nothing sent");
  const weft::time_point limit = weft::clock::now() + 1ms;
  if (!unused.recv_until(limit) && !unused.send_until(1, limit)) std::puts("nor until then");
}
// Prints:
// nothing received
// nothing sent
// nor until then

// select runs one case that is ready, and returns its index.
void select_first_ready() {
  auto numbers = weft::make_chan<int>();
  auto words = weft::make_chan<std::string>();
  weft::go([=] { words.send("hello"); });
  int n = 0;
  std::string word;
  switch (weft::select(recv(numbers, n), recv(words, word))) {
    case 0: std::printf("%d\n", n); break;
    case 1: std::puts(word.c_str()); break;
  }
}
// Prints:
// hello

// With `otherwise` select never waits. Its place counts in the index.
void select_otherwise() {
  auto requests = weft::make_chan<int>(1);
  for (int i = 1; i <= 2; ++i) switch (weft::select(send(requests, i), weft::otherwise)) {
      case 0: std::printf("request %d is queued\n", i); break;
      case 1: std::printf("request %d is refused\n", i); break;
    }
}
// Prints:
// request 1 is queued
// request 2 is refused

// A timer's channel is a case as any other: the time limit of a wait on several channels.
void select_time_limit() {
  auto answers = weft::make_chan<int>();
  int answer = 0;
  bool open = true;
  switch (weft::select(recv(answers, answer, open), recv(weft::after(1ms)))) {
    case 0: std::printf("%d\n", answer); break;
    case 1: std::puts("no answer in time"); break;
  }
}
// Prints:
// no answer in time

// The number of cases is known only at run time: a vector of select_case.
void select_many() {
  std::vector<weft::chan<int>> inputs;
  for (int i = 0; i < 5; ++i) inputs.push_back(weft::make_chan<int>(1));
  inputs[3].send(42);
  int n = 0;
  std::vector<weft::select_case> cases;
  for (const auto& input : inputs) cases.emplace_back(recv(input, n));
  const std::size_t i = weft::select(cases);
  std::printf("input %zu: %d\n", i, n);
  if (!weft::try_select(cases)) std::puts("no other input");
}
// Prints:
// input 3: 42
// no other input

const examples::group channels({
    {"channel", channel},
    {"channel_buffered", channel_buffered},
    {"channel_close", channel_close},
    {"channel_as_signal", channel_as_signal},
    {"channel_views", channel_views},
    {"channel_time_limit", channel_time_limit},
    {"select_first_ready", select_first_ready},
    {"select_otherwise", select_otherwise},
    {"select_time_limit", select_time_limit},
    {"select_many", select_many},
});

}  // namespace
