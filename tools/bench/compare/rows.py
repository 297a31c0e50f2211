"""What is compared: the rows of the table, the sweeps of growth, and what is counted or watched at rest."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One workload with its flags and one figure of its result; lower is better for every figure.

    `n` is the number of operations of the trial run, from which each peer's own number is scaled so that a run
    takes as long as asked for. 0: the flags say how much work there is, and it is never scaled.
    """
    workload: str
    flags: tuple = ()
    n: int = 0
    procs: tuple = (1, 2)
    figure: str = "ns_per_op"
    unit: str = "ns"
    wanted: tuple = ()  # the ratio to `against` asked for, for each of procs
    against: str = "go"
    # Its runs fall into two groups, one several times slower than the other: it is run in more rounds, and its
    # distribution is shown.
    bistable: bool = False

    @property
    def name(self):
        return " ".join((self.workload,) + self.flags)

    @property
    def title(self):
        return self.name if self.figure == "ns_per_op" else f"{self.name}: {FIGURES[self.figure]}"

    def wanted_at(self, p):
        return dict(zip(self.procs, self.wanted)).get(p)


FIGURES = {
    "ns_per_op": "time",
    "cpu_ns_per_op": "CPU per sleep",
    "over_p50_us": "median lateness",
    "rss_per_fiber": "memory of a parked fiber",
    "create_ns": "creating a parked fiber",
    "wake_ns": "waking a parked fiber",
    "rss_per_conn": "memory of a connection, both ends",
    "stall_ms": "longest stall of the others",
    "late_ms": "longest lateness of a 1 ms sleep",
    "cpu_us_per_s": "CPU used per second",
    "cpu_us_per_request": "CPU of the server per request",
    "p99_us": "answered within, of 99 in 100",
    "bytes_per_idle_conn": "memory of a silent connection",
}

ROWS = [
    Row("yield", (), 100_000, (1,), wanted=(0.40,)),
    Row("yield", ("-fibers", "1000"), 100_000, wanted=(0.22, 0.15)),
    Row("spawnbatch", (), 20_000, wanted=(0.15, 0.30)),
    Row("spawnone", (), 5_000, wanted=(0.30, 0.50)),
    Row("pingpong", (), 10_000, wanted=(0.30, 0.45)),
    Row("spsc", (), 50_000, wanted=(0.25, 0.45)),
    Row("mpmc", (), 50_000, wanted=(0.25, 0.55), bistable=True),
    Row("select2", (), 10_000, wanted=(0.40, 0.55)),
    Row("selectdefault", (), 500_000, (1,), wanted=(1.0,)),
    Row("mutex", (), 200_000, (1,), wanted=(1.1,)),
    Row("mutexcontend", (), 100_000, wanted=(1.0, 0.8), bistable=True),
    Row("ring", (), 3, wanted=(0.60, 0.90)),
    Row("sieve", ("-n", "2000"), 0, wanted=(0.40, 0.80)),
    Row("skynet", ("-n", "100000"), 0, wanted=(0.20, 0.20)),
    Row("fib", ("-n", "28"), 0, wanted=(0.20, 0.20)),
    Row("forkfib", ("-n", "32"), 0, wanted=(0.10, 0.12), against="tbb"),
    Row("forkskynet", ("-n", "1000000"), 0, wanted=(0.3, 0.3), against="tbb"),
    Row("nqueens", ("-n", "12"), 0, wanted=(0.8, 0.8), against="tbb"),
    Row("quicksort", ("-n", "1000000"), 0, wanted=(0.8, 0.8), against="tbb"),
    Row("mergesort", ("-n", "1000000"), 0, wanted=(0.8, 0.8), against="tbb"),
    Row("matmul", ("-n", "400"), 0, against="tbb"),
    Row("timer", (), 20_000, (1,), wanted=(0.50,)),
    Row("sleepers", ("-fibers", "10000"), 0, figure="cpu_ns_per_op", wanted=(1.0, 1.0)),
    Row("sleepers", ("-fibers", "10000"), 0, figure="over_p50_us", unit="us", wanted=(0.2, 0.2)),
    Row("parked", ("-fibers", "100000"), 0, (1,), figure="rss_per_fiber", unit="B"),
    Row("parked", ("-fibers", "100000"), 0, (1,), figure="create_ns"),
    Row("parked", ("-fibers", "100000"), 0, (1,), figure="wake_ns"),
    Row("connections", ("-fibers", "1000"), 5_000),
    Row("connections", ("-fibers", "9900"), 9_900, (1,), figure="rss_per_conn", unit="B"),
    Row("blocking", ("-fibers", "1000"), 0, figure="stall_ms", unit="ms"),
    Row("hog", ("-ms", "200"), 0, figure="late_ms", unit="ms"),
    Row("lateness", ("-fibers", "50"), 0, figure="late_ms", unit="ms", wanted=(1.1, 1.1)),
    Row("rwmutex", (), 50_000, (1,)),
    Row("waitgroup", (), 100_000, (1,)),
    Row("once", (), 1_000_000, (1,)),
    Row("pool", (), 100_000, wanted=(0.8, 0.8)),
    Row("cond32", (), 1_000),
    Row("mapload", (), 100_000, (1,)),
]

# Servers, which a client in a process of its own loads over the loopback. `time` is wall time over requests.
SERVED = [
    *(Row("echo", ("-conns", str(conns)), figure=figure, unit=unit, procs=(1,), wanted=(wanted,))
      for conns, cpu, time in ((1, 0.90, 1.0), (64, 0.80, 0.83), (1000, 0.70, 0.83))
      for figure, unit, wanted in (("cpu_us_per_request", "us", cpu), ("ns_per_op", "ns", time), ("p99_us", "us", 1.0))),
    Row("echo", ("-idle", "9900"), figure="bytes_per_idle_conn", unit="B", procs=(1,), wanted=(1.0,)),
    Row("echo", ("-idle", "9900"), figure="cpu_us_per_s", unit="us", procs=(1,)),
    *(Row("http", ("-conns", "64"), figure=figure, unit=unit, procs=(1,), wanted=(wanted,) if wanted else ())
      for figure, unit, wanted in (("cpu_us_per_request", "us", 0.50), ("ns_per_op", "ns", None), ("p99_us", "us", None))),
    *(Row("resp", ("-conns", conns), figure=figure, unit="us", procs=(1, 2), wanted=(0.80, 0.80) if figure != "p99_us" else ())
      for conns in ("1", "50", "500") for figure in ("cpu_us_per_request", "p99_us")),
    Row("http", ("-idle", "9900"), figure="bytes_per_idle_conn", unit="B", procs=(1,), wanted=(1.0,)),
]

# CPU used by a process that has (next to) nothing to do.
REST = [
    Row("idle", ("-ms", "3000"), figure="cpu_us_per_s", unit="us"),
    Row("wakeups", ("-ms", "1000"), figure="cpu_us_per_s", unit="us"),
    Row("tickers", ("-ms", "1000"), figure="cpu_us_per_s", unit="us"),
]

# What nobody can be faster than: no scheduler, only the machine.
FLOORS = [
    Row("switch", (), 1_000_000, (1,)),
    Row("atomic", (), 1_000_000, (1,)),
    Row("clock", (), 100_000, (1,)),
    Row("syscall", (), 100_000, (1,)),
    Row("cacheline", (), 100_000, (2,)),
    Row("futex", (), 2_000),
    Row("pagefault", (), 5_000, (1,)),
]


@dataclass(frozen=True)
class Sweep:
    """One workload at growing values of one flag; `row.flags` are given besides."""
    title: str
    row: Row
    flag: str
    values: tuple
    p: int = 1


TENS = (100, 1_000, 10_000, 100_000, 1_000_000)
PROCS = (1, 2, 4, 8, 16)
CONNECTIONS = (1, 10, 100, 1_000, 9_900)  # both ends in one process: 20,000 descriptors are what many systems allow

SWEEPS = [
    Sweep("Parked fibers: creating one", Row("parked", figure="create_ns"), "-fibers", TENS),
    Sweep("Parked fibers: waking one", Row("parked", figure="wake_ns"), "-fibers", TENS),
    Sweep("Parked fibers: memory of one", Row("parked", figure="rss_per_fiber", unit="B"), "-fibers", TENS),
    Sweep("Fibers that yield in turn", Row("yield", (), 100_000), "-fibers", TENS),
    Sweep("Channels in use, an item to each in turn", Row("channels", (), 20_000), "-fibers", (1, 10, 100, 1_000, 10_000)),
    Sweep("Connections, a round trip on each in turn", Row("connections", (), 2_000), "-fibers", CONNECTIONS),
    Sweep("Connections: memory of one, both ends", Row("connections", (), 2_000, figure="rss_per_conn", unit="B"),
          "-fibers", CONNECTIONS[2:]),
    Sweep("Create and stop a timer beside pending ones", Row("timer", (), 20_000), "-fibers", TENS),
    Sweep("Ps: 1000 fibers that yield", Row("yield", ("-fibers", "1000"), 100_000), "-p", PROCS),
    Sweep("Ps: spawn in batches", Row("spawnbatch", (), 20_000), "-p", PROCS),
    Sweep("Ps: ping-pong of two fibers", Row("pingpong", (), 10_000), "-p", PROCS),
    Sweep("Ps: 4 producers, 4 consumers", Row("mpmc", (), 50_000), "-p", PROCS),
    Sweep("Ps: 8 fibers and one mutex", Row("mutexcontend", (), 100_000), "-p", PROCS),
    Sweep("Ps: a tree of 100,000 leaves", Row("skynet", ("-n", "100000")), "-p", PROCS),
]

# System calls per request.
CALLED = [row for row in SERVED if row.figure == "cpu_us_per_request"]

# Instructions and allocations per operation, by the difference between two runs of n and 2n operations on one P.
COUNTED = [
    Row("yield", (), 20_000),
    Row("spawnbatch", (), 10_000),
    Row("spawnone", (), 10_000),
    Row("pingpong", (), 10_000),
    Row("spsc", (), 20_000),
    Row("mpmc", (), 20_000),
    Row("select2", (), 10_000),
    Row("selectdefault", (), 50_000),
    Row("mutex", (), 50_000),
    Row("waitgroup", (), 20_000),
    Row("timer", (), 10_000),
]
