"""The tensors of a checkpoint folder, in one safetensors file or in many with an index.

It knows which tensors a Qwen2 model has, and of which shape; anything else is refused. Where a matrix was
quantised, several tensors stand for it: which, and what they mean, a `Packing` knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wending.model.checkpoint import ALL_ROWS, EMBEDDING, OUTPUT_HEAD, Checkpoint, listed, tensor_shapes
from wending.model.codes import Codes
from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.json_file import read_json_object
from wending.model.safetensors_file import SafetensorsFile
from wending.model.weight_format import BF16, F32, Format

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
OLD_CONFIG_FILE = "quantize_config.json"  # of older GPTQ packers
# Old conversions stored the rotary frequencies, which follow from the configuration and are computed from it.
IGNORED = re.compile(r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq")
# Packers gave every linear layer a bias; where the model has none it must be zero.
PACKED_BIAS = re.compile(r"(model\.layers\.\d+\.(self_attn\.o|mlp\.(gate|up|down))_proj|lm_head)\.bias")
VALUES_AT_ONCE = 1 << 23  # when two matrices are compared, so that neither is in memory whole
FLOATS = ("bfloat16", "float16", "float32")

Parts = Mapping[str, NDArray[Any]]
"""The tensors that stand for one matrix, by the last part of their names: qweight, qzeros, scales, g_idx."""


class Packing(Protocol):
    """How a matrix was packed into several tensors; `name` is what `Checkpoint.published` will say."""

    name: str

    def shapes(self, outputs: int, inputs: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """dtype ("float" for any of them) and shape of each part that stands for a matrix."""

    optional: tuple[str, ...]
    """Parts that may be missing."""

    def format(self, parts: Parts, /) -> Format:
        """The format to keep the matrix in. Raises ValueError where the parts contradict each other."""

    def codes(self, parts: Parts, rows: slice) -> Codes:
        """Rows of the matrix; `rows` begins and ends at multiples of 8."""


class FolderCheckpoint(Checkpoint):
    """The tensors of a Qwen2 checkpoint; all of them are checked for presence and shape on opening.

    Raises CheckpointError that names the file or the tensors at fault.
    """

    def __init__(self, folder: Path, config: ModelConfig, packing: Packing | None = None) -> None:
        self.path, self.config = folder, config
        self._packing = packing
        self._file_of: dict[str, SafetensorsFile] = {}
        for file, names in _open_files(folder):
            for name in names:
                self._file_of[name] = file
        self._parts: dict[str, list[str]] = {}
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {}
        for name, shape in tensor_shapes(config).items():
            shapes |= self._expected(name, shape)
        self._check_names(shapes)
        for name, (dtype, wanted) in shapes.items():
            self._check_tensor(name, dtype, wanted)
        if packing is not None and self._parts:
            self.published = packing.name

    def dtype(self, name: str) -> str:
        parts = self._parts.get(name)
        return self._file_of[parts[0] if parts else name].dtype(parts[0] if parts else name)

    def tensor(self, name: str, rows: slice = ALL_ROWS) -> NDArray[Any]:
        codes = self.codes(name, rows)
        if codes is not None:
            return codes.values()
        values = self._file_of[name].tensor(name)[rows]
        return values.astype(np.float32) if values.dtype == np.float16 else values

    def tensor_bytes(self, name: str) -> int:
        return sum(self._file_of[part].tensor(part).nbytes for part in self._parts.get(name, [name]))

    def format(self, name: str) -> Format:
        if self._packing is not None and name in self._parts:
            try:
                return self._packing.format(self._read_parts(name))
            except ValueError as error:
                raise CheckpointError(self.path, f"tensor {name}: {error}") from error
        # What was left alone beside quantised matrices is F16 where it was BF16 before: BF16 holds it again.
        return F32 if self.dtype(name) == "float32" or not self._parts else BF16

    def codes(self, name: str, rows: slice = ALL_ROWS) -> Codes | None:
        if self._packing is None or name not in self._parts:
            return None
        try:
            return self._packing.codes(self._read_parts(name), rows)
        except ValueError as error:
            raise CheckpointError(self.path, f"tensor {name}: {error}") from error

    @property
    def files(self) -> list[Path]:
        configs = [path for path in (self.path / "config.json", self.path / OLD_CONFIG_FILE) if path.exists()]
        return [*configs, *sorted({file.path for file in self._file_of.values()})]

    def release(self, name: str) -> None:
        for part in self._parts.get(name, [name]):
            self._file_of[part].release(part)

    def _read_parts(self, name: str) -> Parts:
        return {part.rpartition(".")[2]: self._file_of[part].tensor(part) for part in self._parts[name]}

    def _expected(self, name: str, shape: tuple[int, ...]) -> dict[str, tuple[str, tuple[int, ...]]]:
        """dtype and shape of the tensors that stand for a tensor of the model: itself, or its parts."""
        stem = name.removesuffix("weight")
        if self._packing is None or len(shape) != 2 or stem + "qweight" not in self._file_of:
            return {name: ("float", shape)}
        parts = {stem + part: wanted for part, wanted in self._packing.shapes(*shape).items()}
        for part in self._packing.optional:
            if stem + part not in self._file_of:
                parts.pop(stem + part, None)
        self._parts[name] = list(parts)
        return parts

    def _check_names(self, shapes: Mapping[str, Any]) -> None:
        found = {name for name in self._file_of if not IGNORED.fullmatch(name)}
        if self.config.tie_word_embeddings and OUTPUT_HEAD in found:
            self._check_tied_head()
            found.discard(OUTPUT_HEAD)
        found -= {name for name in found if self._packing is not None and self._is_zero_bias(name)}
        missing, extra = sorted(shapes.keys() - found), sorted(found - shapes.keys())
        if missing:
            raise CheckpointError(self.path, f"misses {listed(missing)}; supported: Qwen2ForCausalLM")
        if extra:
            raise CheckpointError(self.path, f"has {listed(extra)} that a Qwen2ForCausalLM does not have")

    def _check_tensor(self, name: str, dtype: str, shape: tuple[int, ...]) -> None:
        file = self._file_of[name]
        if file.shape(name) != shape:
            message = f"tensor {name} has shape {list(file.shape(name))}, config.json asks for {list(shape)}"
            raise CheckpointError(file.path, message)
        if file.dtype(name) not in (FLOATS if dtype == "float" else (dtype,)):
            supported = "BF16, F16, F32" if dtype == "float" else dtype
            message = f"tensor {name} is of type {file.dtype(name)}; supported: {supported}"
            raise CheckpointError(file.path, message)

    def _is_zero_bias(self, name: str) -> bool:
        return PACKED_BIAS.fullmatch(name) is not None and not self._file_of[name].tensor(name).any()

    def _check_tied_head(self) -> None:
        """A stored head beside tied embeddings is harmless if it is the same matrix, else a contradiction."""
        if EMBEDDING not in self._file_of or not self._are_equal(OUTPUT_HEAD, EMBEDDING):
            raise CheckpointError(
                self._file_of[OUTPUT_HEAD].path,
                f"{OUTPUT_HEAD} differs from {EMBEDDING}, but config.json says tie_word_embeddings",
            )

    def _are_equal(self, name: str, other: str) -> bool:
        shape = self._file_of[name].shape(name)
        if shape != self._file_of[other].shape(other) or len(shape) != 2:
            return False
        step = max(VALUES_AT_ONCE // max(shape[1], 1), 1)
        for first in range(0, shape[0], step):
            rows = slice(first, first + step)
            if not np.array_equal(self.tensor(name, rows), self.tensor(other, rows)):
                return False
            self.release(name)
            self.release(other)
        return True


def _open_files(folder: Path) -> Iterable[tuple[SafetensorsFile, list[str]]]:
    """Each weight file with the names of its tensors."""
    index_path = folder / INDEX_FILE
    if not index_path.exists():
        if not (folder / SINGLE_FILE).exists():
            raise CheckpointError(
                folder, f"has neither {SINGLE_FILE} nor {INDEX_FILE}; supported: safetensors"
            )
        file = SafetensorsFile(folder / SINGLE_FILE)
        yield file, file.names
        return
    weight_map = read_json_object(index_path).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise CheckpointError(index_path, "weight_map must be an object of tensor names and file names")
    for file_name in sorted(set(weight_map.values())):
        if Path(file_name).name != file_name:
            raise CheckpointError(index_path, f"names the file {file_name!r}, which is outside the folder")
        file = SafetensorsFile(folder / file_name)
        promised = {name for name, holder in weight_map.items() if holder == file_name}
        if promised != set(file.names):
            differing = sorted(promised ^ set(file.names))
            raise CheckpointError(file.path, f"disagrees with {INDEX_FILE} about {listed(differing)}")
        yield file, file.names
