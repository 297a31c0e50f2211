#!/usr/bin/env python3
"""The servers of lessons/cookbook do what docs/cookbook.md says.

  cookbook_servers_test.py NAME PROGRAM
"""
import hashlib
import socket
import struct
import subprocess
import sys
import threading

from cookbook import GUARD, origin, program, wait_until


class listener:
    """A server whose connections the test accepts itself."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(GUARD)
        self.address = "{}:{}".format(*self.socket.getsockname())

    def accept(self):
        c = self.socket.accept()[0]
        c.settimeout(GUARD)
        return c


def read_all(c):
    text = b""
    while part := c.recv(65536):
        text += part
    return text


def reset(c):
    """Closes a connection by a reset."""
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def is_reset(c):
    try:
        read_all(c)
    except ConnectionError:
        return True
    return False


def tcp_proxy(path):
    assert subprocess.run([path], check=False, stderr=subprocess.DEVNULL).returncode == 2
    target = listener()
    with program(path, target.address, "127.0.0.1:0") as p:
        # The client ends its stream first, and still gets the answer.
        with p.connect() as client, target.accept() as server:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert read_all(server) == b"question"
            server.sendall(b"answer")
            server.close()
            assert read_all(client) == b"answer"
        # The server ends its stream first, and the client still sends.
        with p.connect() as client, target.accept() as server:
            server.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
            client.sendall(b"late")
            client.close()
            assert read_all(server) == b"late"
        # Both directions are busy at the same time.
        with p.connect() as client, target.accept() as server:
            there, back = bytes(range(256)) * 40000, bytes(range(255, -1, -1)) * 40000
            writers = [threading.Thread(target=lambda c=c, text=text: (c.sendall(text), c.shutdown(socket.SHUT_WR)))
                       for c, text in ((client, there), (server, back))]
            got = {}
            readers = [threading.Thread(target=lambda c=c: got.update({c: hashlib.sha256(read_all(c)).digest()}))
                       for c in (client, server)]
            for thread in writers + readers:
                thread.start()
            for thread in writers + readers:
                thread.join(GUARD)
            assert got == {server: hashlib.sha256(there).digest(), client: hashlib.sha256(back).digest()}
        # A reset is a reset on the other side: it does not look like a complete answer.
        for from_, to in ((0, 1), (1, 0)):
            with p.connect() as client, target.accept() as server:
                ends = client, server
                ends[from_].sendall(b"the first par")
                assert ends[to].recv(100)
                reset(ends[from_])
                assert is_reset(ends[to])
        # SIGTERM: connections under way are served to their end.
        with p.connect() as client, target.accept() as server:
            p.stop()
            p.wait_until_closed()
            client.sendall(b"still there")
            assert server.recv(100)
            server.sendall(b"yes")
            server.close()
            assert read_all(client) == b"yes"
        assert p.process.wait(GUARD) == 0
    target.socket.close()
    with program(path, target.address, "127.0.0.1:0") as p, p.connect() as client:
        assert is_reset(client)


class chatter:
    def __init__(self, p, name):
        self.socket = p.connect()
        self.lines = self.socket.makefile("rb")
        self.say(name)
        assert self.hear() == f"hello {name}"

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def hear(self):
        return self.lines.readline().decode().rstrip("\n")


def chat_server(path):
    with program(path, "127.0.0.1:0") as p:
        unnamed = p.connect()
        ann, bob = chatter(p, "ann"), chatter(p, "bob")
        assert ann.hear() == "bob is here"
        cid = chatter(p, "cid")
        assert ann.hear() == bob.hear() == "cid is here"
        ann.say("one")
        assert bob.hear() == cid.hear() == "ann: one"
        bob.say("two")
        # ann gets her next line from bob: her own did not come back.
        assert ann.hear() == cid.hear() == "bob: two"
        cid.socket.close()
        cid.lines.close()
        assert ann.hear() == bob.hear() == "cid has left"
        # A client that does not read is disconnected; the others get every line.
        slow = chatter(p, "slow")
        assert ann.hear() == bob.hear() == "slow is here"
        line = "x" * 60000
        gone = False
        for _ in range(1000):
            ann.say(line)
            answer = bob.hear()
            if answer == "slow has left":
                gone = True
                answer = bob.hear()
            assert answer == f"ann: {line}", answer[:100]
            if gone:
                break
        assert gone
        assert ann.hear() == "slow has left"
        # A line without an end is no way to fill the memory.
        bob.socket.sendall(b"y" * 70_000)
        assert ann.hear() == "bob has left"
        p.stop()
        assert ann.hear() == "" and unnamed.recv(1) == b""
        slow.socket.close()


def worker_pool(path):
    go_on = threading.Event()

    def respond(_path, _handler):
        go_on.wait(GUARD)
        return 200, {}, b""

    with origin(respond) as target, program(path, target.url + "/hook", "127.0.0.1:0") as p:
        def post(text):
            return p.ask("POST", "/events", text)[0]

        assert [post(f"{i}") for i in range(2)] == [202, 202]
        wait_until(lambda: len(target.seen) == 2)  # both workers are busy
        assert [post(f"{i}") for i in range(2, 6)] == [202] * 4  # and the queue is full
        status, fields, _ = p.ask("POST", "/events", b"6")
        assert status == 503 and fields["Retry-After"] == "1", (status, fields)
        assert len(target.seen) == 2
        p.stop()
        p.wait_until_closed()
        assert p.process.poll() is None  # accepted events are not delivered yet
        go_on.set()
        assert p.process.wait(GUARD) == 0
        assert sorted(target.bodies()) == [b"0", b"1", b"2", b"3", b"4", b"5"], target.seen
        assert set(target.paths()) == {"/hook"}


def cache(path):
    go_on = threading.Event()

    def respond(at, _handler):
        if at == "/held":
            go_on.wait(GUARD)
        return (500 if at == "/broken" else 200), {"Content-Type": "text/x-test"}, f"{at} {len(source.seen)}".encode()

    clients = 20
    with origin(respond) as source:
        with program(path, source.url, "127.0.0.1:0", 3_600_000) as p:
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(p.ask("GET", "/held"))) for _ in range(clients)]
            for thread in threads:
                thread.start()
            wait_until(lambda: source.paths() == ["/held"])
            go_on.set()
            for thread in threads:
                thread.join(GUARD)
            assert len(answers) == clients
            assert {(status, body) for status, _, body in answers} == {(200, b"/held 1")}, answers
            assert {fields["Content-Type"] for _, fields, _ in answers} == {"text/x-test"}
            assert p.ask("GET", "/held")[2] == b"/held 1"
            assert source.paths() == ["/held"]
            # Each query is a page of its own; errors are passed on, and are not kept.
            assert p.ask("GET", "/a?b=1")[2] == b"/a?b=1 2" and p.ask("GET", "/a?b=2")[2] == b"/a?b=2 3"
            assert [p.ask("GET", "/broken")[0] for _ in range(2)] == [500, 500]
            assert source.paths().count("/broken") == 2
            assert p.ask("POST", "/held", b"")[0] == 405 and p.ask("GET", "http://elsewhere.invalid/")[0] == 400
        with program(path, source.url, "127.0.0.1:0", 1) as p:
            before = p.ask("GET", "/x")[2]
            wait_until(lambda: p.ask("GET", "/x")[2] != before)  # it has expired
    with program(path, source.url, "127.0.0.1:0") as p:
        assert p.ask("GET", "/")[0] == 502


def lines(first, end):
    return b"".join(b"%d\n" % i for i in range(first, end))


def batcher(path):
    go_on = threading.Event()
    go_on.set()

    def respond(_path, _handler):
        go_on.wait(GUARD)
        return 200, {}, b""

    # By size. The last batch may be smaller: SIGTERM flushes it.
    with origin(respond) as target:
        with program(path, target.url, "127.0.0.1:0", 100, 3_600_000) as p, p.connect() as one, p.connect() as other:
            one.sendall(lines(0, 250))
            wait_until(lambda: len(target.seen) == 2)
            assert target.bodies() == [lines(0, 100), lines(100, 200)], target.bodies()
            other.sendall(lines(250, 370))
            for sender in (one, other):
                sender.shutdown(socket.SHUT_WR)
                assert sender.recv(1) == b""  # all of its lines are in the channel
            wait_until(lambda: len(target.seen) == 3)
            p.stop()
            assert p.process.wait(GUARD) == 0
            rest = b"".join(target.bodies()[2:])
            assert [body.count(b"\n") for body in target.bodies()[2:]] == [100, 70], rest
            assert sorted(map(int, rest.split())) == list(range(200, 370)), rest
    # By time: one line is a batch if no other comes. A last line needs no end.
    with origin(respond) as target, program(path, target.url, "127.0.0.1:0", 1_000_000, 50) as p:
        with p.connect() as sender:
            sender.sendall(b"alone\n")
            wait_until(lambda: target.bodies() == [b"alone\n"])
            sender.sendall(b"again")
        wait_until(lambda: target.bodies() == [b"alone\n", b"again\n"])
    # A target that does not answer stops the sender, instead of filling the memory.
    go_on.clear()
    line, most = b"x" * 999 + b"\n", 64 << 10
    with origin(respond) as target, program(path, target.url, "127.0.0.1:0", 10, 50) as p, p.connect() as sender:
        sent = 0
        sender.settimeout(2)
        try:
            while sent < most * len(line):
                sent += sender.send(line * 100)
        except TimeoutError:
            pass
        assert sent < most * len(line), sent
        go_on.set()
        wait_until(lambda: sum(map(len, target.bodies())) == sent // len(line) * len(line))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
