"""Bodies, headers, routes and bytes that are wrong whatever the request says, as tables."""

from __future__ import annotations

import gzip

from tests.serve.valid_requests import CHAT_URL, HELLO, MAX_BODY, MODEL, VALID

# Bodies that are refused whatever the endpoint, the status and the error's code.
BODIES: list[tuple[bytes, int, str]] = [
    (b"", 400, "invalid_json"),
    (b" ", 400, "invalid_json"),
    (b"\0", 400, "invalid_json"),
    (b"{", 400, "invalid_json"),
    (b"not json", 400, "invalid_json"),
    (b"[]", 400, "invalid_json"),
    (b"null", 400, "invalid_json"),
    (b"5", 400, "invalid_json"),
    (b'"text"', 400, "invalid_json"),
    (b'{"model": "x",}', 400, "invalid_json"),
    (b"{'model': 'x'}", 400, "invalid_json"),
    (b'{"model": x}', 400, "invalid_json"),
    (b'{"model" "x"}', 400, "invalid_json"),
    (b'{"model": "x"} trailing', 400, "invalid_json"),
    (b'{"model": "x"}{"model": "x"}', 400, "invalid_json"),
    (b'{"model": "\n"}', 400, "invalid_json"),
    (b'{"model": "\\x41"}', 400, "invalid_json"),
    (b'{"n": 01}', 400, "invalid_json"),
    (b'{"n": +1}', 400, "invalid_json"),
    (b'{"n": 0x1}', 400, "invalid_json"),
    (b'{"n": ' + b"9" * 5000 + b"}", 400, "invalid_json"),
    (b'{"n": 1 /* one */}', 400, "invalid_json"),
    (b'{"model": "\xff\xfe"}', 400, "invalid_json"),
    (b'{"model": "\xed\xa0\x80"}', 400, "invalid_json"),  # a surrogate, as UTF-8 may not have it
    (b'{"model": "\\ud800"}', 400, "invalid_json"),
    (b'{"model": "\\udc00\\ud800"}', 400, "invalid_json"),
    (b'{"\\ud800": 1}', 400, "invalid_json"),
    (b"[" * 100_000, 400, "invalid_json"),
    (b'{"a":' * 10_000, 400, "invalid_json"),
    (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", 400, "invalid_json"),
    ("\ufeff{}".encode(), 400, "invalid_json"),
    (HELLO.decode().encode("utf-16"), 400, "invalid_json"),
    (HELLO.decode().encode("utf-32"), 400, "invalid_json"),
    (HELLO[:-10], 400, "invalid_json"),
    (gzip.compress(HELLO), 400, "invalid_json"),
    (gzip.compress(HELLO)[:20], 400, "invalid_json"),
    (b"model=x&prompt=y", 400, "invalid_json"),
    (b'{"model": "x", "model": "x"}', 400, "duplicate_field"),
    (b'{"a": [{"b": 1, "\\u0062": 2}]}', 400, "duplicate_field"),
    (b'{"' + b"x" * MAX_BODY + b'": 1}', 413, "request_too_large"),
    (b'{"a": [' + b"1," * 300_000 + b"1]}", 413, "request_too_large"),
    (b'{"a": [' + b"{}," * 40_000 + b"{}]}", 413, "request_too_large"),
]

# Headers that replace or join those of a valid request, the status, and what the message must say.
HEADERS: list[tuple[dict[str, str], int, str]] = [
    ({"Content-Type": "text/plain"}, 415, "'text/plain'"),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "Content-Type"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, 415, "Content-Type"),
    ({"Content-Type": "application/jsonp"}, 415, "Content-Type"),
    ({"Content-Type": "text/plain, application/json"}, 415, "Content-Type"),
    ({"Content-Type": ""}, 415, "Content-Type"),
    ({"Content-Encoding": "gzip"}, 415, "'gzip'"),
    ({"Content-Encoding": "br"}, 415, "Content-Encoding"),
    ({"Content-Encoding": "gzip, identity"}, 415, "Content-Encoding"),
]

# Method and path, the status and what the message must say.
ROUTES: list[tuple[str, str, int, str]] = [
    *(
        ("POST", path, 404, f"POST {path}")
        for path in ("/v1/chat/completion", CHAT_URL + "/", "/v1", "/redoc")
    ),
    *(
        ("GET", path, 404, "GET /")
        for path in ("/v1/../etc/passwd", "/%ff%fe", "/%00", "/health/", "/" + "x" * 9000)
    ),
    ("GET", "/v1/models/gpt-4o", 404, "gpt-4o"),
    ("GET", "/v1/models/%00", 404, MODEL),
    ("GET", "/v1/models/..%2f..%2fetc%2fpasswd", 404, MODEL),
    *(
        (method, path, 405, method)
        for path in VALID
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS")
    ),
    *(
        ("POST", path, 405, "POST")
        for path in ("/health", "/v1/models", "/metrics", "/docs", "/openapi.json")
    ),
]

POST = (
    f"POST {CHAT_URL} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/json\r\n".encode()
)


# Bytes that no HTTP client sends, and the status. The connection is closed then.
RAW: list[tuple[bytes, int]] = [
    (b"GARBAGE\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01", 400),  # TLS
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"GET /health HTTP/9.9\r\n\r\n", 400),
    (b"GET  HTTP/1.1\r\n\r\n", 400),
    (b"FOO /health HTTP/1.1\r\nHost: t\r\n\r\n", 400),
    (b"CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n", 400),
    (b"GET /\xff\xfe HTTP/1.1\r\nHost: t\r\n\r\n", 400),
    (POST + b"no header\r\n\r\n", 400),
    (POST + b"X: \x00\r\n\r\n", 400),
    (POST + b"Content-Length : 2\r\n\r\n{}", 400),
    (POST + b"Content-Length: abc\r\n\r\n{}", 400),
    (POST + b"Content-Length: -1\r\n\r\n{}", 400),
    (POST + b"Content-Length: 1e3\r\n\r\n{}", 400),
    (POST + b"Content-Length: 99999999999999999999999999\r\n\r\n{}", 400),
    (POST + b"Content-Length: 999999999999999\r\n\r\n{}", 413),
    (POST + b"Content-Length: 999999999999999\r\nExpect: 100-continue\r\n\r\n", 413),
    (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n", 400),
]
