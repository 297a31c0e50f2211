"""The rows of client_differential.py: what a server sends, what each client makes of it, and why weft differs."""
import gzip

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SHOWN = OK + b"Connection: close\r\n\r\n{request}"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
ZIPPED = gzip.compress(b"hello", mtime=0)
# An answer that must not be taken for that of the next request.
FALSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nFALSE"
NEXT = {"bytes": OK + b"Content-Length: 4\r\n\r\nnext"}


def sized(body, fields=b"", status=b"200 OK"):
    return b"HTTP/1.1 " + status + b"\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def to(location, status=b"302 Found"):
    return {"bytes": sized(b"", b"Location: " + location + b"\r\n", status), "keep": True}


def row(name, answers, weft, go=None, curl=None, why="", requests=(("GET", "/", (), ""),), counts=False):
    """A client that is not named makes the same of it as weft. `counts`: the outcome ends with the connections."""
    if isinstance(answers, bytes):
        answers = [{"bytes": answers}]
    return {"name": name, "answers": answers, "weft": weft, "go": weft if go is None else go,
            "curl": weft if curl is None else curl, "why": why, "requests": requests, "counts": counts}


GET = ("GET", "/", (), "")
TWO = (GET, ("GET", "/2", (), ""))
POST = ("POST", "/", ("Content-Type: text/plain",), "data")
AUTH = ("GET", "/", ("Authorization: Basic eA==", "Cookie: a=b"), "")


def two(name, first, weft, **more):
    """Two requests to a server that keeps the first connection open, and would answer on another one."""
    return row(name, [{"bytes": first, "keep": True}, NEXT], weft, requests=TWO, counts=True, **more)


ROWS = [
    # ---- the status line
    row("plain", sized(b"ok"), "200 ok"),
    row("no reason", b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "200 ok"),
    row("no reason, no blank", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "200 ok"),
    row("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nok", "200 ok"),
    row("HTTP/0.9", b"hello", "error"),
    row("HTTP/1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", curl="error",
        why="9110 2.5: a higher minor version is read as 1.1"),
    row("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "error", go="200 ok", curl="200 ok",
        why="9110 2.5: another major version has another syntax"),
    row("lower case", b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "error", curl="200 ok",
        why="9112 2.3: HTTP-name has case"),
    row("status 99", b"HTTP/1.1 099 OK\r\n\r\nok", "error", go="99 ok",
        why="9110 15: the first digit is 1 to 5, and a client knows the class of the others"),
    row("status 20", b"HTTP/1.1 20 OK\r\n\r\nok", "error"),
    row("status 2000", b"HTTP/1.1 2000 OK\r\n\r\nok", "error"),
    row("status 999", sized(b"ok", status=b"999 OK"), "999 ok"),
    row("status 20x", b"HTTP/1.1 20x OK\r\n\r\nok", "error"),
    row("empty line first", b"\r\n" + sized(b"ok"), "error"),
    row("nothing", b"", "error"),
    row("half a head", b"HTTP/1.1 200 OK\r\nContent-Len", "error", curl="200",
        why="9112 8: the head is incomplete"),
    # ---- fields
    row("LF for CRLF", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "200 ok"),
    row("folded field", OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nok", "200 ok"),
    row("folded length", OK + b"Content-Length:\r\n 2\r\n\r\nok", "200 ok", curl="error",
        why="9112 5.2: a client replaces the fold by a blank (MUST)"),
    row("first field folded", OK + b" X: a\r\nContent-Length: 2\r\n\r\nok", "error"),
    row("blank before the colon", OK + b"Content-Length : 2\r\n\r\nok", "error", go="200 ok", curl="200 ok",
        why="9112 5.1: no blank there; two readers would see two lengths"),
    row("no colon", OK + b"nonsense\r\nContent-Length: 2\r\n\r\nok", "error"),
    row("empty name", OK + b": x\r\nContent-Length: 2\r\n\r\nok", "error", curl="200 ok",
        why="9110 5.1: a name is a token"),
    row("name that is no token", OK + b"A(b): x\r\nContent-Length: 2\r\n\r\nok", "error", curl="200 ok",
        why="9110 5.1: a name is a token"),
    row("NUL in a value", OK + b"A: x\0y\r\nContent-Length: 2\r\n\r\nok", "error"),
    row("CR in a value", OK + b"A: x\ry\r\nContent-Length: 2\r\n\r\nok", "error", curl="200 ok",
        why="9112 2.2: a bare CR is invalid"),
    row("control in a value", OK + b"A: x\x01y\r\nContent-Length: 2\r\n\r\nok", "200 ok", go="error",
        why="9110 5.5: other controls may be kept (MAY)"),
    row("a head of 200 KiB", OK + (b"A: " + b"x" * 1020 + b"\r\n") * 200 + b"Content-Length: 2\r\n\r\nok", "200 ok"),
    row("a line of 200 KiB", OK + b"A: " + b"x" * 204800 + b"\r\nContent-Length: 2\r\n\r\nok", "200 ok", curl="error",
        why="curl bounds a line to 100 KiB, weft the head: client_limits::max_head"),
    row("a head of 2 MiB", OK + (b"A: " + b"x" * 1020 + b"\r\n") * 2048 + b"Content-Length: 2\r\n\r\nok", "error",
        go="200 ok",
        why="client_limits::max_head is 1 MiB, Go's bound 10 MiB"),
    row("a head of 12 MiB", OK + (b"A: " + b"x" * 1020 + b"\r\n") * 12288 + b"Content-Length: 2\r\n\r\nok", "error"),
    # ---- where the body ends
    row("to the end of the connection", OK + b"\r\nok", "200 ok"),
    row("cut off", OK + b"Content-Length: 5\r\n\r\nok", "error"),
    row("two equal lengths", OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "200 ok"),
    row("two lengths", OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", "error", curl="200 ok!",
        why="9112 6.3: the framing is invalid (MUST)"),
    row("list of equal lengths", OK + b"Content-Length: 2, 2\r\n\r\nok", "200 ok", go="error",
        why="9110 8.6: may be taken as one (MAY)"),
    row("list of lengths", OK + b"Content-Length: 2, 3\r\n\r\nok", "error", curl="200 ok",
        why="9112 6.3: the framing is invalid (MUST)"),
    row("length +2", OK + b"Content-Length: +2\r\n\r\nok", "error", curl="200 ok",
        why="9110 8.6: digits"),
    row("length -2", OK + b"Content-Length: -2\r\n\r\nok", "error"),
    row("length 0x2", OK + b"Content-Length: 0x2\r\n\r\nok", "error", curl="200",
        why="9110 8.6: digits"),
    row("empty length", OK + b"Content-Length:\r\n\r\nok", "error"),
    row("length 2^64+2", OK + b"Content-Length: 18446744073709551618\r\n\r\nok", "error", curl="200 ok",
        why="9110 8.6: a recipient takes care of overflows (MUST); the body is cut off"),
    row("length and chunked", OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO, "200 hello"),
    row("204 with a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", "204"),
    row("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "304"),
    row("HEAD", OK + b"Content-Length: 20\r\n\r\n", "200", requests=(("HEAD", "/", (), ""),)),
    # ---- transfer codings
    row("chunks", CHUNKED + HELLO, "200 hello"),
    row("CHUNKED", OK + b"Transfer-Encoding: CHUNKED\r\n\r\n" + HELLO, "200 hello"),
    row("chunked in 1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO, "error",
        go="200 5~~hello~~0~~~~", curl="200 hello",
        why="9112 6.1: the framing is faulty (MUST)"),
    row("coding gzip, chunked", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + HELLO, "error"),
    row("coding identity", OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", "error", curl="200 ok",
        why="9112 7: identity is no longer a coding"),
    row("coding xchunked", OK + b"Transfer-Encoding: xchunked\r\n\r\n" + HELLO, "error"),
    row("chunked twice", OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO, "error",
        curl="200 hello",
        why="9112 6.1: chunked is not applied twice (MUST NOT)"),
    row("chunk extension", CHUNKED + b"5;a=b\r\nhello\r\n0\r\n\r\n", "200 hello"),
    row("chunk trailer", CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", "200 hello"),
    row("malformed trailer", CHUNKED + b"5\r\nhello\r\n0\r\nX y\r\n\r\n", "error"),
    row("chunk size 0x5", CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", "error"),
    row("chunk size -5", CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", "error"),
    row("blank before a chunk size", CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n", "error"),
    row("blank after a chunk size", CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n", "200 hello"),
    row("empty chunk size", CHUNKED + b"\r\nhello\r\n0\r\n\r\n", "error"),
    row("chunk size 2^64+5", CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n", "error"),
    row("chunk longer than its size", CHUNKED + b"3\r\nhello\r\n0\r\n\r\n", "error"),
    row("chunk line that ends in LF", CHUNKED + b"5\nhello\r\n0\r\n\r\n", "error", curl="200 hello",
        why="9112 7.1: CR LF"),
    row("chunk data that ends in LF", CHUNKED + b"5\r\nhello\n0\r\n\r\n", "error", curl="200 hello",
        why="9112 7.1: CR LF"),
    row("chunk size of zeros", CHUNKED + b"0000000000000005\r\nhello\r\n0\r\n\r\n", "200 hello"),
    row("chunk extension of 10 KiB", CHUNKED + b"5;" + b"a" * 10240 + b"\r\nhello\r\n0\r\n\r\n", "error",
        curl="200 hello",
        why="9112 7.1.1: extensions are bounded"),
    row("chunks cut off", CHUNKED + b"5\r\nhel", "error"),
    row("no last chunk", CHUNKED + b"5\r\nhello\r\n", "error"),
    # ---- content codings
    row("gzip", sized(ZIPPED, b"Content-Encoding: gzip\r\n"), "200 hello"),
    row("gzip cut off", sized(ZIPPED[:-6], b"Content-Encoding: gzip\r\n"), "error", curl="200 hello",
        why="9112 8: data that is not whole is not reported as whole"),
    row("gzip with a wrong sum", sized(ZIPPED[:-8] + b"\0" * 8, b"Content-Encoding: gzip\r\n"), "error"),
    row("gzip that is none", sized(b"hello", b"Content-Encoding: gzip\r\n"), "error"),
    row("unknown content coding", sized(b"hello", b"Content-Encoding: x\r\n"), "200 hello", curl="error",
        why="9110 8.4: the caller gets the coded bytes and the field, as in Go"),
    # ---- informational answers
    row("100 first", b"HTTP/1.1 100 Continue\r\n\r\n" + sized(b"ok"), "200 ok"),
    row("103 first", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + sized(b"ok"), "200 ok"),
    row("103 with a length", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n" + sized(b"ok"), "200 ok"),
    row("five of them", b"HTTP/1.1 102 P\r\n\r\n" * 5 + sized(b"ok"), "200 ok"),
    row("fifty of them", b"HTTP/1.1 102 P\r\n\r\n" * 50 + sized(b"ok"), "200 ok"),
    row("101 that was not asked for", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nok", "error",
        go="101", curl="101 ok",
        why="9110 15.2.2, 7.8: a server switches only to what was asked for"),
    row("100 alone", b"HTTP/1.1 100 Continue\r\n\r\n", "error"),
    # ---- connections
    two("kept", sized(b"one"), "200 one | 200 next on 1"),
    two("Connection: close", sized(b"one", b"Connection: close\r\n"), "200 one | 200 next on 2"),
    two("HTTP/1.0 is closed", b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none", "200 one | 200 next on 2"),
    two("HTTP/1.0 keep-alive", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\none",
        "200 one | 200 next on 1"),
    two("left-over answer", sized(b"one") + FALSE, "200 one | 200 next on 2"),
    two("left-over bytes", sized(b"one") + b"xyz", "200 one | 200 next on 2"),
    two("left over after chunks", CHUNKED + HELLO + FALSE, "200 hello | 200 next on 2",
        curl="200 hello | 200 next on 1",
        why="9112 9.2: what comes unasked is not an answer; weft closes that connection"),
    two("left over after 204", b"HTTP/1.1 204 No Content\r\n\r\n" + FALSE, "204 | 200 next on 2",
        curl="204 | 200 next on 1",
        why="9112 9.2: what comes unasked is not an answer; weft closes that connection"),
    two("length and chunked, kept", OK + b"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO,
        "200 hello | 200 next on 2", go="200 hello | 200 next on 1", curl="200 hello | 200 next on 1",
        why="9112 6.1: the two may be an attempt at splitting; the connection is closed"),
    two("two equal lengths, kept", OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\none",
        "200 one | 200 next on 1"),
    row("closed before the second request", [{"bytes": sized(b"one")}, NEXT], "200 one | 200 next on 2", requests=TWO,
        counts=True),
    row("a second POST is not repeated", [{"bytes": sized(b"one"), "keep": True}, {"bytes": b""}, NEXT],
        "200 one | error on 1", requests=(GET, POST), counts=True, curl="200 one | 200 next on 2",
        why="9110 9.2.2: not repeated unless it is idempotent (MUST NOT)"),
    row("a second GET is repeated", [{"bytes": sized(b"one"), "keep": True}, {"bytes": b""}, NEXT],
        "200 one | 200 next on 2", requests=TWO, counts=True),
    row("a first GET is not repeated", [{"bytes": b""}, NEXT], "error on 1", counts=True),
    row("an early answer", [{"bytes": sized(b"no", status=b"413 Too Large"), "early": True}], "413 no",
        requests=(("POST", "/", (), "#3000000"),)),
    # ---- redirects
    row("absolute", [to(b"http://{here}/x"), {"bytes": SHOWN}], "200 GET  - - -"),
    row("of a path", [to(b"/x"), {"bytes": SHOWN}], "200 GET  - - -"),
    row("of a query", [to(b"?x"), {"bytes": SHOWN}], "200 GET  - - -"),
    row("without a scheme", [to(b"//{here}/x"), {"bytes": SHOWN}], "200 GET  - - -"),
    row("with a blank", [to(b"/a b"), {"bytes": SHOWN}], "200 GET  - - -"),
    row("with bytes of UTF-8", [to(b"/\xc3\xa4"), {"bytes": SHOWN}], "200 GET  - - -"),
    row("to a file", [to(b"file:///etc/passwd"), NEXT], "error"),
    row("to ftp", [to(b"ftp://127.0.0.1:9/x"), NEXT], "error"),
    row("to https://[]:443/", [to(b"https://[]:443/"), NEXT], "error"),
    row("to port 70000", [to(b"http://127.0.0.1:70000/"), NEXT], "error"),
    row("with a bad percent", [to(b"/%zz"), {"bytes": SHOWN}], "error", curl="200 GET  - - -",
        why="3986 2.1: the Location is malformed"),
    row("without Location", b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nok", "302 ok"),
    row("empty Location", [to(b""), NEXT], "302"),
    row("in a circle", [to(b"/") for _ in range(20)], "error"),
    row("304 with Location", b"HTTP/1.1 304 N\r\nLocation: /x\r\n\r\n", "304", curl="error",
        why="9110 15.4.5: 304 is no redirect"),
    row("300 with Location", [to(b"/x", b"300 Multiple Choices"), NEXT], "300", curl="200 next",
        why="9110 15.4.1: may be followed (MAY); the choice is the caller's, as in Go"),
    row("POST by 301", [to(b"/x", b"301 M"), {"bytes": SHOWN}], "200 GET  - - -",
        requests=(POST,), curl="200 GET  - - type",
        why="9110 15.4: the fields of a body go with it (SHOULD)"),
    row("POST by 303", [to(b"/x", b"303 S"), {"bytes": SHOWN}], "200 GET  - - -",
        requests=(POST,), curl="200 GET  - - type",
        why="9110 15.4: the fields of a body go with it (SHOULD)"),
    row("POST by 307", [to(b"/x", b"307 T"), {"bytes": SHOWN}], "200 POST data - - type", requests=(POST,)),
    row("POST by 308 to another port", [to(b"http://{other}/x", b"308 P"), {"bytes": SHOWN}], "200 POST data - - type",
        requests=(POST,)),
    # ---- credentials
    row("credentials to the same place", [to(b"/x"), {"bytes": SHOWN}], "200 GET  auth cookie -", requests=(AUTH,)),
    row("credentials to another port", [to(b"http://{other}/x"), {"bytes": SHOWN}], "200 GET  - - -",
        requests=(AUTH,), go="200 GET  auth cookie -",
        why="6454 4: another port is another origin; Go compares hosts"),
    row("credentials to another host", [to(b"http://{localhost}/x"), {"bytes": SHOWN}], "200 GET  - - -",
        requests=(AUTH,)),
    row("userinfo", SHOWN, "200 GET  auth - -", requests=(("GET", "http://u:p@{here}/", (), ""),)),
    row("userinfo to another host", [to(b"http://{localhost}/x"), {"bytes": SHOWN}], "200 GET  - - -",
        requests=(("GET", "http://u:p@{here}/", (), ""),)),
    row("userinfo in a Location", [to(b"http://u:p@{here}/x"), {"bytes": SHOWN}], "200 GET  auth - -"),
    row("a cookie without a jar", [{"bytes": sized(b"one", b"Set-Cookie: a=b\r\n"), "keep": True}, {"bytes": SHOWN}],
        "200 one | 200 GET  - - -", requests=TWO),
    # ---- requests
    row("host with a NUL", [NEXT], "error", requests=(("GET", "http://127.0.0.1%00:1/", (), ""),)),
    row("host of a bad IPv6", [NEXT], "error", requests=(("GET", "http://[::1x]:1/", (), ""),)),
]
