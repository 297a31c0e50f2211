// Counts what reading and writing allocate, once everything is there.
#include <weft/weft.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

using namespace weft;

namespace {

std::atomic<long> count{0};

// How many allocations each of many calls makes, rounded to the nearest number: what the world does
// occasionally beside them is none of theirs.
template <class F>
long allocations_of(F f) {
  constexpr long times = 2000;
  for (int i = 0; i < 200; ++i) f();  // what is made once
  const long before = count;
  for (long i = 0; i < times; ++i) f();
  return (count - before + times / 2) / times;
}

void streams() {
  auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  auto a = net::dial("tcp", l.addr().to_string()).unwrap();
  auto b = l.accept().unwrap();
  go([b] {
    std::array<std::byte, 64> buf;
    while (auto r = b.read(buf))
      if (b.write({buf.data(), r.value}).err) break;
  });
  std::array<std::byte, 64> buf{};
  std::printf("stream: %ld\n", allocations_of([&] {
                if (a.write(buf).err || a.read(buf).err) std::abort();
              }));
}

void datagrams() {
  auto a = net::listen_packet("udp", "127.0.0.1:0").unwrap(), b = net::listen_packet("udp", "127.0.0.1:0").unwrap();
  go([b] {
    std::array<std::byte, 8> buf;
    while (auto r = b.read_from(buf))
      if (b.write_to({buf.data(), r.value.n}, r.value.from).err) break;
  });
  std::array<std::byte, 8> buf{};
  const net::endpoint to = b.local_addr();
  std::printf("datagrams: %ld\n", allocations_of([&] {
                if (a.write_to(buf, to).err || a.read_from(buf).err) std::abort();
              }));
}

}  // namespace

// In the place of the C library's, of which operator new is made too.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t n, std::size_t size);
void* __libc_memalign(std::size_t align, std::size_t size);

void* malloc(std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(n, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(align, size);
}
}

int main() {
  return run([] {
    const bool counts = allocations_of([] {
                          void* volatile p = std::malloc(100);  // volatile: not left out
                          std::free(p);
                        }) == 1;
    if (counts) std::puts("counted");
    streams();
    datagrams();
  });
}
