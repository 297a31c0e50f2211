#!/usr/bin/env python3
"""What weft's server makes of raw requests, beside Go's net/http and nginx.

  differential.py TARGET           checks the table in differential_rows.py, TARGET is tests/net/http_target
  differential.py TARGET --print   prints what each server answers

A row says which statuses each server answers. Where weft differs from one of the others the row says why, by a section
of an RFC. Without Go or nginx their columns are left out, with a line that says so.
"""
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import differential_rows

GO = """package main

import ("fmt"; "io"; "net"; "net/http"; "os"; "log")

func main() {
	log.SetOutput(io.Discard)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { w.WriteHeader(400); return }
		io.WriteString(w, "ok")
	}))
	io.Copy(io.Discard, os.Stdin)
}
"""
NGINX = """daemon off; master_process off; pid {dir}/pid; error_log /dev/null;
events {{ worker_connections 64; }}
http {{
  access_log off; proxy_ignore_client_abort on; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://unix:{dir}/back; }} }}
  server {{ listen unix:{dir}/back; location / {{ return 200 ok; }} }}
}}
"""


def say(text):
    print("differential: " + text, flush=True)


def statuses(port, data):
    """The statuses of the answers, as "200 400"; "" if the connection ends without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = b""
        try:
            while part := s.recv(65536):
                got += part
        except OSError:
            pass
    return " ".join(code.decode() for code in re.findall(rb"HTTP/1\.[01] (\d{3})", got))


def started(command):
    """(process, port) of a server that prints its port and ends with its input."""
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return p, int(p.stdout.readline())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx(binary, here, conf_text=NGINX, **more):
    port = free_port()
    conf = Path(here) / "nginx.conf"
    conf.write_text(conf_text.format(dir=here, port=port, **more))
    p = subprocess.Popen([binary, "-p", here, "-c", str(conf)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return p, port
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("nginx does not listen")


def servers(target, here):
    """{name: (process, port)}"""
    all_of_them = {"weft": started([target])}
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go:
        (Path(here) / "main.go").write_text(GO)
        subprocess.run([go, "build", "-o", here + "/target", here + "/main.go"], check=True, cwd=here)
        all_of_them["go"] = started([here + "/target"])
    else:
        say("Go is not installed: its column is left out")
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary:
        all_of_them["nginx"] = nginx(binary, here)
    else:
        say("nginx is not installed: its column is left out")
    return all_of_them


def main(target, prints):
    bad = 0
    with tempfile.TemporaryDirectory() as here:
        running = servers(target, here)
        try:
            for row in differential_rows.ROWS:
                got = {name: statuses(port, row["bytes"]) for name, (_, port) in running.items()}
                if prints:
                    print(f"{row['name']!r}: {got}")
                    continue
                for name, answer in got.items():
                    if answer not in row[name].split("|"):
                        bad += 1
                        say(f"{row['name']}: {name} answers [{answer}], the table says [{row[name]}]")
                if any(row[name] != row["weft"] for name in ("go", "nginx")) and not row["why"]:
                    bad += 1
                    say(f"{row['name']}: weft differs, and the table does not say why")
        finally:
            for p, _ in running.values():
                p.stdin.close()
                p.terminate()
                p.wait()
    say(f"{len(differential_rows.ROWS)} rows, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--print" in sys.argv))
