"""`wending serve --upstream` as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.serve.guard.requests import GOOD, person
from tests.serve.guard.scripted_upstream import ScriptedUpstream, completion
from tests.serve.serving import ENVIRONMENT, read_until

from wending.serve.guard.guard_service import GuardSettings
from wending.serve.guard.main import run_guard


def start(*arguments: str, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """A guard that is ready, and what it has written."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wending", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | environment,
    )
    assert process.stdout is not None
    return process, read_until(process.stdout, r"Serving|已就绪：")


def test_serves_with_the_key_of_the_environment_and_ends_well(upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("no"), completion(GOOD)]
    process, output = start("--upstream", upstream.url, "--guard-tries", "2", OPENAI_API_KEY="from-outside")
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", output)
        assert found is not None
        answer = httpx.post(found[0] + "/v1/chat/completions", json=person()).json()
        assert answer["choices"][0]["message"]["content"] == GOOD
        assert set(upstream.authorization) == {"Bearer from-outside"}
        assert "from-outside" not in output
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        [line] = process.stderr.read().splitlines()
        assert "path=/v1/chat/completions status=200" in line
        assert "from-outside" not in line
    finally:
        process.kill()
        process.communicate()


def test_sighup_reads_the_keys_again(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("sk-1")
    process, output = start("--upstream", upstream.url, "--api-key-file", str(keys))
    try:
        url = re.findall(r"http://127\.0\.0\.1:\d+", output)[-1] + "/v1/models"
        keys.write_text("sk-2")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        read_until(process.stderr, "API keys read again")
        statuses = [
            httpx.get(url, headers={"Authorization": f"Bearer {key}"}).status_code for key in ("sk-1", "sk-2")
        ]
        assert statuses[0] == 401
        assert statuses[1] != 401
    finally:
        process.kill()
        process.communicate()


def test_an_upstream_that_is_not_there_yet_is_said_in_chinese_too() -> None:
    process, output = start("--upstream", "http://127.0.0.1:1", LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    process.communicate()
    assert "上游尚未就绪" in output
    assert "http://127.0.0.1:1/v1 已就绪" in output


@pytest.mark.parametrize(
    ("url", "key_env", "said"),
    [
        ("localhost:8000", None, "'localhost:8000' is not the URL of an endpoint"),
        ("http://127.0.0.1:1", "NO_SUCH_KEY", "NO_SUCH_KEY, which is not set"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    url: str, key_env: str | None, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_guard(url, port=0, settings=GuardSettings(), key_env=key_env) == 1
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("wending serve: ")
    assert said in line
