// All of weft, except sim.h and testing.h, which are for tests. A program that includes only the
// headers that it uses compiles faster: `./tools/dev bench-headers` prints what each costs.
//
//   fibers       go.h (run, go, yield, sleep, maxprocs)  async.h  errgroup.h  parallel.h
//                with_stack.h  fiber_local.h  no_suspend.h  timeline.h
//   channels     chan.h  select.h
//   time         time.h  timer.h (after, tickers)
//   cancelling   context.h  stop_token.h
//   locks        mutex.h  rw_mutex.h  cond.h  wait_group.h  once.h  semaphore.h
//   shared data  atomic_value.h  sync_map.h  pool.h  singleflight.h
//   network      net.h  endpoint.h  tls.h  http.h  bufio.h  pass.h
//   system       fs.h  pipe.h  process.h
//   errors       errors.h (result, errc, panic)
//   shutdown     os.h (signals, and a context that a signal cancels)
//
// REFERENCE.md lists every name, with Go's beside it.
#pragma once
#include <weft/async.h>
#include <weft/atomic_value.h>
#include <weft/bufio.h>
#include <weft/chan.h>
#include <weft/cond.h>
#include <weft/context.h>
#include <weft/endpoint.h>
#include <weft/errgroup.h>
#include <weft/errors.h>
#include <weft/fiber_local.h>
#include <weft/fs.h>
#include <weft/go.h>
#include <weft/http.h>
#include <weft/mutex.h>
#include <weft/net.h>
#include <weft/no_suspend.h>
#include <weft/once.h>
#include <weft/os.h>
#include <weft/parallel.h>
#include <weft/pass.h>
#include <weft/pipe.h>
#include <weft/pool.h>
#include <weft/process.h>
#include <weft/rw_mutex.h>
#include <weft/select.h>
#include <weft/semaphore.h>
#include <weft/singleflight.h>
#include <weft/stop_token.h>
#include <weft/sync_map.h>
#include <weft/time.h>
#include <weft/timeline.h>
#include <weft/timer.h>
#include <weft/tls.h>
#include <weft/wait_group.h>
#include <weft/with_stack.h>
