//! may: the workloads on its stackful coroutines. Its channels are unbounded, so that those workloads are left out whose
//! producers are to wait. Trees of fibers are left out too: it runs the oldest first, so that a tree stands there as a
//! whole, and with a mapping for each stack that ends at the system's limit of mappings.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use may::coroutine::{self, yield_now, JoinHandle};
use may::go;
use may::sync::{mpsc, Mutex, WaitGroup};
use peer::{Outcome, Params, Splitmix};

mod peer;

type Workload = fn(Params) -> Outcome;

const WORKLOADS: &[(&str, &str, Workload)] = &[
    ("yield", "-fibers coroutines (2) each yield, n times in all", yield_all),
    ("spawnbatch", "spawn n empty coroutines, joined -fibers (1000) at a time", spawn_batch),
    ("spawnone", "spawn one empty coroutine and join it, n times", spawn_one),
    ("pingpong", "two coroutines, two channels, n round trips", ping_pong),
    ("ring", "-fibers coroutines (10000) in a ring pass one token n rounds (100)", ring),
    ("mutex", "uncontended lock+unlock, n times", mutex_alone),
    ("mutexcontend", "-fibers coroutines (8) lock, add one, unlock, n times in all", mutex_contended),
    ("sleepers", "-fibers coroutines (100000) each sleep a random 1-100 ms, n times (5)", sleepers),
    ("parked", "-fibers coroutines (100000) blocked on a channel: memory, create and wake time", parked),
    ("idle", "nothing to do for -ms (1000): CPU used", idle),
    ("wakeups", "a coroutine that wakes every millisecond: CPU used", wake_ups),
];

fn main() {
    let list: Vec<(&str, &str)> = WORKLOADS.iter().map(|(name, what, _)| (*name, *what)).collect();
    let (name, a) = peer::command_line(&list);
    may::config().set_workers(a.p).set_pool_capacity(1000); // stacks that are kept
    let (_, _, run) = WORKLOADS.iter().find(|(known, _, _)| *known == name).expect("a workload");
    let work = go!(move || {
        let before = peer::cpu_seconds();
        let r = run(a);
        peer::print(&name, "may", a.p, &r, peer::cpu_seconds() - before);
    });
    work.join().expect("the workload");
    std::process::exit(0);
}

fn join_all(handles: Vec<JoinHandle<()>>) {
    for one in handles {
        one.join().expect("a coroutine");
    }
}

fn yield_all(a: Params) -> Outcome {
    let k = a.crowd(2);
    let n = a.count(4_000_000) / k;
    let began = Instant::now();
    join_all((0..k).map(|_| go!(move || (0..n).for_each(|_| yield_now()))).collect());
    Outcome::new("switch", n * k, began.elapsed())
}

fn spawn_batch(a: Params) -> Outcome {
    let batch = a.crowd(1000);
    let batches = a.count(1_000_000).div_ceil(batch);
    let spawn = |times: usize| {
        for _ in 0..times {
            let all = WaitGroup::new();
            for _ in 0..batch {
                let all = all.clone();
                go!(move || drop(all));
            }
            all.wait();
        }
    };
    spawn(20);
    let began = Instant::now();
    spawn(batches);
    Outcome::new("spawn", batches * batch, began.elapsed())
}

fn spawn_one(a: Params) -> Outcome {
    let n = a.count(500_000);
    let spawn = |times: usize| (0..times).for_each(|_| go!(|| {}).join().expect("a coroutine"));
    spawn(1000);
    let began = Instant::now();
    spawn(n);
    Outcome::new("spawn+join", n, began.elapsed())
}

fn ping_pong(a: Params) -> Outcome {
    let n = a.count(1_000_000);
    let (ping, pings) = mpsc::channel();
    let (pong, pongs) = mpsc::channel();
    go!(move || {
        for v in pings {
            let _ = pong.send(v);
        }
    });
    let began = Instant::now();
    for i in 0..n {
        ping.send(i).expect("a receiver");
        pongs.recv().expect("an answer");
    }
    Outcome::new("round trip", n, began.elapsed())
}

fn ring(a: Params) -> Outcome {
    let (k, rounds) = (a.crowd(10_000).max(2), a.count(100));
    let (first, mut last) = mpsc::channel::<usize>();
    for _ in 1..k {
        let (to, next) = mpsc::channel();
        let from = std::mem::replace(&mut last, next);
        go!(move || {
            for v in from {
                let _ = to.send(v + 1);
            }
        });
    }
    first.send(0).expect("a receiver");
    let mut token = last.recv().expect("the token") + 1; // a round that starts every coroutine
    let began = Instant::now();
    for _ in 0..rounds {
        first.send(token).expect("a receiver");
        token = last.recv().expect("the token") + 1;
    }
    Outcome::new("hop", k * rounds, began.elapsed()).with("value", token as f64)
}

fn mutex_alone(a: Params) -> Outcome {
    let n = a.count(50_000_000);
    let m = Mutex::new(0usize);
    let began = Instant::now();
    for _ in 0..n {
        *m.lock().expect("the lock") += 1;
    }
    Outcome::new("lock+unlock", n, began.elapsed())
}

fn mutex_contended(a: Params) -> Outcome {
    let k = a.crowd(8);
    let n = a.count(8_000_000) / k;
    let m = Arc::new(Mutex::new(0usize));
    let began = Instant::now();
    let task = |m: Arc<Mutex<usize>>| go!(move || (0..n).for_each(|_| *m.lock().expect("the lock") += 1));
    join_all((0..k).map(|_| task(m.clone())).collect());
    Outcome::new("lock+unlock", n * k, began.elapsed())
}

fn sleepers(a: Params) -> Outcome {
    let (k, rounds) = (a.crowd(100_000), a.count(5).max(2));
    let (cpu, began) = (peer::cpu_seconds(), Instant::now());
    let task = move |seed: usize| {
        let mut random = Splitmix(seed as u64);
        let mut late = Vec::with_capacity(rounds - 1);
        for round in 0..rounds {
            let (d, asleep) = (random.sleep(), Instant::now());
            coroutine::sleep(d);
            if round > 0 {
                late.push(peer::lateness(asleep, d));
            }
        }
        late
    };
    let tasks: Vec<_> = (0..k).map(|i| go!(move || task(i))).collect();
    let late: Vec<i64> = tasks.into_iter().flat_map(|one| one.join().expect("a coroutine")).collect();
    peer::slept(late, k * rounds, began.elapsed(), peer::cpu_seconds() - cpu)
}

fn parked(a: Params) -> Outcome {
    let k = a.crowd(100_000);
    let before = peer::rss_bytes();
    let (never, waits) = may::sync::mpmc::channel::<usize>();
    let up = Arc::new(AtomicUsize::new(0));
    let mut began = Instant::now();
    let tasks: Vec<_> = (0..k)
        .map(|_| {
            let (waits, up) = (waits.clone(), up.clone());
            go!(move || {
                up.fetch_add(1, Ordering::Relaxed);
                let _ = waits.recv();
            })
        })
        .collect();
    while up.load(Ordering::Relaxed) < k {
        coroutine::sleep(Duration::from_millis(1)); // a yield comes before those that have not run yet
    }
    let created = began.elapsed();
    let bytes = peer::rss_bytes() - before;
    began = Instant::now();
    drop(never);
    join_all(tasks);
    peer::stood(k, created, began.elapsed(), bytes)
}

fn idle(a: Params) -> Outcome {
    coroutine::sleep(Duration::from_millis(50));
    let (before, began) = (peer::cpu_seconds(), Instant::now());
    coroutine::sleep(a.length());
    peer::rested(1, began.elapsed(), before)
}

fn wake_ups(a: Params) -> Outcome {
    coroutine::sleep(Duration::from_millis(50));
    let (before, began) = (peer::cpu_seconds(), Instant::now());
    let mut next = began;
    for _ in 0..a.length().as_millis() {
        next += Duration::from_millis(1);
        coroutine::sleep(next.saturating_duration_since(Instant::now()));
    }
    peer::rested(a.length().as_millis() as usize, began.elapsed(), before)
}
