"""Types of the native extension; what each does is said in kernels/operations.h and sampling.h."""

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_Ids = NDArray[np.int32]

class Weight:
    @overload
    def __init__(
        self,
        outputs: int,
        inputs: int,
        precision: str,
        group: int = 64,
        offsets: bool = False,
        gated: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self,
        outputs: int,
        inputs: int,
        precision: str,
        group: int,
        offsets: bool,
        gated: bool,
        panels: NDArray[np.uint8],
    ) -> None: ...
    def fill(self, first: int, rows: NDArray[Any]) -> None: ...
    def fill_codes(
        self,
        first: int,
        codes: NDArray[np.uint8],
        scales: NDArray[np.float32],
        offsets: NDArray[np.float32] | None = None,
    ) -> None: ...
    @property
    def precision(self) -> str: ...
    @property
    def group(self) -> int: ...
    @property
    def offsets(self) -> bool: ...
    @property
    def gated(self) -> bool: ...
    @property
    def panels(self) -> NDArray[np.uint8]: ...
    @property
    def outputs(self) -> int: ...
    @property
    def inputs(self) -> int: ...
    @property
    def nbytes(self) -> int: ...

def checksum(bytes: NDArray[np.uint8]) -> int: ...
def weight_bytes(
    outputs: int,
    inputs: int,
    precision: str,
    group: int = 64,
    offsets: bool = False,
    gated: bool = False,
) -> int: ...

class Vector:
    def __init__(self, values: NDArray[np.float32]) -> None: ...
    @property
    def nbytes(self) -> int: ...

class Buffer:
    def __init__(self, width: int) -> None: ...
    def resize(self, rows: int) -> None: ...
    @property
    def rows(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def numpy(self) -> NDArray[np.float32]: ...

class KeyValueCache:
    def __init__(
        self, layers: int, blocks: int, block_size: int, kv_heads: int, head_dim: int, precision: str
    ) -> None: ...
    @property
    def nbytes(self) -> int: ...

class Batch:
    def __init__(
        self,
        cache: KeyValueCache,
        token_ids: _Ids,
        positions: _Ids,
        slots: _Ids,
        sequence_rows: _Ids,
        block_tables: _Ids,
        logit_rows: _Ids,
    ) -> None: ...
    @property
    def tokens(self) -> int: ...

def embed(table: Weight, batch: Batch, out: Buffer) -> None: ...
def rotary(
    batch: Batch, inverse_frequencies: Vector, factor: float, cosine: Buffer, sine: Buffer
) -> None: ...
def rms_norm(x: Buffer, weight: Vector, epsilon: float, out: Buffer) -> None: ...
def linear(
    x: Buffer,
    weight: Weight,
    bias: Vector | None,
    residual: Buffer | None,
    out: Buffer,
    next: Weight | None = None,
) -> None: ...
def rope_and_cache(
    qkv: Buffer, cosine: Buffer, sine: Buffer, batch: Batch, cache: KeyValueCache, layer: int
) -> None: ...
def attention(qkv: Buffer, batch: Batch, cache: KeyValueCache, layer: int, out: Buffer) -> None: ...
def select_logit_rows(x: Buffer, batch: Batch, out: Buffer) -> None: ...

class RowSampler:
    def __init__(
        self,
        inverse_temperature: float,
        top_k: int,
        min_p: float,
        top_p: float,
        repetition_penalty: float,
        presence_penalty: float,
        frequency_penalty: float,
        bias_ids: _Ids,
        biases: NDArray[np.float32],
        num_logprobs: int,
        prompt_token_ids: _Ids,
    ) -> None: ...
    def observe(self, token_id: int) -> None: ...

class SampledRow:
    @property
    def token_id(self) -> int: ...
    @property
    def non_finite(self) -> int: ...
    @property
    def all_forbidden(self) -> bool: ...
    @property
    def logprob(self) -> float: ...
    @property
    def top(self) -> list[tuple[int, float]]: ...

def sample(
    logits: NDArray[np.float32],
    vocab_size: int,
    samplers: list[RowSampler],
    numbers: list[float],
    allowed: NDArray[np.uint32] | None = None,
) -> list[SampledRow]: ...
def instruction_set() -> str: ...
def use_instruction_set(name: str) -> None: ...
def available_instruction_sets() -> list[str]: ...
def peak_operations(precision: str) -> float: ...
def threads() -> int: ...
def set_threads(threads: int) -> None: ...
