from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from wending.serve.page import WEB_FOLDER, page_router


async def test_chat_page_is_at_the_root(http: httpx.AsyncClient) -> None:
    response = await http.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.content == (WEB_FOLDER / "index.html").read_bytes()
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_every_file_of_the_page_is_served(http: httpx.AsyncClient) -> None:
    for path in WEB_FOLDER.rglob("*"):
        if path.is_file() and path.name != "index.html":
            response = await http.get("/web/" + path.relative_to(WEB_FOLDER).as_posix())
            assert response.status_code == 200, path
            assert response.content == path.read_bytes()


async def test_not_modified(http: httpx.AsyncClient) -> None:
    etag = (await http.get("/")).headers["etag"]
    response = await http.get("/", headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == etag
    assert (await http.get("/", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_head(http: httpx.AsyncClient) -> None:
    response = await http.head("/")
    assert response.status_code == 200
    assert response.content == b""
    assert int(response.headers["content-length"]) == (WEB_FOLDER / "index.html").stat().st_size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    web = tmp_path / "web"
    (web / "parts").mkdir(parents=True)
    (web / "index.html").write_text("<p>稳定")
    (web / "parts" / "a.js").write_text("export {}")
    (web / "notes.txt").write_text("no page needs this")
    (tmp_path / "secret.js").write_text("secret")
    return web


@pytest.mark.parametrize(
    ("url", "status", "content_type"),
    [
        ("/", 200, "text/html; charset=utf-8"),
        ("/web/parts/a.js", 200, "text/javascript; charset=utf-8"),
        ("/web/index.html", 404, None),
        ("/web/notes.txt", 404, None),
        ("/web/parts", 404, None),
        ("/web/../secret.js", 404, None),
        ("/web/%2e%2e/secret.js", 404, None),
        ("/web/parts/..%2f..%2fsecret.js", 404, None),
    ],
)
async def test_only_files_of_the_folder(
    folder: Path, url: str, status: int, content_type: str | None
) -> None:
    app = FastAPI()
    app.include_router(page_router(folder))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        response = await http.get(url)
    assert response.status_code == status
    if content_type is not None:
        assert response.headers["content-type"] == content_type
