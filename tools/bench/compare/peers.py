"""The programs that are compared: how each is built, what it lacks where it cannot be, and what it can run."""
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
ROOT = BENCH.parents[1]
SOURCES = BENCH / "peers"
BUILD = ROOT / "build" / "peers"


class Missing(Exception):
    """The peer cannot be built here; says why, and how to change that."""


@dataclass
class Peer:
    name: str
    title: str
    build: object  # () -> the program's path; raises Missing
    version: object = lambda: ""
    # Where its operation differs from Go's.
    notes: tuple = ()
    # The workloads that it is asked for; empty: all that it lists.
    only: tuple = ()
    # Goes before the program in a command.
    wrap: tuple = ()
    # The most fibers that it is asked for: beyond, the system has no more threads or mappings for it.
    most_fibers: int = 1_000_000
    program: str = ""
    workloads: dict = field(default_factory=dict)

    def prepare(self):
        BUILD.mkdir(parents=True, exist_ok=True)
        self.program = str(self.build())
        done = subprocess.run([self.program, "--help"], capture_output=True, text=True, timeout=60, check=False)
        listed = re.findall(r"^  ([a-z0-9]+)  +(.+)$", done.stdout + done.stderr, re.M)
        if not listed:
            raise Missing("its program lists no workloads")
        self.workloads = {name: what for name, what in listed if not self.only or name in self.only}


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def first_line(*command):
    return (output_of(*command).splitlines() or [""])[0]


def run_or_miss(command, hint, **settings):
    """Runs a compiler; if that fails the peer is missing, with the first line that says why."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=1200, check=False,
                              **settings)
    except OSError as e:
        raise Missing(f"{e.strerror}: {e.filename}; {hint}") from e
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).splitlines()
        why = next((line.strip() for line in lines if "error" in line.lower()), lines[-1].strip() if lines else "it failed")
        raise Missing(f"{why}; {hint}")


def newer(target, *sources):
    """Whether target exists and is younger than everything it is made from."""
    return target.exists() and all(target.stat().st_mtime >= s.stat().st_mtime for s in sources)


def weft():
    # Asked for its list, the door builds it first, and says so.
    done = subprocess.run([ROOT / "tools" / "dev", "bench", "--help"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise Missing("it does not build")
    return ROOT / "build" / "release" / "tools" / "bench" / "weft_bench"


def go():
    target = BUILD / "go_peer"
    if not newer(target, *(SOURCES / "go").iterdir()):
        if not shutil.which("go"):
            raise Missing("no go; apt install golang-go, or https://go.dev/dl")
        run_or_miss(["go", "build", "-o", target, "."], "see tools/bench/peers/go", cwd=SOURCES / "go")
    return target


def cargo(crate):
    """A program of tools/bench/peers/rust; each is built alone, so that one that does not build takes no other along."""
    def build():
        folder = SOURCES / "rust"
        target = BUILD / "cargo" / "release" / f"{crate}_peer"
        if not newer(target, folder / "Cargo.toml", *(folder / "src").iterdir()):
            if not shutil.which("cargo"):
                raise Missing("no cargo; apt install cargo, or https://rustup.rs")
            run_or_miss(["cargo", "build", "--release", "--quiet", "--locked", "--features", crate, "--bin", f"{crate}_peer",
                         "--target-dir", BUILD / "cargo"], "cargo build needs the network the first time", cwd=folder)
            target.touch()
        return target
    return build


def compiled(source, package, *flags, name=None):
    """A peer of one C or C++ file."""
    def build():
        target = BUILD / f"{name or Path(source).stem}_peer"
        needs = [SOURCES / source, *SOURCES.glob("*.h")]
        if not newer(target, *needs):
            c = source.endswith(".c")
            compiler = os.environ.get("CC", "cc") if c else os.environ.get("CXX", "c++")
            standard = "-std=gnu11" if c else "-std=c++20"
            run_or_miss([compiler, standard, "-O2", "-g", "-Wall", "-Wextra", SOURCES / source, "-o", target, "-pthread",
                         *flags], f"apt install {package}")
        return target
    return build


def load_generator():
    """What loads the servers; not a peer."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return compiled("../load/load.cc", "g++", name="load")()


def load_of(workload):
    """The command that loads a server of this workload."""
    if workload == "resp":
        return [sys.executable, str(BENCH / "load" / "redis.py")]
    return [str(load_generator()), *(["-http"] if workload == "http" else [])]


def loads():
    """The workloads of SERVERS that can be loaded here."""
    return tuple(name for name in SERVERS if name != "resp" or shutil.which("redis-benchmark"))


def cargo_version(crate):
    def version():
        lock = (SOURCES / "rust" / "Cargo.lock").read_text(encoding="utf-8")
        found = re.search(rf'name = "{crate}"\nversion = "([^"]+)"', lock)
        return f"{found[1] if found else '?'}, {' '.join(first_line('rustc', '--version').split()[:2])}"
    return version


def header_version(header, macro):
    """What the preprocessor makes of a version macro, with dots where it can be told."""
    def version():
        text = f"#include <{header}>\nFOUND {macro}\n"
        try:
            done = subprocess.run(["c++", "-std=c++20", "-E", "-P", "-x", "c++", "-"], input=text, capture_output=True,
                                  text=True, timeout=60, check=False)
        except OSError:
            return ""
        found = re.search(r"^FOUND (.+)$", done.stdout, re.M)
        return found[1].strip('" ').replace("_", ".").replace(" ", "") if found else ""
    return version


def compiler_version():
    return first_line("c++", "--version")


# Workloads that are servers: the load generator starts them and says what a request cost.
SERVERS = ("echo", "http", "resp")
NO_SCHEDULER = ("no scheduler: one thread and a loop, which is what the kernel charges; http reads no request and sends a constant",)

ALL = [
    Peer("weft", "weft", weft, lambda: first_line("git", "-C", str(ROOT), "log", "-1", "--format=%h of %cs", "--", "runtime",
                                                  "sched", "chan", "net")),
    Peer("go", "Go", go, lambda: first_line("go", "version").replace("go version ", "")),
    Peer("tokio", "Tokio", cargo("tokio"), cargo_version("tokio"),
         ("stackless: a task's state is what its future holds",
          "no rendezvous: where Go's channel is unbuffered, one of capacity 1 stands",
          "more than one consumer: the crate async-channel, as Tokio's own channels have one",
          "timer: a Sleep that is polled once and dropped")),
    Peer("may", "may (Rust)", cargo("may"), cargo_version("may"),
         ("its channels are unbounded: a send never waits",
          "no fib and no skynet: oldest first and a mapping for each stack, a tree meets the limit of mappings"),
         most_fibers=20_000),
    Peer("fiber", "Boost.Fiber", compiled("fiber.cc", "libboost-fiber-dev", "-lboost_fiber", "-lboost_context"),
         header_version("boost/version.hpp", "BOOST_LIB_VERSION"),
         ("one P: round robin; more: work stealing as by default, whose idle threads never sleep",
          "fib and skynet start the child at once (launch::dispatch), or the memory of all fibers would be needed"),
         most_fibers=100_000),
    Peer("tbb", "oneTBB", compiled("tbb.cc", "libtbb-dev", "-ltbb"),
         header_version("oneapi/tbb/version.h", "TBB_VERSION_MAJOR.TBB_VERSION_MINOR"),
         ("tasks without stacks of their own: one that waits runs others on its own stack",
          "skynet returns sums, it has no channels")),
    Peer("rayon", "Rayon", cargo("rayon"), cargo_version("rayon"),
         ("branches without stacks of their own: a thread that waits runs others on its own stack",)),
    Peer("threads", "std::thread", compiled("threads.cc", "g++"), compiler_version,
         ("P is the number of CPUs that the process may use", "channels of std::mutex and std::condition_variable"), most_fibers=10_000),
    Peer("weft-epoll", "weft on epoll", weft, lambda: "as weft", only=SERVERS, wrap=("/usr/bin/env", "WEFT_POLLER=epoll")),
    Peer("c-uring", "C on io_uring", compiled("server.c", "liburing-dev", "-luring", name="uring"),
         header_version("liburing/io_uring_version.h", "IO_URING_VERSION_MAJOR.IO_URING_VERSION_MINOR"), NO_SCHEDULER, only=SERVERS),
    Peer("c-epoll", "C on epoll", compiled("server.c", "gcc", "-DBY_EPOLL", name="epoll"), lambda: first_line("cc", "--version"),
         NO_SCHEDULER, only=SERVERS),
    Peer("floors", "C", compiled("floors.c", "gcc"), lambda: first_line("cc", "--version")),
]
NAMES = [p.name for p in ALL]
