#include "net/poller/lender.h"

#include <sys/mman.h>

#include <cstdint>
#include <mutex>
#include <new>

namespace weft::detail {
namespace {

constexpr std::size_t ring_bytes(unsigned entries) noexcept { return entries * sizeof(io_uring_buf); }

}  // namespace

lender* lender::for_ring(io_uring& ring) noexcept {
  // No memory is used before it is touched.
  void* memory = mmap(nullptr, ring_bytes(most) + most * size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* made = new (std::nothrow) lender(memory);
  if (!made) {
    munmap(memory, ring_bytes(most) + most * size);
    return nullptr;
  }
  io_uring_buf_reg what{};
  what.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  what.ring_entries = most;
  what.bgid = group;
  if (io_uring_register_buf_ring(&ring, &what, 0) != 0) {
    delete made;
    return nullptr;
  }
  made->grow();
  return made;
}

lender::lender(void* memory) noexcept
    : ring_(static_cast<io_uring_buf_ring*>(memory)), buffers_(static_cast<std::byte*>(memory) + ring_bytes(most)) {
  io_uring_buf_ring_init(ring_);
}

lender::~lender() { munmap(ring_, ring_bytes(most) + most * size); }

void lender::offer_locked(unsigned id, int place) noexcept {
  io_uring_buf_ring_add(ring_, at(id), size, static_cast<unsigned short>(id), io_uring_buf_ring_mask(most), place);
}

void lender::grow() noexcept {
  const std::lock_guard hold(lock_);
  int n = 0;
  for (; n < static_cast<int>(step) && offered_ < most; ++n) offer_locked(offered_++, n);
  io_uring_buf_ring_advance(ring_, n);
}

std::byte* lender::take(unsigned id) noexcept {
  const std::lock_guard hold(lock_);
  ++lent_;
  return at(id);
}

void lender::give_back(unsigned id) noexcept {
  bool last = false;
  {
    const std::lock_guard hold(lock_);
    --lent_;
    last = retired_ && lent_ == 0;
    if (!retired_) {
      offer_locked(id, 0);
      io_uring_buf_ring_advance(ring_, 1);
    }
  }
  if (last) delete this;
}

void lender::retire() noexcept {
  bool last = false;
  {
    const std::lock_guard hold(lock_);
    retired_ = true;
    last = lent_ == 0;
  }
  if (last) delete this;
}

}  // namespace weft::detail
