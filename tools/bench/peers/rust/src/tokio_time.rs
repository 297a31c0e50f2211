//! Tokio's timers, its parked tasks, and what it does at rest.
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::yield_now;

use crate::join_all;
use crate::peer::{self, Outcome, Params, Splitmix};

const HOUR: Duration = Duration::from_secs(3600);

/// A sleep is armed when it is polled first.
async fn arm(mut sleep: Pin<&mut tokio::time::Sleep>) {
    poll_fn(|cx| {
        let _ = sleep.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await
}

pub async fn arm_and_drop(a: Params) -> Outcome {
    let n = a.count(5_000_000);
    let mut random = Splitmix(1);
    let mut pending = Vec::new();
    for _ in 0..a.fibers {
        let more = Duration::from_nanos(random.next() % HOUR.as_nanos() as u64);
        pending.push(Box::pin(tokio::time::sleep(HOUR + more)));
        arm(pending.last_mut().expect("a sleep").as_mut()).await;
    }
    let began = Instant::now();
    for _ in 0..n {
        let one = std::pin::pin!(tokio::time::sleep(HOUR));
        arm(one).await;
    }
    Outcome::new("create+stop", n, began.elapsed())
}

pub async fn sleepers(a: Params) -> Outcome {
    let (k, rounds) = (a.crowd(100_000), a.count(5).max(2));
    let (cpu, began) = (peer::cpu_seconds(), Instant::now());
    let task = |seed: usize| async move {
        let mut random = Splitmix(seed as u64);
        let mut late = Vec::with_capacity(rounds - 1);
        for round in 0..rounds {
            let (d, asleep) = (random.sleep(), Instant::now());
            tokio::time::sleep(d).await;
            if round > 0 {
                late.push(peer::lateness(asleep, d));
            }
        }
        late
    };
    let tasks: Vec<_> = (0..k).map(|i| tokio::spawn(task(i))).collect();
    let mut late = Vec::with_capacity(k * (rounds - 1));
    for one in tasks {
        late.extend(one.await.expect("a task"));
    }
    peer::slept(late, k * rounds, began.elapsed(), peer::cpu_seconds() - cpu)
}

pub async fn parked(a: Params) -> Outcome {
    let k = a.crowd(100_000);
    let before = peer::rss_bytes();
    let (never, waits) = async_channel::bounded::<usize>(1);
    let up = Arc::new(AtomicUsize::new(0));
    let mut began = Instant::now();
    let mut tasks = Vec::with_capacity(k);
    for _ in 0..k {
        let (waits, up) = (waits.clone(), up.clone());
        tasks.push(tokio::spawn(async move {
            up.fetch_add(1, Ordering::Relaxed);
            let _ = waits.recv().await;
        }));
    }
    while up.load(Ordering::Relaxed) < k {
        yield_now().await;
    }
    let created = began.elapsed();
    let bytes = peer::rss_bytes() - before;
    began = Instant::now();
    never.close();
    join_all(tasks).await;
    peer::stood(k, created, began.elapsed(), bytes)
}

/// The calls are announced to nobody, as in the other peers; Tokio asks for spawn_blocking.
pub async fn blocking_calls(a: Params) -> Outcome {
    let k = a.crowd(1000);
    let began = Instant::now();
    let (stop, last, worst) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut all = Vec::with_capacity(k + 4);
    for _ in 0..k {
        let (stop, last, worst) = (stop.clone(), last.clone(), worst.clone());
        all.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let now = began.elapsed().as_nanos() as u64;
                worst.fetch_max(now.saturating_sub(last.swap(now, Ordering::Relaxed)), Ordering::Relaxed);
                yield_now().await;
            }
        }));
    }
    for _ in 0..4 {
        all.push(tokio::spawn(async { std::thread::sleep(Duration::from_millis(100)) }));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    join_all(all).await;
    Outcome::new("run", 1, began.elapsed()).with("stall_ms", worst.load(Ordering::Relaxed) as f64 / 1e6)
}

pub async fn hog(a: Params) -> Outcome {
    let length = if a.ms > 0 { a.length() } else { Duration::from_millis(200) };
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    let ticker = tokio::spawn(async move {
        let mut worst = Duration::ZERO;
        while !stopping.load(Ordering::Relaxed) {
            let asleep = Instant::now();
            tokio::time::sleep(Duration::from_millis(1)).await;
            worst = worst.max(asleep.elapsed().saturating_sub(Duration::from_millis(1)));
        }
        worst
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let began = Instant::now();
    let busy = tokio::spawn(async move {
        let (mut x, mut i) = (1u64, 0u64);
        while i & 0xfffff != 0 || began.elapsed() < length {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            i += 1;
        }
        std::hint::black_box(x)
    });
    busy.await.expect("the hog");
    let took = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    let worst = ticker.await.expect("the ticker");
    Outcome::new("hog", 1, took).with("late_ms", worst.as_nanos() as f64 / 1e6)
}

pub async fn at_rest(name: &str, a: Params) -> Outcome {
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (before, began) = (peer::cpu_seconds(), Instant::now());
    let times = match name {
        "idle" => {
            tokio::time::sleep(a.length()).await;
            1
        }
        "wakeups" => {
            let mut next = tokio::time::Instant::now();
            for _ in 0..a.length().as_millis() {
                next += Duration::from_millis(1);
                tokio::time::sleep_until(next).await;
            }
            a.length().as_millis() as usize
        }
        _ => {
            let ticks = a.length().as_millis() as usize / 10;
            let task = || async move {
                let mut each = tokio::time::interval(Duration::from_millis(10));
                for _ in 0..=ticks {
                    each.tick().await; // the first is due at once
                }
            };
            join_all((0..a.p).map(|_| tokio::spawn(task())).collect()).await;
            ticks * a.p
        }
    };
    peer::rested(times, began.elapsed(), before)
}
