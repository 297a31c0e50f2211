#!/usr/bin/env python3
"""The lessons that are servers, with a real client, on both pollers and with one P and two.

  servers_test.py GOROUTINES CONTEXT     the programs of two sections
"""
import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from promises import expectations

LIMIT_S = 60  # for what must happen at some time
SERVERS = ("l1", "l2", "l10", "l11", "l12", "l14", "h1", "x11")
ANNOUNCED = "lesson: listens on "


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def get(port, path="/"):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()


class server:
    """A lesson that runs until it is stopped. As a context manager it is killed at the end."""

    def __init__(self, lesson, variant, procs, poller, program=None, flags=()):
        self.app, self.debug = free_ports(2)
        self.argv = [program or sys.argv[1], lesson, f"--variant={variant}", f"--maxprocs={procs}", f"--port={self.app}",
                     f"--debug-port={self.debug}", *flags]
        self.env = os.environ | {"WEFT_POLLER": poller}
        self.taken = None

    def take(self, port):
        self.taken = socket.socket()
        self.taken.bind(("0.0.0.0" if port == self.app else "127.0.0.1", port))
        self.taken.listen()
        return self

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        if self.taken:
            self.taken.close()

    def wait_until_up(self, *ports):
        for port in ports:
            end = time.monotonic() + LIMIT_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S).close()
                    break
                except ConnectionRefusedError:
                    if time.monotonic() > end or self.process.poll() is not None:
                        raise
                    time.sleep(0.01)

    def ended(self):
        """What it printed, its stderr and its status, once it has ended by itself."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        self.announced = [line for line in err.splitlines() if line.startswith(ANNOUNCED)]
        return out, "".join(line for line in err.splitlines(True) if not line.startswith(ANNOUNCED)), self.process.returncode

    def next_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        return self.process.stdout.readline().rstrip("\n") if ready else "(no line)"

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S).close()
    except ConnectionRefusedError:
        return True
    return False


def bind_error(host, port):
    return f"listen tcp {host}:{port}: bind: address already in use"


class servers(unittest.TestCase):
    """The facts; its subclasses say where."""
    procs, poller = 1, "epoll"

    def run_server(self, lesson, variant, **more):
        return server(lesson, variant, self.procs, self.poller, **more)

    def test_l1_and_l2_greet_and_use_no_cpu_while_idle(self):
        for lesson, variant in (("l1", "wrong"), ("l2", "right")):
            with self.subTest(lesson), self.run_server(lesson, variant) as s:
                s.wait_until_up(s.app)
                self.assertEqual(get(s.app), (200, "Hello, GopherCon SG\n"))
                before = s.cpu_s()
                time.sleep(0.5)
                self.assertLess(s.cpu_s() - before, 0.2)

    def test_l1_spinning_answers_and_costs_a_cpu(self):
        with self.run_server("l1", "spin-and-yield") as s:
            s.wait_until_up(s.app)
            self.assertEqual(get(s.app)[0], 200)
            before = s.cpu_s()
            end = time.monotonic() + LIMIT_S
            while s.cpu_s() - before < 0.2:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)

    def test_l2_has_no_fiber_but_main_and_the_request(self):
        with self.run_server("l2", "right") as s:
            s.wait_until_up(s.app)
            end = time.monotonic() + LIMIT_S
            while (answer := get(s.app, "/fibers")) != (200, "2\n"):  # until the look for the port is over too
                self.assertLess(time.monotonic(), end, answer)

    def test_l1_and_l2_end_with_status_1_if_the_port_is_taken_and_main_cleans_nothing_up(self):
        for lesson, variant in (("l1", "wrong"), ("l2", "right")):
            s = self.run_server(lesson, variant)
            with self.subTest(lesson), s.take(s.app):
                self.assertEqual(s.ended(), ("", bind_error("", s.app) + "\n", 1))

    def test_l10_serves_two_ports_and_debug_on_loopback_alone(self):
        with self.run_server("l10", "wrong") as s:
            s.wait_until_up(s.app, s.debug)
            self.assertEqual(get(s.app), (200, "Hello, QCon!\n"))
            status, fibers = get(s.debug, "/debug/fibers")
            self.assertEqual(status, 200)
            self.assertIn("debug", fibers)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.2", s.debug), timeout=5).close()
            socket.create_connection(("127.0.0.2", s.app), timeout=LIMIT_S).close()

    def test_l10_and_l11_run_on_without_debug_and_say_nothing(self):
        for lesson in ("l10", "l11"):
            s = self.run_server(lesson, "wrong")
            with self.subTest(lesson), s.take(s.debug):
                s.wait_until_up(s.app)
                self.assertEqual(get(s.app), (200, "Hello, QCon!\n"))
                self.assertIsNone(s.process.poll())
                s.process.terminate()
                self.assertEqual(s.ended()[:2], ("", ""))

    def test_l11_ends_silently_with_status_0_if_the_app_cannot_listen(self):
        s = self.run_server("l11", "wrong")
        with s.take(s.app):
            self.assertEqual(s.ended(), ("", "", 0))

    def test_l12_ends_with_status_1_whichever_port_is_taken_and_nothing_is_flushed(self):
        for which in ("app", "debug"):
            s = self.run_server("l12", "wrong")
            port = getattr(s, which)
            with self.subTest(which), s.take(port):
                host = "0.0.0.0" if which == "app" else "127.0.0.1"
                self.assertEqual(s.ended(), ("", bind_error(host, port) + "\n", 1))

    def test_l12_a_server_that_ends_without_an_error_leaves_its_port_dead(self):
        with self.run_server("l12", "wrong-nil") as s:
            s.wait_until_up(s.app)
            self.assertEqual(s.next_line(), "debug has ended without an error")
            self.assertTrue(refused(s.debug))
            self.assertEqual(get(s.app)[0], 200)

    def test_the_pages_of_servers_say_what_is_answered(self):
        lessons = Path(__file__).resolve().parents[2] / "lessons"
        checked = 0
        for page in sorted(lessons.glob("*/*/README.md")):
            name = page.parent.name.split("_")[0]
            if name not in SERVERS:
                continue
            for variant, what, wanted in expectations(page.read_text(encoding="utf-8"))[self.procs]:
                self.assertEqual(what, "answers")
                program = sys.argv[2] if page.parent.parent.name == "context" else sys.argv[1]
                with self.subTest(name, variant=variant), self.run_server(name, variant, program=program) as s:
                    s.wait_until_up(s.app)
                    self.assertEqual(get(s.app, "/search?q=golang" if name == "x11" else "/"), (200, wanted + "\n"))
                    checked += 1
        self.assertGreaterEqual(checked, len(SERVERS))

    def test_a_server_says_where_it_listens_what_to_type_and_how_to_stop(self):
        with self.run_server("l14", "right") as s:
            s.wait_until_up(s.app, s.debug)
            get(s.debug, "/shutdown")
            s.ended()
            self.assertEqual(sorted(s.announced), sorted(
                f"{ANNOUNCED}{host}:{port}. In another terminal: curl 'http://localhost:{port}{page}'. Ctrl-C stops it."
                for host, port, page in (("0.0.0.0", s.app, "/"), ("127.0.0.1", s.debug, "/debug/fibers"))))

    def test_l12_comes_to_its_second_program_when_the_first_is_stopped(self):
        s = self.run_server("l12", "")
        s.argv = [a for a in s.argv if not a.startswith("--variant")]
        with s:
            s.wait_until_up(s.app)
            self.assertIn("-- wrong: ", s.process.stdout.readline())
            os.killpg(s.process.pid, signal.SIGINT)
            lines = [s.process.stdout.readline().rstrip("\n") for _ in range(4)]
            self.assertEqual(lines[0], "(stopped)")
            self.assertIn("-- wrong-nil: ", lines[2])
            self.assertEqual(lines[3], "debug has ended without an error")
            s.wait_until_up(s.app)
            os.killpg(s.process.pid, signal.SIGINT)
            self.assertEqual(s.ended()[2], 0)

    def test_l14_without_stop_waits_for_ever_after_the_first_error(self):
        s = self.run_server("l14", "wrong")
        with s.take(s.debug):
            s.wait_until_up(s.app)
            self.assertEqual(s.next_line(), "error: " + bind_error("127.0.0.1", s.debug))
            self.assertEqual(get(s.app)[0], 200)
            self.assertIsNone(s.process.poll())

    def test_l14_one_end_ends_all(self):
        for taken, host in (("debug", "127.0.0.1"), ("app", "0.0.0.0")):
            s = self.run_server("l14", "right")
            port = getattr(s, taken)
            with self.subTest(taken), s.take(port):
                out, err, status = s.ended()
                self.assertEqual(out.splitlines(), ["error: " + bind_error(host, port), "error: http: Server closed",
                                                    "both have ended", "fibers left: 0"])
                self.assertEqual((err, status), ("", 0))

    def test_l14_a_third_party_may_ask_for_the_end(self):
        with self.run_server("l14", "right") as s:
            s.wait_until_up(s.app, s.debug)
            self.assertEqual(get(s.debug, "/shutdown"), (200, "stopping\n"))
            out, _, status = s.ended()
            self.assertEqual(out.splitlines(), ["error: shutdown was requested", "error: http: Server closed",
                                                "error: http: Server closed", "both have ended", "fibers left: 0"])
            self.assertEqual(status, 0)
            self.assertTrue(refused(s.app) and refused(s.debug))

    def slow_page_across_a_shutdown(self, variant):
        with self.run_server("l14", variant, flags=("--scale=5",)) as s:
            s.wait_until_up(s.app, s.debug)
            get(s.debug, "/debug/fibers")  # the first one reads the debug information, which takes long
            client = http.client.HTTPConnection("127.0.0.1", s.app, timeout=LIMIT_S)
            client.request("GET", "/slow")
            end = time.monotonic() + LIMIT_S
            while "request" not in (fibers := get(s.debug, "/debug/fibers")[1]) or "sleep" not in fibers:
                self.assertLess(time.monotonic(), end)
            get(s.debug, "/shutdown")
            try:
                answer = client.getresponse()
                return answer.status, answer.read().decode()
            except (http.client.HTTPException, ConnectionError):
                return None

    def test_l14_right_answers_the_request_that_is_under_way(self):
        self.assertEqual(self.slow_page_across_a_shutdown("right"), (200, "slow, but whole\n"))

    def test_l14_early_breaks_it_off(self):
        self.assertIsNone(self.slow_page_across_a_shutdown("wrong-early"))

    def expect_all_left(self, s, why):
        out, err, status = s.ended()
        self.assertEqual(sorted(out.splitlines()[:2]), ["app is down: no error", "debug is down: no error"])
        self.assertEqual(out.splitlines()[2:], [f"all have left, because of {why}", "fibers left: 0"])
        self.assertEqual((err, status), ("", 0))

    def test_h1_a_signal_ends_all(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), self.run_server("h1", "right") as s:
                s.wait_until_up(s.app, s.debug)
                self.assertEqual(get(s.app), (200, "Hello, homework\n"))
                time.sleep(0.2)  # until it listens to signals
                s.process.send_signal(number)
                self.expect_all_left(s, f"signal {int(number)}")

    def test_h1_a_page_ends_all(self):
        with self.run_server("h1", "right") as s:
            s.wait_until_up(s.app, s.debug)
            self.assertEqual(get(s.debug, "/shutdown")[0], 200)
            self.expect_all_left(s, "asked to")

    def test_h1_a_bad_address_ends_all(self):
        s = self.run_server("h1", "right")
        with s.take(s.app):
            self.expect_all_left(s, "app: " + bind_error("", s.app))

    def test_x11_answers_or_says_why_not(self):
        with self.run_server("x11", "right", program=sys.argv[2]) as s:
            s.wait_until_up(s.app)
            self.assertEqual(get(s.app, "/search?q=golang&timeout=30s"), (200, "results for golang, asked by 127.0.0.1\n"))
            self.assertEqual(get(s.app, "/search?q=golang"), (200, "results for golang, asked by 127.0.0.1\n"))
            self.assertEqual(get(s.app, "/search?q=golang&timeout=1ms"), (500, "context deadline exceeded\n"))
            self.assertEqual(get(s.app, "/search"), (400, "no query\n"))
            self.assertEqual(get(s.app, "/elsewhere")[0], 404)


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for procs in (1, 2):
        for poller in ("epoll", "io_uring"):
            case = type(f"{poller}_{procs}", (servers,), {"procs": procs, "poller": poller})
            suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
