from __future__ import annotations

import pytest

from wending.serve.guard.upstream import InvalidUpstream, Upstream


@pytest.mark.parametrize(
    ("given", "url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1", "http://[::1]:8000"),
        ("https://api.example/compatible/v1", "https://api.example/compatible/v1", "https://api.example"),
    ],
)
def test_urls(given: str, url: str, origin: str) -> None:
    upstream = Upstream(given)
    assert (upstream.url, upstream.origin) == (url, origin)


@pytest.mark.parametrize("given", ["", "localhost:8000", "ftp://host", "http://", "file:///etc/passwd"])
def test_what_is_no_endpoint(given: str) -> None:
    with pytest.raises(InvalidUpstream, match="not the URL of an endpoint"):
        Upstream(given)


@pytest.mark.parametrize("given", ["http://user:secret@host/v1", "http://host/v1?key=secret"])
def test_a_key_in_the_url_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(InvalidUpstream) as refused:
        Upstream(given)
    assert "secret" not in str(refused.value)
