"""What an operator gives a server: keys, a certificate, a log, another server beside it."""

from __future__ import annotations

import json
import re
import signal
import ssl
from pathlib import Path

import httpx
import pytest
from tests.certificate import make_certificate
from tests.random_checkpoint import small_config, write_random_checkpoint
from tests.serve.serving import Serving, hello, read_until, start, worker_of


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2", small_config())


def test_keys_certificate_and_log(checkpoint: Path, tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "server", "-nodes")
    keys = tmp_path / "keys"
    keys.write_text("alice sk-secret-1\n")
    serving = Serving(
        *(checkpoint, "--api-key-file", keys, "--tls-cert", cert, "--tls-key", key, "--log-format", "json"),
        WENDING_API_KEYS="bob sk-secret-2",
    )
    try:
        assert serving.url.startswith("https://")
        with httpx.Client(base_url=serving.url, verify=ssl.create_default_context(cafile=str(cert))) as http:
            assert http.get("/v1/models").status_code == 401
            for name in ("sk-secret-1", "sk-secret-2"):
                headers = {"Authorization": f"Bearer {name}", "X-Request-Id": f"id-of-{name[-1]}"}
                answer = http.post("/v1/chat/completions", json=hello(user="someone"), headers=headers)
                assert answer.status_code == 200
                assert answer.headers["x-request-id"] == f"id-of-{name[-1]}"
        assert serving.stop() == 0
        assert serving.process.stderr is not None
        log = serving.process.stderr.read()
        lines = [json.loads(line) for line in log.splitlines()]
        assert [(line["status"], line.get("key")) for line in lines] == [
            (401, None),
            (200, "alice"),
            (200, "bob"),
        ]
        for line in lines[1:]:
            assert line["request_id"].startswith("id-of-")
            assert line["prompt_tokens"] > 0
            assert 0 < line["completion_tokens"] <= 40
            assert 0 < line["ttft_s"] <= line["duration_s"]
        for secret in ("sk-secret", "Hello"):
            assert secret not in log + serving.output
    finally:
        serving.close()


def test_sighup_reads_keys_and_certificate_again(checkpoint: Path, tmp_path: Path) -> None:
    """A file that is broken changes nothing, and the server goes on; connections that are open too."""
    cert, key = make_certificate(tmp_path, "server", "-nodes")
    old, keys = cert.read_text(), tmp_path / "keys"
    keys.write_text("alice sk-1\n")
    serving = Serving(checkpoint, "--api-key-file", keys, "--tls-cert", cert, "--tls-key", key)
    assert serving.process.stderr is not None
    port = int(serving.url.rsplit(":", 1)[1])

    def status(http: httpx.Client, api_key: str) -> int:
        return http.get("/v1/models", headers={"Authorization": f"Bearer {api_key}"}).status_code

    def reload(*said: str) -> None:
        serving.process.send_signal(signal.SIGHUP)
        for each in said:
            read_until(serving.process.stderr, re.escape(each))

    try:
        with httpx.Client(base_url=serving.url, verify=ssl.create_default_context(cafile=str(cert))) as http:
            assert [status(http, "sk-1"), status(http, "sk-2")] == [200, 401]
            keys.write_text("alice sk-2\n")
            make_certificate(tmp_path, "server", "-nodes")
            reload(f"API keys read again: {keys}", f"TLS certificate read again: {cert}")
            assert [status(http, "sk-1"), status(http, "sk-2")] == [401, 200]
            assert ssl.get_server_certificate(("127.0.0.1", port)) == cert.read_text() != old
            new = cert.read_text()
            keys.write_text("")
            make_certificate(tmp_path, "other", "-nodes")[0].rename(cert)
            reload(f"ERROR the API keys stay as they were: {keys}: holds no key")
            assert [status(http, "sk-1"), status(http, "sk-2")] == [401, 200]
            keys.unlink()
            reload(
                f"ERROR the TLS certificate stays as it was: {key}: is not the key of the certificate {cert}"
            )
            assert ssl.get_server_certificate(("127.0.0.1", port)) == new
        with httpx.Client(base_url=serving.url, verify=False) as http:
            assert [status(http, "sk-1"), status(http, "sk-2")] == [401, 200]
        assert serving.stop() == 0
    finally:
        serving.close()


def test_without_keys_an_open_address_is_warned_of(checkpoint: Path) -> None:
    for arguments, environment, said in (
        (("--host", "0.0.0.0"), {}, True),
        (("--host", "0.0.0.0"), {"WENDING_API_KEYS": "sk-1"}, False),
        ((), {}, False),
    ):
        serving = Serving(checkpoint, *arguments, **environment)
        serving.close()
        assert ("no API keys" in serving.output) == said


def test_two_servers_on_one_host(checkpoint: Path) -> None:
    """Started together, from one weight cache; one that is killed leaves the other alone."""
    processes = [start(checkpoint, "--port", "0", "--quant", "int8") for _ in range(2)]
    servers = [Serving.of(process) for process in processes]
    try:
        answers = []
        for _ in range(2):
            for server in servers:
                reply = httpx.post(server.url + "/v1/chat/completions", json=hello(), timeout=60).json()
                answers.append(reply["choices"][0]["message"]["content"])
            worker_of(servers[0]).kill()
        assert len(set(answers)) == 1
        assert servers[0].stop() == 0
        assert httpx.get(servers[1].url + "/health").json()["restarts_total"] == 0
    finally:
        for server in servers:
            server.close()
