#!/usr/bin/env python3
"""Writes the inputs that the fuzzers begin with, from the tables of tests/net: seeds.py DIRECTORY

DIRECTORY gets a folder for each target, with a file for each row.
"""
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "net"))
import client_rows
import differential_rows
import files_differential


def inputs():
    """(target, bytes)"""
    for row in differential_rows.ROWS:
        yield "http_fuzz", row["bytes"]
        yield "parsers_fuzz", b"\0" + row["bytes"]
    for row in client_rows.ROWS:
        for answer in row["answers"]:
            if len(answer["bytes"]) < 2000:
                yield "http_client_fuzz", b"\0" + answer["bytes"]
        for _, url, _, _ in row["requests"]:
            if "://" in url:
                yield "url_fuzz", url.encode() + b"\n"
    for row in files_differential.ROWS:
        yield "parsers_fuzz", b"\1" + row["target"].encode()
        yield "url_fuzz", b"http://a/b/c?q\n" + row["target"].encode()
        for field in row["fields"].split("\r\n"):
            yield "parsers_fuzz", b"\3" + field.partition(": ")[2].encode()


def main(to):
    for target, data in inputs():
        folder = Path(to) / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
