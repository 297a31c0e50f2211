// parallel_invoke: branches as fork records in the caller's frame. fork_record.h has the idea.
#pragma once
#include <weft/detail/fork_record.h>
#include <weft/detail/spawn.h>
#include <weft/go.h>
#include <weft/wait_group.h>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft::detail {

// The end of a branch that runs in a fiber of its own. Its owner waits for it and reads the rest
// then.
struct branch_end {
  wait_group ended;
  std::exception_ptr failure;
  bool exited = false;  // it called goexit

  // Calls f() and records how it ends. From the branch's fiber.
  template <class F>
  void run(F&& f) {
    try {
      f();
    } catch (const goexit_signal&) {
      exited = true;
      ended.done();
      throw;
    } catch (...) {
      failure = caught_exception();
    }
    ended.done();  // the owner may free this from here on
  }
};

// What the branches of one call have thrown so far: the exception that the call rethrows.
struct branch_failures {
  std::exception_ptr first;
  bool exited = false;

  void add(const branch_end& e) {
    exited = exited || e.exited;
    if (e.failure && !first) first = e.failure;
  }
  // Rethrows what was recorded. goexit wins: the fiber that called it has no caller to report to.
  void rethrow() const {
    if (exited) goexit();
    if (first) std::rethrow_exception(first);
  }
};

// One branch. In its owner's frame.
template <class G>
struct branch : fork_record {
  branch(G& g, const void* at) noexcept : fork_record(&share_branch), call(g), site(at) {}
  ~branch() {
    if (shared) std::destroy_at(&end);
  }

  G& call;
  const void* const site;
  union {
    branch_end end;  // constructed when the branch is shared
  };

  static bool share_branch(fork_record& r, share_how) noexcept {
    auto& self = static_cast<branch&>(r);
    std::construct_at(&self.end);
    self.end.ended.add(1);
    self.shared = submit_fork(
        [](void* b) {
          auto& mine = *static_cast<branch*>(b);
          mine.end.run(mine.call);
        },
        &self, self.site);
    if (!self.shared) std::destroy_at(&self.end);
    return self.shared;
  }
};

// Ends one branch: runs it here unless a fiber has it. `exiting`: the owner calls goexit, so a
// branch that has not begun is dropped. True if a fiber has it and the owner must wait.
template <class G>
bool finish_here(m_face* m, branch<G>& b, branch_failures& failed) noexcept {
  if (b.open) close_fork(m, b);
  if (b.shared) return true;
  if (failed.exited) return false;
  try {
    b.call();
  } catch (const goexit_signal&) {
    failed.exited = true;
  } catch (...) {
    if (!failed.first) failed.first = caught_exception();
  }
  return false;
}

template <class G>
void wait_for(branch<G>& b, branch_failures& failed) {
  if (!b.shared) return;
  b.end.ended.wait();
  failed.add(b.end);
}

// The first branch has ended, by `failed` if that is set, and the second one is not open any more
// or must run after a failure.
template <class G>
[[gnu::noinline, gnu::cold]] void end_pair(m_face* m, branch<G>& b, branch_failures failed) {
  finish_here(m, b, failed);
  wait_for(b, failed);
  failed.rethrow();
}

// Two branches: the path that must be short.
template <class F, class G>
[[gnu::always_inline]] inline void invoke_all(m_face* m, const void* site, F& f, G& g) {
  branch<G> b(g, site);
  open_fork(m, b);
  bool exited = false;
  std::exception_ptr thrown;
  try {
    f();
    if (b.open) [[likely]] {  // no suspension since open_fork(): m still runs this fiber
      close_fork(m, b);
      goto second;
    }
  } catch (const goexit_signal&) {
    exited = true;
  } catch (...) {
    thrown = caught_exception();
  }
  return end_pair(m, b, {std::move(thrown), exited});
second:
  g();
}

// Any number of branches. The first of gs is the newest record, so it runs first; the last one is
// shared first.
template <class... Gs>
struct branch_chain;
template <>
struct branch_chain<> {
  explicit branch_chain(const void*) noexcept {}
  void open(m_face*) noexcept {}
  void finish(m_face*, branch_failures&) noexcept {}
  void wait(branch_failures&) {}
};
template <class G, class... Gs>
struct branch_chain<G, Gs...> {
  branch<G> first;
  branch_chain<Gs...> rest;

  branch_chain(const void* site, G& g, Gs&... gs) noexcept : first(g, site), rest(make_rest(site, gs...)) {}
  static branch_chain<Gs...> make_rest(const void* site, Gs&... gs) noexcept {
    return branch_chain<Gs...>(site, gs...);  // elided: built in place
  }
  void open(m_face* m) noexcept {
    rest.open(m);
    open_fork(m, first);
  }
  void finish(m_face* m, branch_failures& failed) noexcept {
    finish_here(m, first, failed);
    rest.finish(m, failed);
  }
  void wait(branch_failures& failed) {
    wait_for(first, failed);
    rest.wait(failed);
  }
};

template <class F, class... Gs>
  requires(sizeof...(Gs) > 1)
void invoke_all(m_face* m, const void* site, F& f, Gs&... gs) {
  branch_chain<Gs...> branches(site, gs...);
  branches.open(m);
  branch_failures failed;
  try {
    f();
  } catch (const goexit_signal&) {
    failed.exited = true;
  } catch (...) {
    failed.first = caught_exception();
  }
  branches.finish(m, failed);
  branches.wait(failed);
  failed.rethrow();
}

// For a caller that is no fiber of a world. A simulated fiber runs fn itself; so does a plain
// thread without a world. With one a new fiber does, for which the thread waits.
template <class Fn>
[[gnu::noinline, gnu::cold]] void from_plain_thread(const void* site, Fn& fn) {
  if (m_face* const simulated = fork_list()) {
    fn(simulated, site);
    return;
  }
  if (!world_runs()) {
    m_face alone;  // its forks are never shared
    fn(&alone, site);
    return;
  }
  branch_end end;
  end.ended.add(1);
  weft::go([&] { end.run([&] { fn(this_m_face(), site); }); });
  end.ended.wait();
  if (end.failure) std::rethrow_exception(end.failure);
  if (end.exited) throw panic("parallel: a branch called goexit on behalf of a plain thread");
}

template <class Fn>
[[gnu::always_inline]] inline void on_fiber(const void* site, Fn&& fn) {
  m_face* const m = this_m_face();
  if (m && m->g) [[likely]]
    fn(m, site);
  else from_plain_thread(site, fn);
}

}  // namespace weft::detail
