#!/usr/bin/env python3
"""What weft's client makes of the bytes that a server sends, beside Go's net/http and curl.

  client_differential.py TARGET           checks the table in client_rows.py; TARGET is tests/net/client_target
  client_differential.py TARGET --print   prints what each client makes of them

A row is a list of requests and the answers of a scripted server, in the order in which requests arrive on any
connection. The outcome of a request is its final status and body, or "error". Where weft differs from another client
the row says why, by a section of an RFC. Without Go or curl their columns are left out, with a line that says so.
"""
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import client_rows

GO = """package main

import ("bufio"; "bytes"; "fmt"; "io"; "log"; "net/http"; "os"; "strconv"; "strings"; "time")

func main() {
	log.SetOutput(io.Discard)
	say := func(words string) { fmt.Println(strings.NewReplacer("\\r", "~", "\\n", "~").Replace(words)) }
	made := func() *http.Client {
		return &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone(), Timeout: 10 * time.Second}
	}
	c := made()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "" { c = made(); continue }
		part := strings.SplitN(lines.Text(), "\\t", 4)
		body := []byte(part[3])
		if strings.HasPrefix(part[3], "#") {
			n, _ := strconv.Atoi(part[3][1:])
			body = bytes.Repeat([]byte("x"), n)
		}
		r, err := http.NewRequest(part[0], part[1], bytes.NewReader(body))
		if err != nil { say("error: " + err.Error()); continue }
		for _, f := range strings.Split(part[2], "|") {
			if name, value, ok := strings.Cut(f, ": "); ok { r.Header.Add(name, value) }
		}
		a, err := c.Do(r)
		if err != nil { say("error: " + err.Error()); continue }
		got, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil { say("error: " + err.Error())
		} else if len(got) > 100 { say(fmt.Sprintf("%d #%d", a.StatusCode, len(got)))
		} else { say(fmt.Sprintf("%d %s", a.StatusCode, got)) }
	}
}
"""


def say(text):
    print("client_differential: " + text, flush=True)


class server:
    """Sends a row's answers on two ports of 127.0.0.1."""

    def __init__(self):
        self.sockets = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
        self.ports = [s.getsockname()[1] for s in self.sockets]
        self.lock = threading.Lock()
        self.begin([])
        for s in self.sockets:
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()

    def begin(self, answers):
        with self.lock:
            self.answers, self.connections = list(answers), 0
            self.row = getattr(self, "row", 0) + 1

    def accept(self, listener):
        while True:
            c, _ = listener.accept()
            with self.lock:
                self.connections += 1
                row = self.row
            threading.Thread(target=self.serve, args=(c, row), daemon=True).start()

    def serve(self, c, row):
        c.settimeout(15)
        with c:
            try:
                while True:
                    request, early = self.read_head(c)
                    with self.lock:
                        if row != self.row or not self.answers:
                            return
                        answer = self.answers.pop(0)
                    if not answer.get("early"):
                        request += self.read_body(c, request, early)
                    c.sendall(self.filled(answer["bytes"], request))
                    if not answer.get("keep"):
                        c.shutdown(socket.SHUT_WR)
                        while c.recv(65536):
                            pass
                        return
            except (OSError, EOFError):
                pass

    def read_head(self, c):
        got = b""
        while b"\r\n\r\n" not in got:
            part = c.recv(65536)
            if not part:
                raise EOFError
            got += part
        head, _, rest = got.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n", rest

    @staticmethod
    def read_body(c, head, got):
        want = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                want = int(line.split(b":")[1])
        while len(got) < want:
            part = c.recv(65536)
            if not part:
                raise EOFError
            got += part
        return got

    def filled(self, answer, request):
        head, _, body = request.partition(b"\r\n\r\n")
        fields = head.lower()
        shown = b" ".join([head.split(b" ")[0], body[:20], b"auth" if b"\r\nauthorization:" in fields else b"-",
                           b"cookie" if b"\r\ncookie:" in fields else b"-",
                           b"type" if b"\r\ncontent-type:" in fields else b"-"])
        for name, value in ((b"{request}", shown), (b"{here}", b"127.0.0.1:%d" % self.ports[0]),
                            (b"{other}", b"127.0.0.1:%d" % self.ports[1]),
                            (b"{localhost}", b"localhost:%d" % self.ports[0])):
            answer = answer.replace(name, value)
        return answer


class driven:
    """A client program that is driven line by line."""

    def __init__(self, command):
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace")

    def row(self, requests, base):
        self.p.stdin.write("\n")
        got = []
        for method, path, fields, body in requests:
            self.p.stdin.write("\t".join([method, base(path), "|".join(fields), body]) + "\n")
            self.p.stdin.flush()
            got.append(self.p.stdout.readline().strip())
        return got

    def stop(self):
        self.p.stdin.close()
        self.p.wait(30)


class curl:
    def __init__(self, program, here):
        self.program, self.here = program, Path(here)

    def row(self, requests, base):
        command = [self.program]
        for i, (method, path, fields, body) in enumerate(requests):
            command += ["--next"] if i else []
            command += ["-s", "--noproxy", "*", "-L", "--max-redirs", "10", "-m", "10", "--compressed",
                        "-H", "Expect:", "-o", str(self.here / f"out{i}"), "-w", "%{http_code} %{exitcode}\n"]
            for f in fields:
                command += ["-H", f]
            if body:
                (self.here / "body").write_text("x" * int(body[1:]) if body.startswith("#") else body)
                command += ["--data-binary", "@" + str(self.here / "body")]
            elif method == "HEAD":
                command += ["-I"]
            elif method != "GET":
                command += ["-X", method]
            command += [base(path)]
        for old in self.here.glob("out*"):
            old.unlink()
        lines = subprocess.run(command, check=False, capture_output=True, text=True).stdout.splitlines()
        got = []
        for i, (method, *_) in enumerate(requests):
            status, code = lines[i].split() if i < len(lines) else ("0", "1")
            out = self.here / f"out{i}"
            body = out.read_bytes() if out.exists() and method != "HEAD" else b""
            text = f"#{len(body)}" if len(body) > 100 else body.decode("latin-1").replace("\r", "~").replace("\n", "~")
            got.append(f"{status} {text}".strip() if code == "0" else f"error: {code}")
        return got

    def stop(self):
        pass


def clients(target, here):
    all_of_them = {"weft": driven([target])}
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go:
        (Path(here) / "main.go").write_text(GO)
        subprocess.run([go, "build", "-o", here + "/go_client", here + "/main.go"], check=True, cwd=here)
        all_of_them["go"] = driven([here + "/go_client"])
    else:
        say("Go is not installed: its column is left out")
    if shutil.which("curl"):
        all_of_them["curl"] = curl(shutil.which("curl"), here)
    else:
        say("curl is not installed: its column is left out")
    return all_of_them


def main(target, prints):
    bad = 0
    with tempfile.TemporaryDirectory() as here:
        s, running = server(), clients(target, here)
        base = lambda path: path.replace("{here}", f"127.0.0.1:{s.ports[0]}") if "://" in path else \
            f"http://127.0.0.1:{s.ports[0]}{path}"
        for row in client_rows.ROWS:
            outcomes = {}
            for name, client in running.items():
                s.begin(row["answers"])
                got = client.row(row["requests"], base)
                text = " | ".join("error" if one.startswith("error") else one for one in got)
                if row["counts"]:
                    text += f" on {s.connections}"
                outcomes[name] = text
                if prints:
                    print(f"{row['name']!r} {name}: {text}   {[one for one in got if one.startswith('error')]}", flush=True)
                elif text != row[name]:
                    bad += 1
                    say(f"{row['name']}: {name} makes [{text}] of it, the table says [{row[name]}]")
            if any(row[name] != row["weft"] for name in ("go", "curl")) and not row["why"] and not prints:
                bad += 1
                say(f"{row['name']}: weft differs, and the table does not say why")
        for client in running.values():
            client.stop()
    say(f"{len(client_rows.ROWS)} rows, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--print" in sys.argv))
