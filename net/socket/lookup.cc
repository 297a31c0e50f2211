#include "net/socket/lookup.h"

#include <netdb.h>
#include <unistd.h>
#include <weft/chan.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "net/fd/quiet_thread.h"
#include "net/poller/choose.h"

namespace weft::detail {
namespace {

constexpr int max_lookups = 64;

std::error_code lookup_error(int e) {
  if (e == EAI_SYSTEM) return {errno, std::system_category()};
  return {e, net::lookup_category()};
}

// One question that is queued or asked, and the callers that wait for its answer.
struct flight {
  question asked;
  std::vector<std::pair<std::uint64_t, chan<addresses>>> callers;
};

class lookups {
 public:
  explicit lookups(pid_t process) noexcept : process_(process) {}

  addresses ask(const context& ctx, question q);
  pid_t process() const noexcept { return process_; }

 private:
  std::error_code join(question q, const chan<addresses>& answer, std::uint64_t& caller);
  void leave(std::uint64_t caller);
  void serve();

  const pid_t process_;
  std::mutex lock_;
  std::deque<std::shared_ptr<flight>> queued_, asked_;  // these under lock_
  std::uint64_t callers_ = 0;
  int threads_ = 0;
};

addresses lookups::ask(const context& ctx, question q) {
  const auto answer = make_chan<addresses>(1);
  std::uint64_t caller = 0;
  if (const std::error_code e = join(std::move(q), answer, caller)) return {{}, e};
  auto [got, err] = answer.recv(ctx);
  if (!err) return std::move(*got);
  leave(caller);
  return {{}, err};
}

// The caller waits for the answer to q from now on.
std::error_code lookups::join(question q, const chan<addresses>& answer, std::uint64_t& caller) {
  const std::lock_guard hold(lock_);
  caller = ++callers_;
  for (auto* all : {&asked_, &queued_})
    for (const auto& f : *all)
      if (f->asked == q) {
        f->callers.emplace_back(caller, answer);
        return {};
      }
  if (threads_ < max_lookups) {
    const std::error_code none = start_quiet_thread([this] { serve(); });
    if (none && threads_ == 0) return none;
    if (!none) ++threads_;
  }
  auto f = std::make_shared<flight>();
  f->asked = std::move(q);
  f->callers.emplace_back(caller, answer);
  queued_.push_back(std::move(f));
  return {};
}

void lookups::leave(std::uint64_t caller) {
  const std::lock_guard hold(lock_);
  for (auto* all : {&asked_, &queued_})
    for (const auto& f : *all) std::erase_if(f->callers, [&](const auto& c) { return c.first == caller; });
  std::erase_if(queued_, [](const auto& f) { return f->callers.empty(); });
}

// To a channel with room.
void deliver(const chan<addresses>& to, const addresses& found) {
  try {
    to.send(found);
  } catch (const std::bad_alloc&) {
    to.send({{}, make_error_code(std::errc::not_enough_memory)});
  }
}

// A thread of lookups, until the queue is empty.
void lookups::serve() {
  std::unique_lock hold(lock_);
  while (!queued_.empty()) {
    const std::shared_ptr<flight> f = std::move(queued_.front());
    queued_.pop_front();
    addresses found{{}, make_error_code(std::errc::not_enough_memory)};
    try {
      asked_.push_back(f);
      hold.unlock();
      found = ask_system(f->asked);
    } catch (const std::bad_alloc&) {  // of the question, not of the process
    }
    if (!hold.owns_lock()) hold.lock();
    std::erase(asked_, f);
    const auto callers = std::move(f->callers);
    hold.unlock();
    for (const auto& c : callers) deliver(c.second, found);
    hold.lock();
  }
  --threads_;
}

// A child process of a fork has none of the threads, and its lock may be held by one of them.
lookups& of_this_process() {
  static std::atomic<lookups*> current{nullptr};
  const pid_t self = getpid();
  lookups* found = current.load(std::memory_order_acquire);  // [lookups]
  while (!found || found->process() != self) {
    auto fresh = std::make_unique<lookups>(self);
    if (current.compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel,  // [lookups]
                                        std::memory_order_acquire))                     // [lookups]
      return *fresh.release();
  }
  return *found;
}

// Note [lookups]: the object is complete before its address is stored; readers acquire that. The
// parent's is kept.

}  // namespace

addresses ask_system(const question& q) {
  addrinfo hints{};
  hints.ai_family = q.family;
  hints.ai_socktype = q.type;
  hints.ai_flags = q.flags;
  addrinfo* list = nullptr;
  const char* host = q.host.empty() ? nullptr : q.host.c_str();
  if (const int e = getaddrinfo(host, q.port.c_str(), &hints, &list)) return {{}, lookup_error(e)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  std::vector<net::endpoint> found;
  for (const addrinfo* a = list; a; a = a->ai_next)
    if (a->ai_family == AF_INET || a->ai_family == AF_INET6) found.emplace_back(a->ai_addr, a->ai_addrlen, q.type);
  if (found.empty()) return {{}, net::errc::no_address};
  return {std::move(found), {}};
}

addresses look_up(const context& ctx, question q) {
  weft::detail::refuse_in_simulation();
  if (const std::error_code e = ctx.err()) return {{}, e};
  return of_this_process().ask(ctx, std::move(q));
}

}  // namespace weft::detail
