#!/usr/bin/env python3
"""lessons/services/work_queue keeps what docs/machines.md says, with a real nats-server and processes that are killed.

  work_queue_test.py PROGRAM [SCENARIO...]

The measure is outside of the program: workers append to one file what they begin, do and acknowledge, and each write is
one O_APPEND, so that the order of the lines is the order of the events. Without PROGRAM or nats-server: skipped.
"""
import collections
import concurrent.futures
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 120  # seconds: only a failure takes as long
NATS = shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server")


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.02)
    return found


class Queue:
    """A nats-server with a private store, the consumer of the workers, the record, and the processes."""

    def __init__(self, program, ack_wait=10, max_msgs=-1):
        self.program, self.processes = program, []
        self.here = tempfile.TemporaryDirectory(prefix="work_queue")
        self.folder = Path(self.here.name)
        self.record = self.folder / "record"
        self.log = self.folder / "server.log"
        # Below the ports of outgoing connections: a worker that reconnects must not take the port of its server.
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        for self.port in random.sample(range(max(1024, first - 10_000), first), 20):
            if self.start_server():
                break
        else:
            raise AssertionError(self.log.read_text())
        self.api("STREAM.CREATE.JOBS", {
            "name": "JOBS", "subjects": ["jobs"], "retention": "workqueue", "max_msgs": max_msgs, "discard": "new",
            "storage": "file", "num_replicas": 1})
        self.api("CONSUMER.DURABLE.CREATE.JOBS.workers", {"stream_name": "JOBS", "config": {
            "durable_name": "workers", "ack_policy": "explicit", "ack_wait": ack_wait * 10**9, "deliver_policy": "all",
            "filter_subject": "jobs", "replay_policy": "instant"}})

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0]:
            self.tell()
        for p in [*self.processes, self.server]:
            p.kill()
            p.wait()
        self.here.cleanup()

    def tell(self):
        """Prints what is known of a failure: the server's log and state, the record, and the fibers of each process."""
        print(self.log.read_text()[-2000:], *self.events()[-50:], sep="\n", flush=True)
        for p in self.processes:
            if p.poll() is None:
                p.send_signal(signal.SIGQUIT)  # to stderr
                p.wait(PATIENCE)
        for subject in "STREAM.INFO.JOBS", "CONSUMER.INFO.JOBS.workers":
            try:
                print(self.api(subject))
            except (AssertionError, OSError) as e:
                print(f"{subject}: {e}")

    def start_server(self):
        ready = self.log.read_text().count("Server is ready") if self.log.exists() else 0
        self.server = subprocess.Popen([NATS, "-a", "127.0.0.1", "-p", str(self.port), "-l", str(self.log), "-js",
                                        "-sd", str(self.folder / "store")], stderr=subprocess.DEVNULL)
        wait_for("a server", lambda: self.server.poll() is not None or self.log.exists() and
                 self.log.read_text().count("Server is ready") > ready)
        return self.server.poll() is None

    def stop_server(self, how):
        self.server.send_signal(how)
        self.server.wait(PATIENCE)

    def api(self, subject, body=None):
        """The answer of JetStream to a request."""
        text = json.dumps(body) if body else ""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as c:
            f = c.makefile("rwb")
            f.readline()
            f.write(b'CONNECT {"verbose":false}\r\nSUB here 1\r\n')
            f.write(f"PUB $JS.API.{subject} here {len(text)}\r\n{text}\r\n".encode())
            f.flush()
            while not (line := f.readline()).startswith(b"MSG "):
                assert line, "the server closed the connection"
            answer = json.loads(f.read(int(line.split()[-1])))
        assert "error" not in answer, answer
        return answer

    def stored(self):
        return self.api("STREAM.INFO.JOBS")["state"]["messages"]

    def unacknowledged(self):
        return self.api("CONSUMER.INFO.JOBS.workers")["num_ack_pending"]

    def run(self, *args, **more):
        p = subprocess.Popen([self.program, args[0], f"nats://127.0.0.1:{self.port}", *map(str, args[1:])], text=True,
                             stdout=subprocess.PIPE, **more)
        self.processes.append(p)
        return p

    def worker(self, in_flight, record=None):
        p = self.run("work", record or self.record, in_flight)
        assert p.stdout.readline() == "working\n"
        return p

    def send(self, jobs, *seconds, status=0):
        p = self.run("send", *seconds, stdin=subprocess.PIPE)
        out, _ = p.communicate("".join(f"{j}\n" for j in jobs), PATIENCE)
        assert p.returncode == status, (out, p.returncode)
        return out

    def events(self):
        """[(pid, "began", "did" or "acknowledged", name of the job)]"""
        if not self.record.exists():
            return []
        whole = self.record.read_text().rpartition("\n")[0]
        return [(int(pid), what, name) for pid, what, name in map(str.split, whole.splitlines())]

    def names(self, what, pid=None):
        return [n for p, w, n in self.events() if w == what and pid in (None, p)]


def stop(process):
    """SIGSTOP. Returns when each thread has stopped, some of them later than the call."""
    def stopped():
        try:
            threads = list(Path(f"/proc/{process.pid}/task").iterdir())
            return all((t / "stat").read_text().rpartition(")")[2].split()[0] == "T" for t in threads)
        except FileNotFoundError:  # a thread that has just ended
            return False

    process.send_signal(signal.SIGSTOP)
    wait_for("a stop", stopped)


def drain(*workers):
    """SIGTERM ends each with status 0. Returns their outputs."""
    for w in workers:
        w.send_signal(signal.SIGTERM)
    statuses = [w.wait(PATIENCE) for w in workers]
    outputs = [w.stdout.read() for w in workers]  # communicate() loses what readline() has buffered
    assert statuses == [0] * len(workers), outputs
    return outputs


def most_in_flight(events, pid):
    now = most = 0
    for p, what, _ in events:
        if p == pid:
            now += {"began": 1, "did": 0, "acknowledged": -1}[what]
            most = max(most, now)
    return most


def repeated(q):
    return {name for name, times in collections.Counter(q.names("began")).items() if times > 1}


def killed_worker(program, restart=False):
    with Queue(program) as q:
        workers = [q.worker(8) for _ in range(3)]
        sending = q.run("send", stdin=subprocess.PIPE)
        first, second = ([f"{letter}{i} 40" for i in range(300)] for letter in "ab")
        sending.stdin.write("longer-than-ack-wait 25000\n" + "\n".join(first) + "\n")
        sending.stdin.flush()
        wait_for("60 jobs", lambda: len(q.names("acknowledged")) >= 60)

        def held_by(w):
            return set(q.names("began", w.pid)) - set(q.names("acknowledged", w.pid))

        def stop_one_at_work():
            for w in workers:
                stop(w)
                if held_by(w) and "longer-than-ack-wait" not in held_by(w):
                    return w
                w.send_signal(signal.SIGCONT)
            return None

        dead = wait_for("a worker at work", stop_one_at_work)
        dead.kill()
        dead.wait()
        held = held_by(dead)
        workers.remove(dead)
        wait_for("120 jobs", lambda: len(q.names("acknowledged")) >= 120)

        settled = set(q.names("acknowledged"))
        if restart:
            q.stop_server(signal.SIGTERM)
        sending.stdin.write("\n".join(second) + "\n")
        sending.stdin.flush()
        if restart:
            time.sleep(2.5)  # so that calls time out
            assert q.start_server()
        out, _ = sending.communicate(timeout=PATIENCE)
        assert (sending.returncode, out) == (0, "sent 601 jobs, did not send 0\n"), (sending.returncode, out)
        wait_for("an empty queue", lambda: q.stored() == 0)
        drain(*workers)

        sent = {j.split()[0] for j in first + second} | {"longer-than-ack-wait"}
        assert set(q.names("did")) == sent, sent ^ set(q.names("did"))
        wrong = repeated(q) - held
        if restart:  # a server that ends may confirm an acknowledgement and not write it
            print(f"restarted server: {len(wrong)} jobs begun again")
            wrong &= settled
        assert not wrong, (dead.pid, held, [e for e in q.events() if e[2] in wrong])
        assert q.unacknowledged() == 0
        for w in [dead, *workers]:
            assert 1 < most_in_flight(q.events(), w.pid) <= 8, most_in_flight(q.events(), w.pid)
        print(f"killed worker: held {len(held)} jobs, {len(repeated(q) & held)} begun again")


def killed_worker_and_restarted_server(program):
    killed_worker(program, restart=True)


def killed_server(program):
    with Queue(program) as q:
        workers = [q.worker(8) for _ in range(2)]
        jobs = [f"c{i} 20" for i in range(500)]
        sending = q.run("send", stdin=subprocess.PIPE)
        sending.stdin.write("\n".join(jobs) + "\n")
        sending.stdin.flush()
        wait_for("100 jobs", lambda: len(q.names("acknowledged")) >= 100)
        q.stop_server(signal.SIGKILL)
        time.sleep(0.5)
        before = set(q.names("began"))
        assert q.start_server()
        out, _ = sending.communicate(timeout=PATIENCE)
        assert (sending.returncode, out) == (0, "sent 500 jobs, did not send 0\n"), (sending.returncode, out)
        wait_for("all jobs", lambda: len(set(q.names("did"))) == len(jobs))
        wait_for("no job at work", lambda: q.unacknowledged() == 0)
        drain(*workers)
        # What the server had not written of its acknowledgements is done again, and nothing else. A slow worker begins
        # what it has received only now.
        assert len(repeated(q) - before) <= 2 * 8, repeated(q) - before
        print(f"killed server: {len(repeated(q))} jobs begun again of {len(before)} before")


def bounds(program):
    with Queue(program, max_msgs=20) as q:
        q.send([f"d{i} 60000" for i in range(20)])
        w = q.worker(8)
        wait_for("8 jobs", lambda: len(q.names("began")) == 8)
        assert q.send(["one-too-many 0"], 1, status=1) == "sent 0 jobs, did not send 1\n"
        time.sleep(0.5)
        assert (len(q.names("began")), q.unacknowledged(), q.stored()) == (8, 8, 20), q.events()
        w.kill()


def bounds_after_an_outage(program):
    """What a worker requested while there was no server adds nothing to its bound."""
    with Queue(program) as q:
        w = q.worker(8)
        q.stop_server(signal.SIGTERM)
        time.sleep(3.5)
        assert q.start_server()
        q.send([f"b{i} 60000" for i in range(40)])
        wait_for("8 jobs", lambda: len(q.names("began")) == 8)
        time.sleep(0.5)
        assert (len(q.names("began")), q.unacknowledged()) == (8, 8), (q.events(), q.unacknowledged())
        w.kill()


def drained(program):
    with Queue(program) as q:
        jobs = [f"e{i} 1000" for i in range(12)]
        q.send(jobs)
        assert q.send(jobs) == "sent 12 jobs, did not send 0\n"  # under names that the server has
        w = q.worker(4)
        wait_for("4 jobs", lambda: len(q.names("began")) >= 4)
        drain(w)
        began = q.names("began")
        assert sorted(began) == sorted(q.names("did")) == sorted(q.names("acknowledged")), q.events()
        assert (q.stored(), q.unacknowledged()) == (12 - len(began), 0), q.events()
        w = q.worker(4)
        wait_for("an empty queue", lambda: q.stored() == 0)
        drain(w)
        assert sorted(q.names("did")) == sorted(j.split()[0] for j in jobs)


def deadlines(program):
    with Queue(program) as q:
        q.send([f"late{i} 0" for i in range(5)], 1)
        time.sleep(1.5)
        w = q.worker(4)
        wait_for("an empty queue", lambda: q.stored() == 0)
        assert q.events() == []
        for seconds in 2, 4, 8, 16, 32, 64:  # until it has begun, also on a slow machine
            q.send([f"cut-short-after-{seconds} 600000"], seconds)
            wait_for("an empty queue", lambda: q.stored() == 0)
            if q.events():
                break
        assert [what for _, what, _ in q.events()] == ["began"], q.events()
        q.send(["in-time 0"], 600)
        wait_for("an empty queue", lambda: q.stored() == 0)
        out = drain(w)[0]
        assert q.names("did") == ["in-time"], q.events()
        assert {f"late{i}: its time is up, it will not be done" for i in range(5)} < set(out.splitlines()), out
        assert f"cut-short-after-{seconds}: its time is up, it will not be done" in out, out


def failed_jobs(program):
    with Queue(program) as q:
        w = q.worker(1, "/dev/full")
        q.send(["f 0"])
        assert w.stdout.readline() == "f: No space left on device\n"
        drain(w)
        w = q.worker(1)
        wait_for("an empty queue", lambda: q.stored() == 0)
        drain(w)
        assert q.names("did") == ["f"]


def server_gone(program):
    with Queue(program, ack_wait=2) as q:
        w = q.worker(4)
        sending = q.run("send", stdin=subprocess.PIPE)
        for seconds in 1, 2, 4, 8, 16, 32, 64:  # until the server stops during the work, also on a slow machine
            sending.stdin.write(f"h{seconds} {seconds}000\n")
            sending.stdin.flush()
            wait_for("a job", lambda: f"h{seconds}" in q.names("began"))
            stop(q.server)
            if f"h{seconds}" not in q.names("did"):
                break
            q.server.send_signal(signal.SIGCONT)
        sending.stdin.write("never-stored 0\n")
        sending.stdin.flush()
        for p in sending, w:
            p.send_signal(signal.SIGTERM)
        assert w.wait(PATIENCE) == 1 and sending.wait(PATIENCE) == 1
        out = w.stdout.read()
        assert out.endswith("1 without a confirmed acknowledgement\n"), (out, q.events())
        assert "never-stored" not in q.names("began") and sorted(q.names("began")) == sorted(q.names("did")), q.events()


def refusals(program):
    def ends(*args):
        p = subprocess.run([program, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        return p.returncode, p.stderr

    assert ends()[0] == ends("work", "server")[0] == ends("play", "a", "b")[0] == 2
    nowhere = "nats://127.0.0.1:1"
    assert ends("send", nowhere) == (1, f"work_queue: {nowhere}: No server available for connection\n")
    # Without stream and consumer: the first worker makes them, the others find them. Not at the same time: of six workers
    # that do so, in 2 of some hundred runs none got the job, which the server (2.9.10) counted as delivered five times.
    with Queue(program) as q:
        q.api("STREAM.DELETE.JOBS")
        workers = [q.worker(8) for _ in range(6)]
        q.send(["g 0"])
        wait_for("an empty queue", lambda: q.names("acknowledged") == ["g"])
        drain(*workers)
        assert ends("work", f"nats://127.0.0.1:{q.port}", "/nowhere/record")[0] == 1


def main():
    missing = [package for package, there in (("libnats-dev", len(sys.argv) > 1), ("nats-server", NATS)) if not there]
    if missing:
        print(f"skipped, not installed: {', '.join(missing)}")
        return 77
    scenarios = [killed_worker, killed_worker_and_restarted_server, killed_server, bounds, bounds_after_an_outage, drained,
                 deadlines, failed_jobs, server_gone, refusals]
    scenarios = [s for s in scenarios if len(sys.argv) < 3 or s.__name__ in sys.argv[2:]]
    with concurrent.futures.ThreadPoolExecutor(len(scenarios)) as pool:
        for scenario, outcome in [(s, pool.submit(s, sys.argv[1])) for s in scenarios]:
            began = time.monotonic()
            outcome.result()
            print(f"{scenario.__name__}: kept, after {time.monotonic() - began:.0f} s more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
