"""What the tests of the cookbook's programs share: a program that listens, and a server that it talks to."""
import contextlib
import http.client
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

GUARD = 60  # seconds until what hangs is reported
SANITIZED = bool(os.environ.get("SANITIZED"))  # sanitizers keep memory that was freed


class program:
    """A program that prints where it listens. SIGTERM ends it with status 0 at the end of the block."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        assert first.startswith("listening on "), first
        self.address = first.split()[-1]
        self.stopping = False

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0]:
            self.process.kill()
        self.stop()
        status = self.process.wait(GUARD)
        self.process.stdout.close()
        assert failure[0] or status == 0, status

    def stop(self):
        """Sends SIGTERM, once: a second one ends a program that has already unregistered the signal."""
        if not self.stopping:
            self.process.send_signal(signal.SIGTERM)
        self.stopping = True

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=GUARD)

    def ask(self, method, target, body=None):
        """(status, fields, body)"""
        c = http.client.HTTPConnection(self.address, timeout=GUARD)
        with contextlib.closing(c):
            c.request(method, target, body)
            answer = c.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def wait_until_closed(self):
        """Blocks until the program no longer listens."""
        local = "0100007F:{:04X}".format(int(self.address.rsplit(":", 1)[1]))
        # Without a connection, which would count as one of those that the program serves.
        wait_until(lambda: not any(line.split()[1] == local and line.split()[3] == "0A"  # listens
                                   for line in Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()))


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=50, check=False, **options)


def wait_until(condition):
    ends = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < ends, condition
        time.sleep(0.01)


class handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.seen.append((self.path, body, time.monotonic()))
        status, fields, text = self.server.respond(self.path, self)
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class origin(http.server.ThreadingHTTPServer):
    """A server that answers with what respond(path, handler) returns: (status, fields, body). `seen`: (path, body, time)."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, respond, address=("127.0.0.1", 0), **options):
        super().__init__(address, handler, **options)
        self.respond, self.seen, self.lock = respond, [], threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def url(self):
        return "http://{}:{}".format(*self.server_address)

    def paths(self):
        with self.lock:
            return [path for path, _, _ in self.seen]

    def bodies(self):
        with self.lock:
            return [body for _, body, _ in self.seen]

    def times(self):
        with self.lock:
            return [at for _, _, at in self.seen]
