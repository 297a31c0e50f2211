#!/usr/bin/env python3
"""What weft's file server answers, beside Go's http.FileServer and nginx, and what curl makes of it.

  files_differential.py TARGET           checks the table; TARGET is tests/net/http_target
  files_differential.py TARGET --print   prints what each server answers

A row has the target, fields of the request, and for each server the status, the Content-Range or Location, and the
SHA-1 of the body where it is a part of the file. Where weft differs the row says why.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import differential

GO = """package main

import ("fmt"; "io"; "net"; "net/http"; "os"; "log")

func main() {
	log.SetOutput(io.Discard)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go http.Serve(l, http.FileServer(http.Dir(os.Args[1])))
	io.Copy(io.Discard, os.Stdin)
}
"""
NGINX = """daemon off; master_process off; pid {dir}/pid; error_log /dev/null;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s; types {{ text/plain txt; text/html html; }}
  absolute_redirect off;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""
THEN = "Sun, 09 Sep 2001 01:46:40 GMT"  # the time of every file
EARLIER = "Sun, 09 Sep 2001 01:46:39 GMT"
MANY = ",".join(f"{i}-{i}" for i in range(0, 200, 2))
FILE = "".join(f"{i:07}\n" for i in range(125))  # 1,000 bytes


def row(target, fields, weft, go=None, nginx=None, why="", method="GET"):
    return {"target": target, "fields": fields, "weft": weft, "go": weft if go is None else go,
            "nginx": weft if nginx is None else nginx, "why": why, "method": method}


LISTING = "Go lists directories; neither nginx nor weft does"
MALFORMED = "9110 14.2: a malformed Range may be ignored (MAY)"
ROWS = [
    row("/a.txt", "", "200 whole"),
    row("/a.txt", "", "200 1000", method="HEAD"),
    row("/none", "", "404"),
    row("/empty", "", "200 whole"),
    row("/a.txt", "", "405", go="200 whole", why="9110 9.1: only GET and HEAD are for a file", method="POST"),
    row("/a.txt", "", "405", go="200 whole", why="9110 9.1: only GET and HEAD are for a file", method="DELETE"),
    row("/a.txt", "Range: bytes=0-0", "206 bytes 0-0/1000"),
    row("/a.txt", "Range: bytes=990-", "206 bytes 990-999/1000"),
    row("/a.txt", "Range: bytes=-10", "206 bytes 990-999/1000"),
    row("/a.txt", "Range: bytes=-2000", "206 bytes 0-999/1000"),
    row("/a.txt", "Range: bytes=0-5000", "206 bytes 0-999/1000"),
    row("/a.txt", "Range: bytes=1000-", "416 bytes */1000"),
    row("/a.txt", "Range: bytes=-0", "416 bytes */1000", go="206 bytes 1000-999/1000",
        why="9110 14.1.2: a suffix of no bytes is unsatisfiable"),
    row("/a.txt", "Range: bytes=5-4", "200 whole", go="416", nginx="416 bytes */1000", why=MALFORMED),
    row("/a.txt", "Range: bytes=x", "200 whole", go="416", nginx="416 bytes */1000", why=MALFORMED),
    row("/a.txt", "Range: bytes=", "200 whole"),
    row("/a.txt", "Range: lines=0-1", "200 whole", go="416",
        why="9110 14.2: an unknown unit is to be ignored (MUST)"),
    row("/a.txt", "Range: bytes=0-99999999999999999999", "200 whole", go="416", nginx="416 bytes */1000", why=MALFORMED),
    row("/a.txt", "Range: bytes=0-1,998-", "206 2 parts"),
    row("/a.txt", "Range: bytes=998-,0-1", "206 2 parts"),
    row("/a.txt", "Range: bytes=0-0,5000-", "206 bytes 0-0/1000"),
    row("/a.txt", "Range: bytes=5000-,6000-", "416 bytes */1000"),
    row("/a.txt", "Range: bytes=0-,0-", "200 whole"),
    row("/a.txt", "Range: bytes=0-9,5-14", "206 2 parts"),
    row("/a.txt", "Range: bytes=" + MANY, "200 whole", go="206 100 parts", nginx="206 100 parts",
        why="9110 17.15: many small ranges may be ignored"),
    row("/a.txt", "Range: bytes=0-0", "200 1000", go="206 bytes 0-0/1000", nginx="206 bytes 0-0/1000",
        why="9110 14.2: Range is to be ignored except for GET (MUST)", method="HEAD"),
    row("/empty", "Range: bytes=0-", "200 whole"),
    row("/a.txt", "If-Modified-Since: " + THEN, "304"),
    row("/a.txt", "If-Modified-Since: " + EARLIER, "200 whole"),
    row("/a.txt", "If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT", "304"),
    row("/a.txt", "If-Modified-Since: Sun Sep  9 01:46:40 2001", "304"),
    row("/a.txt", "If-Modified-Since: Sun, 09 Sep 2030 01:46:40 GMT", "304", nginx="200 whole",
        why="9110 13.1.3: compares by time; nginx takes an exact date only"),
    row("/a.txt", "If-Modified-Since: yesterday", "200 whole"),
    row("/a.txt", "If-Unmodified-Since: " + THEN, "200 whole"),
    row("/a.txt", "If-Unmodified-Since: " + EARLIER, "412"),
    row("/a.txt", "If-None-Match: *", "304"),
    row("/a.txt", 'If-None-Match: "x"', "200 whole"),
    row("/a.txt", 'If-None-Match: "x"\r\nIf-Modified-Since: ' + THEN, "200 whole"),
    row("/a.txt", "If-Match: *", "200 whole"),
    row("/a.txt", 'If-Match: "x"', "412"),
    row("/a.txt", "Range: bytes=0-0\r\nIf-Range: " + THEN, "206 bytes 0-0/1000"),
    row("/a.txt", "Range: bytes=0-0\r\nIf-Range: " + EARLIER, "200 whole"),
    row("/a.txt", 'Range: bytes=0-0\r\nIf-Range: "x"', "200 whole"),
    row("/a.txt", "Range: bytes=5000-\r\nIf-Modified-Since: " + THEN, "304"),
    row("/", "", "403", go="200", why=LISTING),
    row("/sub/", "", "200 index"),
    row("/sub", "", "301 /sub/"),
    row("/sub?q=1", "", "301 /sub/?q=1"),
    row("/sub/index.html", "", "301 /sub/", nginx="200 index", why="as Go: one address for one page"),
    row("/a.txt/", "", "301 /a.txt", nginx="404", why="as Go"),
    row("/a.txt/x", "", "404"),
    row("/../secret", "", "403", go="404", nginx="400",
        why="no path leads out of the root: each refuses in its way"),
    row("/%2e%2e/secret", "", "403", go="404", nginx="400",
        why="no path leads out of the root: each refuses in its way"),
    row("/..%2fsecret", "", "404", nginx="400", why="no path leads out of the root: each refuses in its way"),
    row("/sub%2findex.html", "", "404", go="301 /", nginx="200 index",
        why="3986 2.2: an encoded slash is data, and a filter of paths does not see it as a slash"),
    row("/sub/../a.txt", "", "200 whole"),
    row("//a.txt", "", "200 whole"),
    row("/a%2etxt", "", "200 whole"),
    row("/out", "", "403", go="200", nginx="200",
        why="a link out of the root is not followed, as by Go's os.Root; http.Dir and nginx follow it"),
    row("/inside", "", "200 whole"),
    row("/pipe", "", "403", go="skip", nginx="404", why="Go waits for a writer"),
    row("/%00", "", "400", go="404", why="3986 7.3: refused where it is not expected"),
]


def ask(port, r):
    """One answer in the table's words."""
    text = f"{r['method']} {r['target']} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    text += r["fields"] + "\r\n\r\n" if r["fields"] else "\r\n"
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(text.encode())
        while part := s.recv(65536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    head = head.decode("latin-1")
    status = head.split(" ")[1]
    fields = {k.lower(): v for k, v in re.findall(r"\r\n([^:]+): *(.*?)(?=\r\n|$)", head)}
    if "transfer-encoding" in fields:
        body = b"".join(re.findall(rb"[0-9a-f]+\r\n(.*?)\r\n", body, re.S))
    where = fields.get("content-range", "")
    kind = fields.get("content-type", "")
    if kind.startswith("multipart/byteranges"):
        return f"{status} {parts(kind, body)} parts"
    if "location" in fields:
        return f"{status} {resolved(r['target'], fields['location'])}"
    if status == "206":
        first, last = map(int, re.match(r"bytes (\d+)-(\d+)/", where).groups())
        where += "" if body.decode() == FILE[first:last + 1] or r["method"] == "HEAD" else " wrong bytes"
    if where:
        return f"{status} {where}"
    if status == "200" and r["method"] == "HEAD":
        return f"200 {fields.get('content-length')}"
    if status == "200" and body.decode("latin-1") in (FILE, "") and kind:
        return "200 whole"
    return "200 index" if status == "200" and body == b"index" else status


def parts(kind, body):
    """The number of parts, each checked."""
    boundary = kind.split("boundary=")[1].encode()
    pieces = body.split(b"--" + boundary)
    assert pieces[-1].strip() == b"--", body
    for piece in pieces[1:-1]:
        head, _, data = piece.partition(b"\r\n\r\n")
        first, last = map(int, re.search(rb"Content-Range: bytes (\d+)-(\d+)/1000", head).groups())
        assert data == FILE[first:last + 1].encode() + b"\r\n", piece
    return len(pieces) - 2


def resolved(target, location):
    from urllib.parse import urljoin
    return urljoin("http://a" + target, location).removeprefix("http://a")


def files(here):
    root = Path(here) / "root"
    (root / "sub").mkdir(parents=True)
    (Path(here) / "secret").write_text("secret")
    for name, text in (("a.txt", FILE), ("empty", ""), ("sub/index.html", "index")):
        (root / name).write_text(text)
        os.utime(root / name, (1_000_000_000, 1_000_000_000))
    os.symlink(Path(here) / "secret", root / "out")
    os.symlink("a.txt", root / "inside")
    os.mkfifo(root / "pipe")
    os.chmod(here, 0o755)
    return str(root)


def servers(target, here, root):
    all_of_them = {"weft": differential.started([target, root])}
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go:
        (Path(here) / "main.go").write_text(GO)
        subprocess.run([go, "build", "-o", here + "/target", here + "/main.go"], check=True, cwd=here)
        all_of_them["go"] = differential.started([here + "/target", root])
    else:
        differential.say("Go is not installed: its column is left out")
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary:
        all_of_them["nginx"] = differential.nginx(binary, here, NGINX, root=root)
    else:
        differential.say("nginx is not installed: its column is left out")
    return all_of_them


def curl_resumes(port, here):
    """curl goes on with a download that was cut, and leaves a file that has not changed."""
    curl = shutil.which("curl")
    if not curl:
        differential.say("curl is not installed: left out")
        return True
    url, to = f"http://127.0.0.1:{port}/a.txt", here + "/part"
    Path(to).write_text(FILE[:300])
    run = lambda *more: subprocess.run([curl, "-sS", "-o", to, "-w", "%{http_code}", *more, url], check=False,
                                       capture_output=True, text=True).stdout
    resumed = run("-C", "-") == "206" and Path(to).read_text() == FILE
    fresh = run("--etag-save", here + "/etag") == "200" and run("--etag-compare", here + "/etag") == "304"
    dated = run("-R") == "200" and run("-z", to) == "304"
    if not (resumed and fresh and dated):
        differential.say(f"curl: resumed {resumed}, by tag {fresh}, by date {dated}")
    return resumed and fresh and dated


def main(target, prints):
    bad = 0
    with tempfile.TemporaryDirectory() as here:
        root = files(here)
        running = servers(target, here, root)
        try:
            for r in ROWS:
                got = {name: ask(port, r) for name, (_, port) in running.items() if r[name] != "skip"}
                about = f"{r['method']} {r['target']} {r['fields'][:80]!r}"
                if prints:
                    print(f"{about}: {got}")
                    continue
                for name, answer in got.items():
                    if answer not in r[name].split("|"):
                        bad += 1
                        differential.say(f"{about}: {name} answers [{answer}], the table says [{r[name]}]")
                if any(r[name] not in r["weft"].split("|") for name in ("go", "nginx")) and not r["why"]:
                    bad += 1
                    differential.say(f"{about}: weft differs, and the table does not say why")
            bad += not curl_resumes(running["weft"][1], here)
        finally:
            for p, _ in running.values():
                p.stdin.close()
                p.terminate()
                p.wait()
    differential.say(f"{len(ROWS)} rows, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--print" in sys.argv))
