#!/usr/bin/env python3
"""Starts a server of Redis's protocol, loads it with redis-benchmark, and reports the cost to the server.

  redis.py [-conns C] [-ms T] -- PROGRAM ARGUMENT...

The server gets "-addr 127.0.0.1:PORT" after its arguments and is killed at the end. SET and GET in turn, no pipelining.
Prints a line of JSON as load does.
"""
import csv
import json
import socket
import subprocess
import sys
import time

ROUND_REQUESTS = 20_000


def give_up(why):
    sys.exit(f"redis.py: {why}")


def command_line(words):
    conns, ms = 50, 1500
    while words and words[0] != "--":
        if len(words) < 2 or words[0] not in ("-conns", "-ms") or not words[1].isdecimal() or int(words[1]) < 1:
            give_up(f"wrong flag {words[0]}; {__doc__.splitlines()[2].strip()}")
        if words[0] == "-conns":
            conns = int(words[1])
        else:
            ms = int(words[1])
        words = words[2:]
    if len(words) < 2:
        give_up(__doc__.splitlines()[2].strip())
    return conns, ms, words[1:]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until_it_listens(port, server):
    end = time.monotonic() + 10
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    give_up("the server does not listen")


def cpu_ns(pid):
    """The process's CPU time by the kernel's clock of it."""
    scheduler_time = 2
    return time.clock_gettime_ns((~pid << 3) | scheduler_time)


def one_round(port, conns, requests):
    """(seconds, the worst p99 in ms) of SET, then GET."""
    try:
        done = subprocess.run(["redis-benchmark", "-p", str(port), "-c", str(conns), "-n", str(requests // 2), "-t", "set,get",
                               "--csv"], capture_output=True, text=True, timeout=120, check=True)
    except FileNotFoundError:
        give_up("redis-benchmark is missing: apt-get install redis-tools")
    except subprocess.SubprocessError as e:
        give_up(f"redis-benchmark: {e}")
    rows = list(csv.DictReader(line for line in done.stdout.splitlines() if line.startswith('"')))
    if len(rows) != 2:
        give_up(f"redis-benchmark said {done.stdout!r}")
    return (sum(requests / 2 / float(row["rps"]) for row in rows), max(float(row["p99_latency_ms"]) for row in rows))


def main(words):
    conns, ms, program = command_line(words)
    port = free_port()
    server = subprocess.Popen([*program, "-addr", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    try:
        wait_until_it_listens(port, server)
        warming = max(4 * conns, 2000)
        one_round(port, conns, warming)
        requests, seconds, p99, cpu = 0, 0.0, [], cpu_ns(server.pid)
        while seconds * 1000 < ms:
            took, late = one_round(port, conns, ROUND_REQUESTS)
            requests, seconds = requests + ROUND_REQUESTS, seconds + took
            p99.append(late)
        cpu = cpu_ns(server.pid) - cpu
    finally:
        server.terminate()
        server.wait()
    print(json.dumps({"workload": "resp", "op": "request", "ops": requests, "asked": warming + requests, "ms": seconds * 1000,
                      "ns_per_op": seconds * 1e9 / requests, "cpu_us_per_request": cpu / 1000 / requests,
                      "p99_us": 1000 * sorted(p99)[len(p99) // 2]}))


if __name__ == "__main__":
    main(sys.argv[1:])
