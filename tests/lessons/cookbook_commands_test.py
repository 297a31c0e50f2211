#!/usr/bin/env python3
"""The commands of lessons/cookbook do what docs/cookbook.md says.

  cookbook_commands_test.py NAME PROGRAM
"""
import gzip
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from cookbook import GUARD, SANITIZED, origin, run, wait_until

HTML = {"Content-Type": "text/html"}


def crawler(path):
    assert run(path).returncode == run(path, "http://x/", 0).returncode == 2
    busy, most, lock = 0, 0, threading.Lock()
    two_at_a_time, held = threading.Barrier(2), threading.Event()

    def respond(at, _handler):
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return pages(at)
        finally:
            with lock:
                busy -= 1

    def pages(at):
        if at == "/":
            return 200, HTML, f"""<a href="/a">a</a> <a href="/b#part">b</a> <a href="{site.url}/c?x=1">c</a> <a href="/gone">
                <a href="http://elsewhere.invalid/z"> <a href="//elsewhere.invalid/z"> <a href="mailto:x"> <a href="/">
                <a href="#part"> <a href="{site.url}1/z"> <a href="/a"> <a href="/moved">""".encode()
        if at == "/moved":
            return 301, {"Location": "/new"}, b""
        if at in ("/a", "/b"):
            two_at_a_time.wait(GUARD)  # both are asked for before either is answered
            time.sleep(0.3)  # time for a third request, which must not come
            return 200, HTML, b'<a href="/"> <a href="/a"> <a href="/b"> <a href="/d">'
        if at == "/c?x=1":
            return 200, {"Content-Type": "text/plain"}, b'<a href="/no-link">'
        if at == "/held":
            held.wait(GUARD)
        return (404 if at == "/gone" else 200), HTML, b""

    with origin(respond) as site:
        began = time.monotonic()
        done = run(path, site.url, 20, 2)
        wanted = {"/": 200, "/a": 200, "/b": 200, "/c?x=1": 200, "/d": 200, "/gone": 404, "/moved": 301, "/new": 200}
        assert done.returncode == 0 and done.stderr == b"", done
        assert sorted(site.paths()) == sorted(wanted), site.paths()
        assert set(done.stdout.decode().splitlines()) == {f"{status} {at}" for at, status in wanted.items()}, done.stdout
        assert most == 2, most
        # The ticker began after this clock was read, and each request has a tick of its own.
        for i, at in enumerate(sorted(site.times())):
            assert at - began >= 0.05 * (i + 1), (i, at - began)
    with origin(respond) as site:
        assert run(path, site.url, 1000, 1, 1).returncode == 0
        assert site.paths() == ["/"]
    with origin(respond) as site:
        p = subprocess.Popen([path, site.url + "/held"], stdout=subprocess.DEVNULL)
        wait_until(lambda: site.paths() == ["/held"])
        p.send_signal(signal.SIGINT)
        assert p.wait(GUARD) == 1
        held.set()


def tree_hasher(path):
    assert run(path).returncode == 2
    assert run(path, "/nonexistent").returncode == 1
    with tempfile.TemporaryDirectory() as here:
        root = Path(here) / "tree"
        (root / "b" / "deep").mkdir(parents=True)
        (root / "empty dir").mkdir()
        rng = random.Random(1)
        for name, size in {"a": 1, "b/deep/x": 3_000_001, "b/y z": 256 << 10, "b.txt": 10, "empty": 0}.items():
            (root / name).write_bytes(rng.randbytes(size))
        for i in range(300):
            (root / f"b/deep/{i}").write_bytes(rng.randbytes(i))
        (root / "link").symlink_to("a")
        (root / "directory").symlink_to("b")
        os.mkfifo(root / "fifo")
        files = sorted(str(at) for at in root.rglob("*") if at.is_file() and not at.is_symlink()
                       and "directory" not in at.relative_to(root).parts)
        wanted = "".join(f"{hashlib.sha256(Path(at).read_bytes()).hexdigest()}  {at}\n" for at in files)
        assert len(files) == 305
        for name in (root, f"{root}/"):
            done = run(path, name)
            assert (done.returncode, done.stdout.decode(), done.stderr) == (0, wanted, b""), done.stderr
        assert subprocess.run(["sha256sum", "-c", "--quiet"], input=wanted.encode(), check=False).returncode == 0
        (Path(here) / "alias").symlink_to("tree")
        assert len(run(path, Path(here) / "alias").stdout.splitlines()) == 305
        # What cannot be read is reported, and the rest is hashed. For root everything can be read.
        (root / "a").chmod(0)
        (root / "empty dir").chmod(0)
        os.chmod(here, 0o755)
        copy = Path(here) / "program"
        shutil.copy(path, copy)
        who = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = run(copy, root, **who)
        assert done.returncode == 1 and len(done.stdout.splitlines()) == 304, done
        assert sorted(done.stderr.decode().splitlines()) == [f"{root}/{name}: Permission denied" for name in ("a", "empty dir")]
        (root / "empty dir").chmod(0o755)
        # A file larger than the memory that the program uses.
        large = Path(here) / "large"
        large.mkdir()
        with open(large / "zeros", "wb") as file:
            file.truncate(200 << 20)
        done, peak = run_with_peak([path, large])
        assert done.startswith(hashlib.sha256(bytes(200 << 20)).hexdigest()), done
        assert SANITIZED or peak < 100 << 20, peak


def run_with_peak(command):
    """(standard output, peak resident memory in bytes) of a command that ends with status 0."""
    p = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    out = p.stdout.read()
    p.stdout.close()
    _, status, used = os.wait4(p.pid, 0)
    assert status == 0, status
    return out, used.ru_maxrss << 10


def parallel_gzip(path):
    assert run(path).returncode == 2
    with tempfile.TemporaryDirectory() as here:
        at, to = Path(here) / "in", Path(here) / "out.gz"
        rng = random.Random(1)
        block = 256 << 10
        for size in (0, 1, block - 1, block, block + 1, 7 * block + 3):
            text = bytes(rng.choices(b"abcdef", k=size))
            at.write_bytes(text)
            done = run(path, at, to)
            assert (done.returncode, done.stderr) == (0, b""), done
            assert gzip.decompress(to.read_bytes()) == text, size
            assert to.stat().st_size < size // 2 + 100, (size, to.stat().st_size)
            assert subprocess.run(["gzip", "-t", to], check=False).returncode == 0
        for wrong in ([Path(here) / "none", to], [here, to], [at, Path(here) / "none/out"], [at, "/dev/full"]):
            done = run(path, *wrong)
            assert done.returncode == 1 and done.stderr.startswith(b"parallel_gzip: "), done
        with open(at, "wb") as file:
            file.truncate(200 << 20)
        _, peak = run_with_peak([path, at, to])
        assert SANITIZED or peak < 100 << 20, peak
        slow_reader(path, Path(here))


def slow_reader(path, here):
    """When no one reads the result, the program stops to read its input."""
    source, result = here / "source", here / "result"
    os.mkfifo(source)
    os.mkfifo(result)
    p = subprocess.Popen([path, source, result])
    result_end = os.open(result, os.O_RDONLY | os.O_NONBLOCK)
    source_end = os.open(source, os.O_WRONLY)
    os.set_blocking(source_end, False)
    rng, sent, digest = random.Random(1), 0, hashlib.sha256()
    most, stopped = 100 << 20, None
    while sent < most and (stopped is None or time.monotonic() - stopped < 2):
        part = rng.randbytes(64 << 10)
        try:
            n = os.write(source_end, part)
        except BlockingIOError:
            stopped = stopped or time.monotonic()
            time.sleep(0.01)
            continue
        stopped = None
        sent += n
        digest.update(part[:n])
    assert sent < most, sent
    os.close(source_end)
    os.set_blocking(result_end, True)
    with open(result_end, "rb") as file:
        text = gzip.decompress(file.read())
    assert p.wait(GUARD) == 0
    assert hashlib.sha256(text).digest() == digest.digest() and len(text) == sent


def retry(path):
    assert run(path).returncode == run(path, "http://x/", 0).returncode == 2
    answers = []

    def respond(at, _handler):
        if at == "/held":
            over.wait(GUARD)
        return (answers.pop(0) if answers else 503), {}, b"the page\n"

    over = threading.Event()
    with origin(respond) as server:
        answers[:] = [503, 429, 200]
        done = run(path, server.url, 40)
        assert (done.returncode, done.stdout) == (0, b"the page\n"), done
        first, second, third = server.times()
        assert second - first >= 0.05 and third - second >= 0.1, server.times()  # at least half of 100 and 200 ms
    with origin(respond) as server:
        answers[:] = [404]
        done = run(path, server.url)
        assert (done.returncode, done.stdout) == (1, b"") and b"status 404" in done.stderr, done
        assert len(server.seen) == 1
    with origin(respond) as server:  # no answer is good
        began = time.monotonic()
        done = run(path, server.url, 1)
        assert done.returncode == 1 and b"status 503" in done.stderr and time.monotonic() - began >= 1, done
    with origin(respond) as server:  # no answer comes: the first attempt ends at the deadline
        done = run(path, server.url + "/held", 1)
        over.set()
        assert done.returncode == 1 and b"again" not in done.stderr and len(done.stderr.splitlines()) == 1, done
    assert run(path, "nonsense").returncode == 1
    # A server that comes back while its client retries.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
        p = subprocess.Popen([path, "http://{}:{}/".format(*address), "40"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert b"again in" in p.stderr.readline()
    answers[:] = [200]
    with origin(respond, address):
        assert p.communicate(timeout=GUARD)[0] == b"the page\n"
        assert p.returncode == 0


def fan_out(path):
    assert run(path).returncode == 2
    all_three = threading.Barrier(3)
    two_are_held = threading.Barrier(3)
    order = [threading.Event() for _ in range(4)]
    order[3].set()

    def respond(at, handler):
        name, _, i = at[1:].partition("/")
        if name == "good":  # the last one is answered first
            all_three.wait(GUARD)
            order[int(i) + 1].wait(GUARD)
            order[int(i)].set()
            return 200, {}, b"x" * (int(i) + 5)
        two_are_held.wait(GUARD)
        if name == "held":
            handler.connection.settimeout(GUARD)
            assert handler.connection.recv(1) == b""  # until the client gives up
            return 200, {}, b""
        return 500, {}, b""

    with origin(respond) as server:
        done = run(path, *(f"{server.url}/good/{i}" for i in range(3)))
        assert (done.returncode, done.stderr) == (0, b""), done
        assert done.stdout.decode().splitlines() == [f"{i + 5} {server.url}/good/{i}" for i in range(3)], done.stdout
        # run() waits for less than the program's own limit: without the cancel this takes too long.
        done = run(path, server.url + "/held/1", server.url + "/bad", server.url + "/held/2")
        assert (done.returncode, done.stdout) == (1, b""), done
        assert done.stderr.decode() == f"{server.url}/bad: status 500\n", done.stderr


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
