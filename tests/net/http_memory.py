#!/usr/bin/env python3
"""How much memory clients can make a server use: a table of attacks, bytes sent and resident bytes.

  http_memory.py TARGET [CONNECTIONS]   TARGET is tests/net/http_target; 1,000 connections if not said

For each attack a server of its own gets one connection that sends 32 MiB, or until the server ends it, and then many
connections, of which each sends as much as the server takes without an end. A connection may cost at most what
limits::max_header allows. The long form is `http_memory.py TARGET 10000`, which needs 1 GB.
"""
import resource
import selectors
import socket
import subprocess
import sys
import time

MAX_HEADER = 64 << 10
# A read's buffer, the fiber's stack and what the allocator keeps of buffers that grew: up to 47 KiB with 1,000
# connections. With fewer, what the connections in progress leave behind is too large a part of each.
OVERHEAD = 64 << 10
SENT = 32 << 20

POST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
FIELDS = b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 64
ATTACKS = [  # name, head, what follows without an end
    ("request line", b"GET /", b"a" * 4096),
    ("field line", b"GET / HTTP/1.1\r\nX: ", b"a" * 4096),
    ("fields", b"GET / HTTP/1.1\r\n", FIELDS),
    ("short fields", b"GET / HTTP/1.1\r\n", b"a:\r\n" * 1024),
    ("empty lines", b"", b"\r\n" * 2048),
    ("chunk extension", POST + b"3;", b"a" * 4096),
    ("chunk size", POST, b"0" * 4096),
    ("chunks with extensions", POST, (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 4),
    ("trailer line", POST + b"0\r\nX: ", b"a" * 4096),
    ("trailers", POST + b"0\r\n", FIELDS),
    ("pipelined requests, answers not read", b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 128),
]


def rss(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def send_all(port, head, unit, most, seconds):
    """(socket, bytes sent), until the server ends the connection or takes nothing for a while."""
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(seconds)
    sent = 0
    try:
        s.sendall(head)
        while sent < most:
            s.sendall(unit)
            sent += len(unit)
    except OSError:
        pass
    return s, sent


def many(port, head, unit, n):
    """n connections that have sent about max_header bytes each."""
    data = (head + unit * (MAX_HEADER // len(unit)))[:MAX_HEADER - 1024]
    all_of_them, poll = [], selectors.DefaultSelector()
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", port))
        s.setblocking(False)
        all_of_them.append(s)
        poll.register(s, selectors.EVENT_WRITE, data)
        while len(poll.get_map()) > 64:
            push(poll)
    deadline = time.monotonic() + 60
    while poll.get_map() and time.monotonic() < deadline:
        if not push(poll):
            break
    return all_of_them


def push(poll):
    """Sends on what can be written. False if nothing could for a while."""
    ready = poll.select(timeout=2)
    for key, _ in ready:
        try:
            n = key.fileobj.send(key.data)
            rest = key.data[n:]
        except OSError:
            rest = b""
        if rest:
            poll.modify(key.fileobj, selectors.EVENT_WRITE, rest)
        else:
            poll.unregister(key.fileobj)
    return bool(ready)


def main(target, n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * n + 200)), hard))
    print(f"{'attack':38} {'sent':>10} {'RSS grows by':>13} {f'each of {n}':>13}")
    bad = 0
    for name, head, unit in ATTACKS:
        p = subprocess.Popen([target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            sent, one, each = measure(p.pid, int(p.stdout.readline()), head, unit, n)
        finally:
            p.stdin.close()
            p.terminate()
            p.wait()
        print(f"{name:38} {sent:10} {one:13} {each:13}", flush=True)
        if one > 4 * (MAX_HEADER + OVERHEAD) or each > MAX_HEADER + OVERHEAD:
            bad += 1
            print(f"http_memory: {name}: more than max_header allows")
    return 1 if bad else 0


def measure(pid, port, head, unit, n):
    """(bytes that one connection has sent, growth by it, growth by each of n)"""
    for _ in range(3):  # the first ones pay for pages of code and the allocator's arenas
        send_all(port, head, unit, SENT, 2)[0].close()
    before = rss(pid)
    s, sent = send_all(port, head, unit, SENT, 2)
    one = rss(pid) - before
    s.close()
    held = many(port, head, unit, n // 2)  # this half pays for threads and the allocator's arenas too
    time.sleep(0.2)
    before = rss(pid)
    held += many(port, head, unit, n - n // 2)
    time.sleep(0.2)
    each = (rss(pid) - before) // (n - n // 2)
    for s in held:
        s.close()
    return sent, one, each


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000))
