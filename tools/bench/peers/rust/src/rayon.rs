//! Rayon: fork-join by join and parallel iterators. A thread that waits runs other branches on its own stack.
use std::time::{Duration, Instant};

use peer::{Outcome, Params};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

#[allow(dead_code)] // it has only fork-join
mod peer;

type Workload = fn(Params) -> Outcome;

const WORKLOADS: &[(&str, &str, Workload)] = &[
    ("forkfib", "fib(n) without cutoff by join (32)", fork_fib),
    ("forkskynet", "10-ary tree to n leaves (1000000) by a parallel sum", fork_skynet),
    ("nqueens", "all ways to place n queens (12) by a parallel sum over each row's places", fork_queens),
    ("quicksort", "n numbers (1000000) by join of the parts", fork_quicksort),
    ("mergesort", "n numbers (1000000) by join of the halves", fork_mergesort),
    ("matmul", "product of two n x n matrices (400), in parallel over the rows", fork_matmul),
];

fn main() {
    let list: Vec<(&str, &str)> = WORKLOADS.iter().map(|(name, what, _)| (*name, *what)).collect();
    let (name, a) = peer::command_line(&list);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(a.p).build().expect("a pool");
    let (_, _, run) = WORKLOADS.iter().find(|(known, _, _)| *known == name).expect("a workload");
    pool.install(|| {
        let before = peer::cpu_seconds();
        let r = run(a);
        peer::print(&name, "rayon", a.p, &r, peer::cpu_seconds() - before);
    });
}

fn timed(work: impl FnOnce() -> i64) -> (Duration, i64) {
    let began = Instant::now();
    let value = work();
    (began.elapsed(), value)
}

fn outcome(op: &'static str, ops: usize, (elapsed, value): (Duration, i64)) -> Outcome {
    Outcome::new(op, ops, elapsed).with("value", value as f64)
}

fn fib(n: usize) -> i64 {
    if n < 2 {
        return n as i64;
    }
    let (x, y) = rayon::join(|| fib(n - 1), || fib(n - 2));
    x + y
}

fn fork_fib(a: Params) -> Outcome {
    let n = a.count(32);
    outcome("fork", peer::forks_of_fib(n), timed(|| fib(n)))
}

fn sum_leaves(first: i64, leaves: i64) -> i64 {
    if leaves == 1 {
        return first;
    }
    let part = leaves / 10;
    (0..10i64).into_par_iter().map(|i| sum_leaves(first + i * part, part)).sum()
}

fn fork_skynet(a: Params) -> Outcome {
    let n = a.count(1_000_000);
    outcome("leaf", n, timed(|| sum_leaves(0, n as i64)))
}

fn queens(all: u32, columns: u32, left: u32, right: u32) -> i64 {
    if columns == all {
        return 1;
    }
    let mut places = [0u32; 32];
    let mut count = 0;
    let mut open = all & !(columns | left | right);
    while open != 0 {
        places[count] = open & open.wrapping_neg();
        count += 1;
        open &= open - 1;
    }
    (0..count)
        .into_par_iter()
        .map(|i| queens(all, columns | places[i], (left | places[i]) << 1, (right | places[i]) >> 1))
        .sum()
}

fn fork_queens(a: Params) -> Outcome {
    let all = (1u32 << a.count(12)) - 1;
    outcome("board", 1, timed(|| queens(all, 0, 0, 0)))
}

const SHORT_PART: usize = 16;

fn insertion_sort(part: &mut [i32]) {
    for i in 1..part.len() {
        let moved = part[i];
        let mut to = i;
        while to > 0 && part[to - 1] > moved {
            part[to] = part[to - 1];
            to -= 1;
        }
        part[to] = moved;
    }
}

fn partition(part: &mut [i32]) -> usize {
    let pivot = part[part.len() / 2];
    let (mut low, mut high) = (0, part.len() - 1);
    loop {
        while part[low] < pivot {
            low += 1;
        }
        while part[high] > pivot {
            high -= 1;
        }
        if low >= high {
            return high + 1;
        }
        part.swap(low, high);
        low += 1;
        high -= 1;
    }
}

fn quicksort(part: &mut [i32]) {
    if part.len() <= SHORT_PART {
        return insertion_sort(part);
    }
    let at = partition(part);
    let (front, back) = part.split_at_mut(at);
    rayon::join(|| quicksort(front), || quicksort(back));
}

fn mergesort(part: &mut [i32], scratch: &mut [i32]) {
    if part.len() <= SHORT_PART {
        return insertion_sort(part);
    }
    let half = part.len() / 2;
    let (front, back) = part.split_at_mut(half);
    let (one, other) = scratch.split_at_mut(half);
    rayon::join(|| mergesort(front, one), || mergesort(back, other));
    scratch.copy_from_slice(part);
    let (mut a, mut b) = (0, half);
    for to in part.iter_mut() {
        let from = if b == scratch.len() || (a < half && scratch[a] <= scratch[b]) { &mut a } else { &mut b };
        *to = scratch[*from];
        *from += 1;
    }
}

/// Numbers that look random, the same in each peer.
fn numbers(n: usize) -> Vec<i32> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 1) as i32
    };
    std::iter::repeat_with(next).take(n).collect()
}

/// Times a sort; the value tells whether it was one.
fn sorted(a: Params, sort: impl FnOnce(&mut [i32])) -> Outcome {
    let mut all = numbers(a.count(1_000_000));
    let (elapsed, _) = timed(|| {
        sort(&mut all);
        0
    });
    let value = all.iter().fold(0i64, |sum, &it| (sum * 31 + i64::from(it)) % 1000003);
    outcome("number", all.len(), (elapsed, value))
}

fn fork_quicksort(a: Params) -> Outcome {
    sorted(a, quicksort)
}

fn fork_mergesort(a: Params) -> Outcome {
    let mut scratch = vec![0; a.count(1_000_000)];
    sorted(a, |all| mergesort(all, &mut scratch))
}

fn fork_matmul(a: Params) -> Outcome {
    let size = a.count(400);
    let left: Vec<f64> = (0..size * size).map(|i| (i % 7) as f64).collect();
    let right: Vec<f64> = (0..size * size).map(|i| (i % 5) as f64).collect();
    let mut product = vec![0.0; size * size];
    let took = timed(|| {
        product.par_chunks_mut(size).zip(left.par_chunks(size)).for_each(|(out, factors)| {
            for (factor, line) in factors.iter().zip(right.chunks(size)) {
                for (to, from) in out.iter_mut().zip(line) {
                    *to += factor * from;
                }
            }
        });
        product[size * size - 1] as i64
    });
    outcome("row", size, took)
}
