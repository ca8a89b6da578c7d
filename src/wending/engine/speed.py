"""How fast an engine is on this machine: prompts and decoding for several batch sizes, against the limits.

Goes through the whole engine (scheduler, forward pass, sampler, detokeniser) with random token ids, greedily
and past the end of text. The engine must not guess tokens: a step counts as one token for each sequence.
Knows nothing of how results are shown.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wending.engine.engine import Engine
from wending.engine.errors import InvalidRequest
from wending.engine.sampling_params import SamplingParams
from wending.model.checkpoint import EMBEDDING, tensor_shapes
from wending.model.kv_cache import KVCache


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the machine, measured in the same run."""

    bytes_per_s: float
    """Reading weights from memory."""
    operations_per_s: float
    """Multiplying on registers, in the arithmetic of these weights. A multiplication and an addition are
    two."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one figure over the repeats."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class BatchSpeed:
    """What was measured with one batch size. Rates count all sequences together."""

    batch: int
    prompt_tokens_per_s: Spread
    ttft_s: Spread
    """From the arrival of all prompts to a sequence's first token: the median over the sequences."""
    decode_tokens_per_s: Spread
    step_s: Spread
    """One step of decoding: a token for each sequence."""
    bytes_per_s: float
    """Weights and KV cache read by decoding, at the median."""
    operations_per_s: float
    """Of the matrix products of decoding, at the median."""
    share_of_limit: float
    """The time that the tighter limit allows a step, over the time it took."""
    limited_by: str
    """That limit: "memory" or "compute"."""


def needed_tokens(engine: Engine, batch: int, prompt: int, tokens: int) -> int:
    """Context that each of `batch` sequences needs: the first ones decode while the last prompts are read."""
    return prompt + tokens + math.ceil(batch * prompt / engine.scheduler.max_tokens_per_step)


def check_fits(engine: Engine, batch: int, prompt: int, tokens: int) -> None:
    """InvalidRequest, with the numbers, if the engine cannot run this batch all at once."""
    needed, scheduler = needed_tokens(engine, batch, prompt, tokens), engine.scheduler
    if needed > engine.max_context:
        raise InvalidRequest(
            "prompt", f"{prompt} and {tokens} tokens in a batch of {batch} need a context of {needed}; "
            f"there is one of {engine.max_context}"
        )  # fmt: skip
    if batch > scheduler.max_running:
        raise InvalidRequest("batch", f"{batch} sequences; at most {scheduler.max_running} run at once")
    blocks = scheduler.block_manager
    if batch * blocks.blocks_for(needed) > blocks.num_blocks:
        raise InvalidRequest(
            "batch",
            f"{batch} sequences of {needed} tokens; the KV cache holds "
            f"{blocks.num_blocks * blocks.block_size} tokens in all",
        )


def measure(engine: Engine, batch: int, prompt: int, tokens: int, repeats: int, limits: Limits) -> BatchSpeed:
    """The speed with `batch` sequences at once. Raises InvalidRequest as `check_fits` does."""
    check_fits(engine, batch, prompt, tokens)
    _run(engine, batch, min(prompt, 16), 2, [batch, repeats])  # the first touch of memory is not measured
    runs = [_run(engine, batch, prompt, tokens, [batch, repeat]) for repeat in range(repeats)]
    steps = [step for _, _, step in runs]
    step_s = statistics.median(steps)
    read = _bytes_per_step(engine, batch, prompt + tokens / 2)
    operations = batch * _operations_per_token(engine)
    memory_s, compute_s = read / limits.bytes_per_s, operations / limits.operations_per_s
    return BatchSpeed(
        batch=batch,
        prompt_tokens_per_s=_spread([batch * prompt / seconds for seconds, _, _ in runs]),
        ttft_s=_spread([first for _, first, _ in runs]),
        decode_tokens_per_s=_spread([batch / step for step in steps]),
        step_s=_spread(steps),
        bytes_per_s=read / step_s,
        operations_per_s=operations / step_s,
        share_of_limit=max(memory_s, compute_s) / step_s,
        limited_by="memory" if memory_s >= compute_s else "compute",
    )


def _run(engine: Engine, batch: int, prompt: int, tokens: int, seed: list[int]) -> tuple[float, float, float]:
    """Seconds until all prompts are read, median seconds to a first token, and seconds of a decoding step."""
    numbers = np.random.default_rng(seed)
    params = SamplingParams(
        temperature=0, max_tokens=needed_tokens(engine, batch, prompt, tokens) - prompt, ignore_eos=True
    )
    names = [f"speed {index}" for index in range(batch)]
    start = time.perf_counter()
    try:
        for name in names:
            ids = numbers.integers(0, engine.tokenizer.vocab_size, prompt).tolist()
            engine.add_request(name, ids, params)
        first: dict[str, float] = {}
        while len(first) < batch:
            outputs = engine.step()
            now = time.perf_counter() - start
            for name, delta in outputs:
                if delta.finish_reason == "error":
                    raise RuntimeError(delta.error)
                first.setdefault(name, now)
        decoding = time.perf_counter()
        steps = max(tokens - 1, 1)
        for _ in range(steps):
            engine.step()
        step_s = (time.perf_counter() - decoding) / steps
    finally:
        for name in names:
            engine.abort_request(name)
    return max(first.values()), statistics.median(first.values()), step_s


def _bytes_per_step(engine: Engine, batch: int, context: float) -> float:
    """Weights and KV cache that one step of decoding reads. Of an embedding that is not the head only rows
    are."""
    model = engine.model
    weights = model.weight_bytes
    if not model.config.tie_word_embeddings:
        rows, inputs = tensor_shapes(model.config)[EMBEDDING]
        weights -= model.precision.of(EMBEDDING).nbytes(rows, inputs)
    return weights + batch * context * KVCache.bytes_per_token(model.config, model.precision.cache)


def _operations_per_token(engine: Engine) -> int:
    """Of the matrix products of a token that is decoded; attention comes on top."""
    config = engine.model.config
    matrices = {name: shape for name, shape in tensor_shapes(config).items() if len(shape) == 2}
    values = sum(math.prod(shape) for shape in matrices.values())
    if not config.tie_word_embeddings:
        values -= math.prod(matrices[EMBEDDING])
    return 2 * values


def _spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))
