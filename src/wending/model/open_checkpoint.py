"""Opens the weights of a model, whatever they were published as: a folder of safetensors, or a GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wending.model.awq import AwqPacking
from wending.model.checkpoint import Checkpoint
from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.folder_checkpoint import OLD_CONFIG_FILE, FolderCheckpoint, Packing
from wending.model.gguf_checkpoint import GgufCheckpoint
from wending.model.gptq import GptqPacking
from wending.model.json_file import read_json_object

GGUF_SUFFIX = ".gguf"


def is_gguf(path: Path) -> bool:
    """Whether a path names a GGUF file rather than a checkpoint folder."""
    return path.suffix.lower() == GGUF_SUFFIX and not path.is_dir()


def open_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in the folder or GGUF file `path`. Raises CheckpointError if it is not a sound one."""
    if is_gguf(path):
        return GgufCheckpoint(path)
    config = ModelConfig.from_folder(path)
    return FolderCheckpoint(path, config, _packing(path))


def _packing(folder: Path) -> Packing | None:
    """How config.json says that the weights are quantised; older packers wrote quantize_config.json."""
    path = folder / "config.json"
    values = read_json_object(path).get("quantization_config")
    if values is None:
        path = folder / OLD_CONFIG_FILE
        values = {"quant_method": "gptq"} | read_json_object(path) if path.exists() else None
    if values is None:
        return None
    method = values.get("quant_method") if isinstance(values, dict) else values
    packings: dict[Any, type[GptqPacking] | type[AwqPacking]] = {"gptq": GptqPacking, "awq": AwqPacking}
    if method not in packings:
        raise CheckpointError(
            path, f"quantized weights ({method}) are not supported; supported: gptq, awq, and BF16, F16, F32"
        )
    return packings[method](path, values)
