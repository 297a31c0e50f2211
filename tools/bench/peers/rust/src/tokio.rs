//! Tokio: the workloads on its tasks, channels and timers. One P is its current-thread runtime, more its multi-thread one.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use peer::{Outcome, Params};
use tokio::sync::mpsc::{channel, Receiver, Sender};
use tokio::task::{yield_now, JoinHandle};

mod peer;
mod tokio_net;
mod tokio_time;

const WORKLOADS: &[(&str, &str)] = &[
    ("yield", "-fibers tasks (2) each yield, n times in all"),
    ("spawnbatch", "spawn n empty tasks, joined -fibers (1000) at a time"),
    ("spawnone", "spawn one empty task and join it, n times"),
    ("fib", "fork-join fib(n) without cutoff, one task per fork (32)"),
    ("skynet", "10-ary tree to n leaves (1000000) summed over channels"),
    ("pingpong", "two tasks, two channels of 1, n round trips"),
    ("spsc", "one producer, one consumer, channel of -cap (128), n items"),
    ("mpmc", "four producers, four consumers, channel of -cap (128), n items"),
    ("select2", "select on two channels of 1 with a producer each, n items"),
    ("selectdefault", "try to receive from an empty channel, n times"),
    ("ring", "-fibers tasks (10000) in a ring pass one token n rounds (100)"),
    ("sieve", "concurrent prime sieve, first n primes (2000)"),
    ("channels", "-fibers (1000) channels with a receiver each, n items"),
    ("connections", "-fibers (1000) TCP connections, n round trips of 64 bytes, one connection after the other"),
    ("echo", "TCP echo server on -addr for -ms, or until it is killed"),
    ("mutex", "uncontended lock+unlock, n times"),
    ("mutexcontend", "-fibers tasks (8) lock, add one, unlock, n times in all"),
    ("timer", "arm and drop a one-hour sleep, n times, beside -fibers (0) pending ones"),
    ("sleepers", "-fibers tasks (100000) each sleep a random 1-100 ms, n times (5)"),
    ("parked", "-fibers tasks (100000) blocked on a channel: memory, create and wake time"),
    ("blocking", "4 tasks in a 100 ms system call beside -fibers (1000) yielding ones: longest stall"),
    ("hog", "a busy loop of -ms (200) beside a task that sleeps 1 ms at a time: longest lateness"),
    ("idle", "nothing to do for -ms (1000): CPU used"),
    ("wakeups", "a task that wakes every millisecond: CPU used"),
    ("tickers", "a task per P with a 10 ms ticker: CPU used"),
];

async fn run(name: &str, a: Params) -> Outcome {
    match name {
        "yield" => yield_tasks(a).await,
        "spawnbatch" => spawn_batch(a).await,
        "spawnone" => spawn_one(a).await,
        "fib" => fork_join_fib(a).await,
        "skynet" => skynet(a).await,
        "pingpong" => ping_pong(a).await,
        "spsc" => one_to_one(a).await,
        "mpmc" => four_to_four(a).await,
        "select2" => select_of_two(a).await,
        "selectdefault" => try_receive(a).await,
        "ring" => ring(a).await,
        "sieve" => sieve(a).await,
        "channels" => many_channels(a).await,
        "connections" => tokio_net::connections(a).await,
        "echo" => tokio_net::echo_server(a).await,
        "mutex" => mutex_alone(a).await,
        "mutexcontend" => mutex_contended(a).await,
        "timer" => tokio_time::arm_and_drop(a).await,
        "sleepers" => tokio_time::sleepers(a).await,
        "parked" => tokio_time::parked(a).await,
        "blocking" => tokio_time::blocking_calls(a).await,
        "hog" => tokio_time::hog(a).await,
        _ => tokio_time::at_rest(name, a).await,
    }
}

fn main() {
    let (name, a) = peer::command_line(WORKLOADS);
    let runtime = match a.p {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        p => tokio::runtime::Builder::new_multi_thread().worker_threads(p).enable_all().build(),
    };
    runtime.expect("a runtime").block_on(async move {
        // In a task, as block_on's own future is none of the workers'.
        let work = tokio::spawn(async move {
            let before = peer::cpu_seconds();
            let r = run(&name, a).await;
            peer::print(&name, "tokio", a.p, &r, peer::cpu_seconds() - before);
        });
        work.await.expect("the workload");
    });
    std::process::exit(0); // leaves the tasks that wait for ever
}

async fn join_all(handles: Vec<JoinHandle<()>>) {
    for one in handles {
        one.await.expect("a task");
    }
}

async fn yield_tasks(a: Params) -> Outcome {
    let k = a.crowd(2);
    let n = a.count(4_000_000) / k;
    let began = Instant::now();
    let task = || async move {
        for _ in 0..n {
            yield_now().await;
        }
    };
    join_all((0..k).map(|_| tokio::spawn(task())).collect()).await;
    Outcome::new("switch", n * k, began.elapsed())
}

async fn spawn_batch(a: Params) -> Outcome {
    let batch = a.crowd(1000);
    let batches = a.count(1_000_000).div_ceil(batch);
    let spawn = |times: usize| async move {
        for _ in 0..times {
            join_all((0..batch).map(|_| tokio::spawn(async {})).collect()).await;
        }
    };
    spawn(20).await;
    let began = Instant::now();
    spawn(batches).await;
    Outcome::new("spawn", batches * batch, began.elapsed())
}

async fn spawn_one(a: Params) -> Outcome {
    let n = a.count(500_000);
    let spawn = |times: usize| async move {
        for _ in 0..times {
            tokio::spawn(async {}).await.expect("a task");
        }
    };
    spawn(1000).await;
    let began = Instant::now();
    spawn(n).await;
    Outcome::new("spawn+join", n, began.elapsed())
}

fn fib(n: usize) -> Pin<Box<dyn Future<Output = usize> + Send>> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let forked = tokio::spawn(fib(n - 1));
        let y = fib(n - 2).await;
        forked.await.expect("a task") + y
    })
}

async fn fork_join_fib(a: Params) -> Outcome {
    let n = a.count(32);
    let began = Instant::now();
    let v = fib(n).await;
    Outcome::new("fork", peer::forks_of_fib(n), began.elapsed()).with("value", v as f64)
}

fn sum_leaves(to: Sender<usize>, first: usize, leaves: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut sum = first;
        if leaves > 1 {
            let (parts, mut sums) = channel(1);
            let part = leaves / 10;
            for i in 0..10 {
                tokio::spawn(sum_leaves(parts.clone(), first + i * part, part));
            }
            sum = 0;
            for _ in 0..10 {
                sum += sums.recv().await.expect("a sum");
            }
        }
        to.send(sum).await.expect("a receiver");
    })
}

async fn skynet(a: Params) -> Outcome {
    let n = a.count(1_000_000);
    let (to, mut sum) = channel(1);
    let began = Instant::now();
    tokio::spawn(sum_leaves(to, 0, n));
    let v = sum.recv().await.expect("a sum");
    Outcome::new("leaf", n, began.elapsed()).with("value", v as f64)
}

async fn ping_pong(a: Params) -> Outcome {
    let n = a.count(1_000_000);
    let (ping, mut pings) = channel(1);
    let (pong, mut pongs) = channel(1);
    tokio::spawn(async move {
        while let Some(v) = pings.recv().await {
            pong.send(v).await.expect("a receiver");
        }
    });
    let began = Instant::now();
    for i in 0..n {
        ping.send(i).await.expect("a receiver");
        pongs.recv().await;
    }
    Outcome::new("round trip", n, began.elapsed())
}

async fn one_to_one(a: Params) -> Outcome {
    let n = a.count(4_000_000);
    let (to, mut items) = channel(a.cap);
    let began = Instant::now();
    tokio::spawn(async move {
        for _ in 0..n {
            to.send(1usize).await.expect("a receiver");
        }
    });
    let consuming = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(v) = items.recv().await {
            sum += v;
        }
        sum
    });
    let total = consuming.await.expect("a sum");
    Outcome::new("item", n, began.elapsed()).with("value", total as f64)
}

async fn four_to_four(a: Params) -> Outcome {
    let n = a.count(4_000_000) / 4;
    let (to, items) = async_channel::bounded(a.cap);
    let began = Instant::now();
    let mut consuming = Vec::new();
    for _ in 0..4 {
        let (to, items) = (to.clone(), items.clone());
        tokio::spawn(async move {
            for _ in 0..n {
                to.send(1usize).await.expect("a receiver");
            }
        });
        consuming.push(tokio::spawn(async move {
            let mut sum = 0;
            while let Ok(v) = items.recv().await {
                sum += v;
            }
            sum
        }));
    }
    drop(to);
    let mut total = 0;
    for one in consuming {
        total += one.await.expect("a sum");
    }
    Outcome::new("item", n * 4, began.elapsed()).with("value", total as f64)
}

async fn select_of_two(a: Params) -> Outcome {
    let n = a.count(1_000_000) / 2;
    let producer = || {
        let (to, items) = channel(1);
        tokio::spawn(async move {
            for _ in 0..n {
                to.send(1usize).await.expect("a receiver");
            }
            std::future::pending::<()>().await; // keeps the channel open
        });
        items
    };
    let (mut x, mut y) = (producer(), producer());
    let mut sum = 0;
    let began = Instant::now();
    for _ in 0..2 * n {
        tokio::select! {
            Some(v) = x.recv() => sum += v,
            Some(v) = y.recv() => sum += v,
        }
    }
    Outcome::new("item", 2 * n, began.elapsed()).with("value", sum as f64)
}

async fn try_receive(a: Params) -> Outcome {
    let n = a.count(50_000_000);
    let (_to, mut empty) = channel::<usize>(1);
    let began = Instant::now();
    let misses = (0..n).filter(|_| empty.try_recv().is_err()).count();
    Outcome::new("select", n, began.elapsed()).with("value", misses as f64)
}

async fn ring(a: Params) -> Outcome {
    let (k, rounds) = (a.crowd(10_000).max(2), a.count(100));
    let (first, mut last) = channel(1);
    for _ in 1..k {
        let (to, next) = channel(1);
        let mut from: Receiver<usize> = std::mem::replace(&mut last, next);
        tokio::spawn(async move {
            while let Some(v) = from.recv().await {
                let _ = to.send(v + 1).await;
            }
        });
    }
    first.send(0).await.expect("a receiver");
    let mut token = last.recv().await.expect("the token") + 1; // a round that starts every task
    let began = Instant::now();
    for _ in 0..rounds {
        first.send(token).await.expect("a receiver");
        token = last.recv().await.expect("the token") + 1;
    }
    Outcome::new("hop", k * rounds, began.elapsed()).with("value", token as f64)
}

async fn sieve(a: Params) -> Outcome {
    let n = a.count(2000);
    let began = Instant::now();
    let (numbers, mut rest) = channel(1);
    tokio::spawn(async move {
        let mut i = 2;
        while numbers.send(i).await.is_ok() {
            i += 1;
        }
    });
    let mut prime: usize = rest.recv().await.expect("a prime");
    for _ in 1..n {
        let (to, next) = channel(1);
        let mut from = std::mem::replace(&mut rest, next);
        tokio::spawn(async move {
            while let Some(v) = from.recv().await {
                if v % prime != 0 && to.send(v).await.is_err() {
                    break;
                }
            }
        });
        prime = rest.recv().await.expect("a prime");
    }
    Outcome::new("prime", n, began.elapsed()).with("value", prime as f64)
}

async fn many_channels(a: Params) -> Outcome {
    let k = a.crowd(1000);
    let rounds = a.count(1_000_000).div_ceil(k);
    let channels: Vec<Sender<usize>> = (0..k)
        .map(|_| {
            let (to, mut from) = channel(1);
            tokio::spawn(async move { while from.recv().await.is_some() {} });
            to
        })
        .collect();
    for c in &channels {
        c.send(0).await.expect("a receiver"); // starts every task
    }
    let began = Instant::now();
    for i in 0..rounds {
        for c in &channels {
            c.send(i).await.expect("a receiver");
        }
    }
    Outcome::new("item", rounds * k, began.elapsed())
}

async fn mutex_alone(a: Params) -> Outcome {
    let n = a.count(50_000_000);
    let m = tokio::sync::Mutex::new(0usize);
    let began = Instant::now();
    for _ in 0..n {
        *m.lock().await += 1;
    }
    Outcome::new("lock+unlock", n, began.elapsed())
}

async fn mutex_contended(a: Params) -> Outcome {
    let k = a.crowd(8);
    let n = a.count(8_000_000) / k;
    let m = Arc::new(tokio::sync::Mutex::new(0usize));
    let began = Instant::now();
    let task = |m: Arc<tokio::sync::Mutex<usize>>| async move {
        for _ in 0..n {
            *m.lock().await += 1;
        }
    };
    join_all((0..k).map(|_| tokio::spawn(task(m.clone()))).collect()).await;
    Outcome::new("lock+unlock", n * k, began.elapsed())
}
