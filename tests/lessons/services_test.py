#!/usr/bin/env python3
"""The programs of lessons/services do what their README says.

  services_test.py NAME PROGRAM
"""
import http.client
import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from pathlib import Path


class service:
    """A program that prints where it listens, until the end of the block. SIGTERM ends it with status 0."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        assert first.startswith("listening on http://"), first
        self.address = first.strip().removeprefix("listening on http://")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.send_signal(signal.SIGTERM)
        self.rest = self.process.stdout.read()
        status = self.process.wait(60)
        assert failure[0] or status == 0, status

    def ask(self, method, target, body=None, **fields):
        """(status, fields, body)"""
        c = http.client.HTTPConnection(self.address, timeout=60)
        c.request(method, target, body, {k.replace("_", "-"): v for k, v in fields.items()})
        answer = c.getresponse()
        got = answer.status, dict(answer.getheaders()), answer.read()
        c.close()
        return got


def file_server(program):
    assert subprocess.run([program], check=False, stderr=subprocess.DEVNULL).returncode == 2
    with tempfile.TemporaryDirectory() as here:
        text = "one line of text\n" * 1000
        (Path(here) / "a.txt").write_text(text)
        os.utime(Path(here) / "a.txt", (1_000_000_000, 1_000_000_000))
        with service(program, here, "127.0.0.1:0") as s:
            status, fields, body = s.ask("GET", "/a.txt")
            assert (status, body.decode()) == (200, text)
            status, fields, body = s.ask("GET", "/a.txt", Range="bytes=4-7")
            assert (status, body) == (206, b"line"), body
            status, fields, body = s.ask("GET", "/a.txt", Accept_Encoding="gzip")
            assert fields["Content-Encoding"] == "gzip" and len(body) < 1000, fields
            assert fields["ETag"].startswith('W/"'), fields
            assert s.ask("GET", "/a.txt", If_None_Match=fields["ETag"])[0] == 304
            assert s.ask("GET", "/../a.txt")[0] == 403
        assert "GET /a.txt: 206, 4 bytes" in s.rest, s.rest


class backend(socketserver.StreamRequestHandler):
    """Answers by the path. `seen`: the head of the last request, and the size of its body."""

    seen = None

    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        path, fields = head.split(b" ")[1], head.lower()
        if path == b"/early":
            self.wfile.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            return
        size = self.read_body(fields)
        backend.seen = head, size
        if path == b"/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        elif path == b"/dead":
            return
        elif path == b"/events":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            backend.go_on.wait(60)
        elif path == b"/large":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
            for _ in range(LARGE >> 20):
                self.wfile.write(b"x" * (1 << 20))
        else:
            self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nKeep-Alive: 5\r\nX-One: 1\r\nConnection: close, X-One\r\n"
                             b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 2\r\n\r\nok")

    def read_body(self, fields):
        size = 0
        if b"transfer-encoding: chunked" in fields:
            while n := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(n))
                self.rfile.readline()
            self.rfile.readline()
        else:
            for line in fields.split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    left = int(line.split(b":")[1])
                    while left > size:
                        size += len(self.rfile.read(min(1 << 20, left - size)))
        return size


LARGE = 128 << 20


def peak_rss(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def reverse_proxy(program):
    backend.go_on = threading.Event()
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), backend) as b:
        b.daemon_threads = True
        threading.Thread(target=b.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{b.server_address[1]}"
        with service(program, place, "127.0.0.1:0") as s:
            status, fields, body = s.ask("GET", "/a%20b?q=1", X_Forwarded_For="forged", X_Own="1", Keep_Alive="9", X_Hop="1",
                                         Connection="X-Hop")
            assert (status, body) == (302, b"ok"), (status, body)
            assert fields["Location"] == "/y" and "X-One" not in fields and "Keep-Alive" not in fields, fields
            head = backend.seen[0].decode()
            assert head.startswith("GET /a%20b?q=1 HTTP/1.1\r\n"), head
            assert "X-Forwarded-For: 127.0.0.1\r\n" in head and "forged" not in head, head
            assert "X-Own: 1\r\n" in head and "X-Hop" not in head and "Keep-Alive" not in head, head
            assert f"X-Forwarded-Host: {s.address}\r\n" in head and "User-Agent" not in head, head
            before = peak_rss(s.process.pid)
            assert s.ask("GET", "/large")[2] == b"x" * LARGE
            s.ask("POST", "/", (b"y" * (1 << 20) for _ in range(20)))
            assert backend.seen[1] == 20 << 20, backend.seen[1]
            s.ask("POST", "/", b"z" * (30 << 20))
            assert backend.seen[1] == 30 << 20, backend.seen[1]
            if not os.environ.get("SANITIZED"):  # sanitizers keep what was freed
                assert peak_rss(s.process.pid) - before < LARGE // 4, peak_rss(s.process.pid) - before
            assert s.ask("POST", "/early", b"z" * (200 << 10))[0] == 413
            assert s.ask("GET", "/dead")[0] == 502
            try:
                raise AssertionError(s.ask("GET", "/cut"))
            except (http.client.IncompleteRead, http.client.HTTPException, ConnectionError):
                pass
            with socket.create_connection(s.address.rsplit(":", 1), timeout=60) as c:
                c.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
                got = b""
                while b"data: 1" not in got:  # before the backend's answer has ended
                    got += c.recv(4096)
            backend.go_on.set()
            assert s.ask("OPTIONS", "*")[0] == 501
        b.shutdown()
    with service(program, place, "127.0.0.1:0") as s:
        assert s.ask("GET", "/")[0] == 502


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
