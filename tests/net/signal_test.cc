// Signals in channels and contexts. They are raised in the caller's own thread: a signal that is
// sent to the process may stay pending until another thread takes it, and then meet the default
// action that was restored in between.
#include <weft/os.h>

#include "tests/net/on_each_poller.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a signal arrives in every channel that wants it", "[os]") {
  on_each_poller([] {
    const hang_guard guard("signals");
    auto a = make_chan<int>(4), b = make_chan<int>(4);
    os::signal_notify(a, {SIGUSR1, SIGUSR2});
    os::signal_notify(b, {SIGUSR2});
    raise(SIGUSR1);
    FACT(a.recv() == SIGUSR1);
    raise(SIGUSR2);
    FACT(a.recv() == SIGUSR2);
    FACT(b.recv() == SIGUSR2);
    os::signal_stop(a);
    raise(SIGUSR2);
    FACT(b.recv() == SIGUSR2);
    FACT(a.len() == 0);
    os::signal_stop(b);
    struct sigaction now {};
    sigaction(SIGUSR2, nullptr, &now);
    FACT(now.sa_handler == SIG_DFL);
  });
}

TEST_CASE("a channel without room loses a signal and holds up nobody", "[os]") {
  on_each_poller([] {
    const hang_guard guard("signals without room");
    auto full = make_chan<int>(1), other = make_chan<int>(8);
    os::signal_notify(full, {SIGUSR1});
    os::signal_notify(other, {SIGUSR1});
    for (int i = 0; i < 3; ++i) {
      raise(SIGUSR1);
      FACT(other.recv() == SIGUSR1);
    }
    FACT(full.len() == 1);
    os::signal_stop(full);
    os::signal_stop(other);
  });
}

TEST_CASE("a signal cancels a context and says which it was", "[os]") {
  on_each_poller([] {
    const hang_guard guard("signal context");
    auto [ctx, stop] = os::signal_context(background(), {SIGUSR1});
    FACT(!ctx.err());
    raise(SIGUSR1);
    ctx.done().recv();
    FACT(ctx.err() == errc::canceled);
    FACT(ctx.cause().find("User defined signal 1") != std::string::npos);
    auto [second, stop_second] = os::signal_context(background(), {SIGUSR1});
    stop_second();
    FACT(second.err() == errc::canceled);
  });
}

TEST_CASE("a context of signals ends with its parent, at once if that has ended", "[os][CTX-30]") {
  on_each_poller([] {
    const hang_guard guard("a context of signals ends");
    auto [parent, cancel] = with_cancel_cause(background());
    auto [ctx, stop] = os::signal_context(parent, {SIGUSR1});
    cancel("enough");
    FACT(ctx.err() == errc::canceled && ctx.cause() == "enough");
    auto [late, stop_late] = os::signal_context(parent, {SIGUSR1});
    FACT(late.err() == errc::canceled && late.cause() == "enough");
  });
}

TEST_CASE("the end of a context of signals gives the signals back, whoever asks for it and how often", "[os][CTX-30]") {
  on_each_poller([] {
    const hang_guard guard("many stop a context of signals");
    struct sigaction before {};
    struct sigaction now {};
    sigaction(SIGUSR1, nullptr, &before);
    auto [ctx, stop] = os::signal_context(background(), {SIGUSR1});
    sigaction(SIGUSR1, nullptr, &now);
    FACT(now.sa_handler != before.sa_handler);
    for (int i = 0; i < 3; ++i) raise(SIGUSR1);  // the second and third change nothing
    ctx.done().recv();
    raise(SIGUSR1);
    wait_group all;
    for (int i = 0; i < 10; ++i)
      all.go([&stop = stop, ctx = ctx] {
        stop();
        FACT(ctx.err() == errc::canceled);
      });
    all.wait();
    sigaction(SIGUSR1, nullptr, &now);
    FACT(now.sa_handler == before.sa_handler);
    FACT(ctx.cause().find("User defined signal 1") != std::string::npos);
  });
}

TEST_CASE("what cannot be caught is a misuse", "[os]") {
  CHECK_THROWS_AS(os::signal_notify(make_chan<int>(1), {SIGKILL}), panic);
  CHECK_THROWS_AS(os::signal_notify(make_chan<int>(1), {0}), panic);
  CHECK_THROWS_AS(os::signal_notify(chan<int>(), {SIGUSR1}), panic);
}
