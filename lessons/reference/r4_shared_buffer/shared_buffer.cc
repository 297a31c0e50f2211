// R4: two readers that hash what they read, and one buffer for both.
#include <array>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int pieces = 100;

// Reads `letter` in pieces and hashes each as it lies in the buffer.
template <class Buffer>
std::uint32_t hash_all(char letter, Buffer& buffer) {
  std::uint32_t hash = 2166136261u;
  for (int i = 0; i < pieces; ++i) {
    for (auto& c : buffer) c = letter;
    yield();  // the next piece comes from a disk
    for (auto& c : buffer) hash = (hash ^ static_cast<unsigned>(static_cast<char>(c))) * 16777619u;
  }
  return hash;
}

using plain_buffer = std::array<char, 8>;

std::uint32_t alone(char letter) {
  plain_buffer mine{};
  return hash_all(letter, mine);
}

template <class Hash>
void both(Hash hash) {
  std::uint32_t a = 0, b = 0;
  wait_group readers;
  readers.go([&] { a = hash('a'); });
  readers.go([&] { b = hash('b'); });
  readers.wait();
  println("a: {}, b: {}", a == alone('a') ? "right" : "wrong", b == alone('b') ? "right" : "wrong");
}

// What is thrown away may lie anywhere, so one buffer is enough for all. But it is not thrown away
// yet.
void wrong() {
  static std::array<lesson::racy<char>, 8> discard{};
  both([](char letter) { return hash_all(letter, discard); });
}

void right() {
  both([](char letter) {
    plain_buffer mine{};
    return hash_all(letter, mine);
  });
}

const lesson::page page{
    "R4", "shared_buffer", {{"wrong", "one buffer for all who throw away", wrong}, {"right", "a buffer each", right}}};

}  // namespace
