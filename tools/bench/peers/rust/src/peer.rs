//! What the Rust peers share: the command line, the clock, and the line of JSON.
use std::time::{Duration, Instant};

/// The command line's numbers; 0: the workload's own default.
#[derive(Clone, Copy)]
pub struct Params {
    pub p: usize,
    pub n: usize,
    pub fibers: usize,
    pub cap: usize,
    pub ms: u64,
    #[allow(dead_code)] // may's workloads have no network
    pub addr: std::net::SocketAddr,
}

impl Params {
    pub fn count(&self, otherwise: usize) -> usize {
        if self.n > 0 { self.n } else { otherwise }
    }
    pub fn crowd(&self, otherwise: usize) -> usize {
        if self.fibers > 0 { self.fibers } else { otherwise }
    }
    pub fn length(&self) -> Duration {
        Duration::from_millis(if self.ms > 0 { self.ms } else { 1000 })
    }
}

pub struct Outcome {
    pub op: &'static str,
    pub ops: usize,
    pub elapsed: Duration,
    pub extra: Vec<(&'static str, f64)>,
}

impl Outcome {
    pub fn new(op: &'static str, ops: usize, elapsed: Duration) -> Self {
        Outcome { op, ops, elapsed, extra: Vec::new() }
    }
    pub fn with(mut self, key: &'static str, value: f64) -> Self {
        self.extra.push((key, value));
        self
    }
}

pub fn cpu_seconds() -> f64 {
    let mut u = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills what it is given.
    let u = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, u.as_mut_ptr());
        u.assume_init()
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(u.ru_utime) + seconds(u.ru_stime)
}

pub fn rss_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split_whitespace().nth(1).and_then(|s| s.parse().ok()).unwrap_or(0.0);
    // SAFETY: sysconf has no preconditions.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as f64
}

#[allow(dead_code)] // may's workloads have no network
pub fn allow_descriptors(wanted: u64) {
    // SAFETY: both calls read and write the one struct that they are given.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted;
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0, "descriptors are not to be had (ulimit -n)");
        }
    }
}

/// SO_LINGER of 0.
#[allow(dead_code)]
pub fn close_at_once(c: &impl std::os::fd::AsRawFd) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = std::mem::size_of::<libc::linger>() as libc::socklen_t;
    // SAFETY: the kernel reads one linger.
    unsafe {
        libc::setsockopt(c.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, (&raw const at_once).cast(), size);
    }
}

/// A small random source, so that 100,000 of them cost little memory.
pub struct Splitmix(pub u64);

impl Splitmix {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }
    /// A time to sleep, from 1 to 100 ms.
    pub fn sleep(&mut self) -> Duration {
        Duration::from_micros(1000 + self.next() % 99_001)
    }
}

#[allow(dead_code)] // may forks no tree
pub fn forks_of_fib(n: usize) -> usize {
    let (mut last, mut now) = (0, 0);
    for _ in 2..=n {
        (last, now) = (now, last + now + 1);
    }
    now
}

pub fn lateness(asleep: Instant, d: Duration) -> i64 {
    asleep.elapsed().as_micros() as i64 - d.as_micros() as i64
}

pub fn slept(mut late: Vec<i64>, sleeps: usize, elapsed: Duration, cpu: f64) -> Outcome {
    late.sort_unstable();
    let at = |percent: usize| late[(late.len() * percent / 100).min(late.len() - 1)] as f64;
    Outcome::new("sleep", sleeps, elapsed)
        .with("cpu_ns_per_op", cpu * 1e9 / sleeps as f64)
        .with("over_p50_us", at(50))
        .with("over_p99_us", at(99))
}

pub fn stood(k: usize, created: Duration, woken: Duration, bytes: f64) -> Outcome {
    let each = |d: Duration| d.as_nanos() as f64 / k as f64;
    Outcome::new("create", k, created)
        .with("rss_per_fiber", bytes / k as f64)
        .with("create_ns", each(created))
        .with("wake_ns", each(woken))
}

/// The CPU used since `before`, over `elapsed`.
pub fn rested(times: usize, elapsed: Duration, before: f64) -> Outcome {
    let used = cpu_seconds() - before;
    Outcome::new("event", times, elapsed).with("cpu_us_per_s", used * 1e6 / elapsed.as_secs_f64())
}

/// The workload's name and the numbers; lists the workloads and ends if they are not right.
pub fn command_line(list: &[(&str, &str)]) -> (String, Params) {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match parsed(&args).filter(|(name, _)| list.iter().any(|(known, _)| known == name)) {
        Some(found) => found,
        None => {
            let asked = args.first().is_some_and(|a| a == "--help");
            let lines: String = list.iter().map(|(name, what)| format!("  {name:<14} {what}\n")).collect();
            let text = format!("usage: peer WORKLOAD [-p P] [-n N] [-fibers K] [-cap C] [-ms T] [-addr A]\n{lines}");
            if asked { print!("{text}") } else { eprint!("{text}") }
            std::process::exit(if asked { 0 } else { 2 });
        }
    }
}

fn parsed(args: &[String]) -> Option<(String, Params)> {
    let mut a = Params { p: 1, n: 0, fibers: 0, cap: 128, ms: 0, addr: ([127, 0, 0, 1], 7001).into() };
    let name = args.first()?.clone();
    for pair in args[1..].chunks(2) {
        let text = pair.get(1)?;
        if pair[0] == "-addr" {
            a.addr = text.parse().ok()?;
            continue;
        }
        let value: usize = text.parse().ok()?;
        match pair[0].as_str() {
            "-p" => a.p = value,
            "-n" => a.n = value,
            "-fibers" => a.fibers = value,
            "-cap" => a.cap = value,
            "-ms" => a.ms = value as u64,
            _ => return None,
        }
    }
    (a.p > 0).then_some((name, a))
}

pub fn print(name: &str, rival: &str, p: usize, r: &Outcome, cpu: f64) {
    let ns = r.elapsed.as_nanos() as f64;
    let extra: String = r.extra.iter().map(|(key, value)| format!(r#","{key}":{value:.3}"#)).collect();
    println!(
        r#"{{"name":"{name}","rival":"{rival}","p":{p},"op":"{}","ops":{},"ns_per_op":{:.3},"ms":{:.3},"cpu_s":{cpu:.4}{extra}}}"#,
        r.op,
        r.ops,
        ns / r.ops.max(1) as f64,
        ns / 1e6
    );
}
