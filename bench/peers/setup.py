"""Environments and models of the comparison. What an interrupted set-up left unfinished is made again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.peers.engines import HERE, INSTALL_SETTINGS, INSTALLS, OWN_ENVIRONMENT, REMOVALS, TORCH, EngineSpec
from tests.random_checkpoint import small_config, write_random_checkpoint

# The published shapes (config.json of Qwen2.5-0.5B and 7B).
SHAPES: dict[str, dict[str, Any]] = {
    "0.5b": {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
    "7b": {
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
    },
}
ROPE = {"rope_theta": 1e6, "max_position_embeddings": 32768, "bos_token_id": 151643, "eos_token_id": 151645}
OPENVINO_FORMATS = {
    "openvino-int8": ["--weight-format", "int8"],
    "openvino-int4": ["--weight-format", "int4", "--group-size", "64"],
}
UNFINISHED = "unfinished"


def config_of(shape: str) -> dict[str, Any]:
    return small_config(**SHAPES[shape], **ROPE)


def _run(command: Iterable[str | Path], log: Path, **environment: str) -> None:
    """Raises CalledProcessError; what the command prints goes to the log."""
    with log.open("ab") as output:
        subprocess.run(
            [os.fspath(part) for part in command],
            check=True,
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
        )


def make_environment(root: Path, name: str) -> None:
    """An environment of its own with what INSTALLS says."""
    folder, log = root / "environments" / name, root / "logs" / f"install-{name}.log"
    done = folder / "installed.json"
    recipe = [INSTALLS[name], REMOVALS.get(name, [])]
    if done.exists() and json.loads(done.read_text()) == recipe:
        return
    print(f"installing {' '.join(INSTALLS[name])} ({log})", flush=True)
    constraints = root / "constraints.txt"
    constraints.write_text(TORCH + "\n")
    if not (folder / "bin/python").exists():
        _run([sys.executable, "-m", "venv", folder], log)
    pip = [folder / "bin/python", "-m", "pip"]
    _run([*pip, "install", "-c", constraints, *INSTALLS[name]], log, **INSTALL_SETTINGS.get(name, {}))
    if name in REMOVALS:
        _run([*pip, "uninstall", "-y", *REMOVALS[name]], log)
    done.write_text(json.dumps(recipe))


def make_model(root: Path, shape: str, model: str, tokenizer: Path | None) -> None:
    """`model` as named in an EngineSpec, with all that it is made from."""
    folder = root / "models" / shape
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / model
    if made.exists() and not (made / UNFINISHED).exists():
        return
    print(f"making {made}", flush=True)
    log = root / "logs" / f"make-{shape}-{model}.log"
    gguf = [root / "environments/llama_cpp/bin/python", HERE / "gguf_model.py"]
    if model == "checkpoint":
        made.mkdir(exist_ok=True)
        (made / UNFINISHED).touch()
        write_random_checkpoint(made, config_of(shape), 0, "bfloat16", tokenizer)
        (made / UNFINISHED).unlink()
    elif model in OPENVINO_FORMATS:
        make_model(root, shape, "checkpoint", tokenizer)
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        (made / UNFINISHED).touch()
        optimum = root / "environments/openvino_export/bin/optimum-cli"
        task = ["--task", "text-generation-with-past", *OPENVINO_FORMATS[model]]
        _run(
            [optimum, "export", "openvino", "-m", folder / "checkpoint", *task, made], log, HF_HUB_OFFLINE="1"
        )
        (made / UNFINISHED).unlink()
    elif shape == "7b":
        config = folder / "config.json"
        config.write_text(json.dumps(config_of(shape)))
        if tokenizer is not None:
            shutil.copyfile(tokenizer / "tokenizer.json", folder / "tokenizer.json")
        _run([*gguf, "random", config, made, made.stem], log)
    elif model == "bf16.gguf":
        make_model(root, shape, "checkpoint", tokenizer)
        _run([*gguf, "convert", folder / "checkpoint", made], log)
    else:
        make_model(root, shape, "bf16.gguf", tokenizer)
        _run([*gguf, "quantise", folder / "bf16.gguf", made, made.stem], log)


def set_up(root: Path, shape: str, engines: Iterable[EngineSpec], tokenizer: Path | None) -> None:
    """Everything that `engines` need, and how much room it takes."""
    engines = list(engines)
    (root / "logs").mkdir(parents=True, exist_ok=True)
    (root / "environments").mkdir(exist_ok=True)
    names = [spec.environment or OWN_ENVIRONMENT for spec in engines]
    if "openvino" in names and shape != "7b":
        names.append("openvino_export")
    for name in dict.fromkeys(names):
        make_environment(root, name)
        print(f"  {name}: {folder_bytes(root / 'environments' / name) / 1e6:,.0f} MB installed")
    for model in dict.fromkeys(spec.model for spec in engines):
        make_model(root, shape, model, tokenizer)
        print(f"  {model}: {folder_bytes(root / 'models' / shape / model) / 1e6:,.0f} MB")


def folder_bytes(path: Path) -> int:
    """What a file, or all files under a folder, take on the disk. A file linked twice counts once."""
    if not path.exists():
        return 0
    files = [path] if path.is_file() else path.rglob("*")
    found = {(stat.st_dev, stat.st_ino): stat.st_blocks * 512 for stat in (file.lstat() for file in files)}
    return sum(found.values())
