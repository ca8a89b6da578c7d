"""A server that cannot start says why, in one line."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint
from tests.serve.serving import start

from wending.serve.main import run_server
from wending.serve.operations import Operations


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2", small_config())


@pytest.fixture
def failure(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a server that cannot start, in this process; the one line that it writes on standard error."""

    def run(
        model: Path | None,
        port: int = 0,
        memory: int | None = None,
        max_context: int | None = None,
        operations: Operations | None = None,
    ) -> str:
        assert (
            run_server(model, port=port, memory=memory, max_context=max_context, operations=operations) == 1
        )
        [line] = capfd.readouterr().err.splitlines()
        assert line.startswith("wending serve: ")
        return line

    return run


def test_port_in_use(failure: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1 is already in use" in failure(None, port=port)


def test_what_is_wrong_with_the_operator_s_files_is_said_before_loading(
    tmp_path: Path, failure: Callable[..., str]
) -> None:
    for operations, said in (
        (Operations(api_key_file=tmp_path / "nowhere"), "nowhere: cannot be read: No such file"),
        (Operations(tls_cert=tmp_path / "cert"), "--tls-key"),
        (Operations(max_requests_per_key=3), "--max-requests-per-key needs keys"),
    ):
        assert said in failure(None, operations=operations)


def test_no_such_folder(tmp_path: Path, failure: Callable[..., str]) -> None:
    line = failure(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in line
    assert "no such folder" in line


def test_failure_is_the_exit_code_of_the_process(tmp_path: Path) -> None:
    process = start(tmp_path / "nowhere")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1


def test_file_instead_of_a_folder(checkpoint: Path, failure: Callable[..., str]) -> None:
    assert "is neither a folder" in failure(checkpoint / "model.safetensors")


def test_gguf_file_that_is_none(tmp_path: Path, failure: Callable[..., str]) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGMLGGMLGGML")
    assert "model.gguf: begins with b'GGML'" in failure(tmp_path / "model.gguf")


def test_folder_without_a_checkpoint(tmp_path: Path, failure: Callable[..., str]) -> None:
    assert "config.json" in failure(tmp_path)


def test_config_that_is_not_json(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    (broken / "config.json").write_text("{")
    assert "config.json" in failure(broken)


def test_unsupported_architecture(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    config = json.loads((broken / "config.json").read_text()) | {"architectures": ["LlamaForCausalLM"]}
    (broken / "config.json").write_text(json.dumps(config))
    assert "LlamaForCausalLM" in failure(broken)


def test_truncated_weights(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert "model.safetensors" in failure(broken)


def test_weights_that_are_no_numbers(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(
        weights.read_bytes()[:-128] + b"\xc0\x7f" * 64
    )  # NaN in BF16: the norm before the logits
    assert "the first token could not be generated" in failure(broken)


def test_not_enough_memory(checkpoint: Path, failure: Callable[..., str]) -> None:
    line = failure(checkpoint, memory=1_000_000)
    assert "not enough memory" in line
    assert "MiB" in line


def test_context_that_the_model_does_not_have(checkpoint: Path, failure: Callable[..., str]) -> None:
    line = failure(checkpoint, max_context=20_000)
    assert "max_context must be 2 to 16384" in line
    assert "got 20000" in line
