"""Builds an engine from a checkpoint: checks it, plans the memory, then loads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from wending import demo
from wending.engine.available_memory import available_memory
from wending.engine.budget import MemoryBudget, NotEnoughMemory, plan_memory
from wending.engine.client import ModelInfo
from wending.engine.engine import Engine
from wending.engine.grammar.memory import grammar_bytes
from wending.engine.pacer import Pacer
from wending.engine.prompt_encoder import PromptEncoder
from wending.model.checkpoint import Checkpoint
from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.kv_cache import CACHE_DTYPES, KVCache, KVQuant, check_kv_quant
from wending.model.model import Model, Workspace
from wending.model.positions import config_for_context, describe_positions
from wending.model.precision import Precision, Quant, check_quant, precision_of
from wending.model.published import open_published
from wending.model.threads import size_thread_pool, threads_in_use
from wending.model.weight_cache import WeightCache

BLOCK_SIZE = 16
MAX_TOKENS_PER_STEP = 512
MAX_RUNNING = 64
ATTENTION_PARTS_BYTES = 8 << 20  # at most, see kernels/operations.cpp
DEFAULT_GAP_S = 0.25
"""Of a service: beside a long prompt, the streams that are running get a token this often."""
STEP_OF_GAPS = 4
"""A step of prompts alone may take so many times as long: nobody waits for a token, only for a turn."""
USEFUL_CONTEXT = 8192
"""Weights are rather quantised than the context made shorter than this, unless a precision was asked for."""


@dataclass(frozen=True, slots=True)
class LoadedEngine:
    """An engine with what belongs to its checkpoint."""

    engine: Engine
    prompts: PromptEncoder
    info: ModelInfo
    budget: MemoryBudget


def load_engine(
    model: str | Path | None = None,
    *,
    quant: Quant = "auto",
    kv_cache: KVQuant = "auto",
    memory: int | None = None,
    max_context: int | None = None,
    threads: int | None = None,
    cache: bool = True,
    speculate: bool = True,
    gap_s: float | None = None,
    request_bytes: int = 0,
    budget: MemoryBudget | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_budget: Callable[[MemoryBudget], None] | None = None,
) -> LoadedEngine:
    """Load the checkpoint folder or GGUF file `model`, or the bundled demonstration model.

    `quant`: how the weights are kept. "auto": as published, or quantised where that would leave no room for a
    useful context. `kv_cache`: how keys and values are kept; "auto": float32 beside float32 weights, else
    BF16. `memory` is the most bytes the engine may take, see `plan_memory`. `max_context`: the context to
    serve, in tokens, which also chooses between plain positions and YaRN, see `config_for_context`; None: the
    checkpoint's own, shortened if memory is short.
    `threads`: how many compute (None: as many as there are processors). `cache`: whether quantised weights
    are kept on the disk for the next start, or taken from there. `speculate`: whether tokens are guessed from
    the text where that saves time. `gap_s`: how long a step with prompts in it may take beside sequences that
    are decoding; None: as long as it takes. `request_bytes`: what the requests of a service may take while
    they wait; its two processes then belong to the budget as well. `budget`: that of an earlier load of this
    checkpoint with the same arguments, which is then carried out whatever memory is free now, so that the
    answers are the same. `on_budget` is told the plan before any of the memory is taken, `progress` the bytes
    of weights read so far and in all.

    Raises CheckpointError for a checkpoint that cannot be used, NotEnoughMemory when it does not fit,
    ContextNotAvailable for a `max_context` that the model does not have, and ValueError for fewer than one
    thread.
    """
    check_quant(quant)
    check_kv_quant(kv_cache)
    size_thread_pool(threads)
    path = checkpoint_path(model)
    published = open_published(path)
    config, tokenizer = config_for_context(published.checkpoint.config, max_context), published.tokenizer
    generation_config = published.generation_config
    prompts = PromptEncoder(tokenizer, published.chat_template)
    available = available_memory()
    # The service's process has the same libraries and the same tokenizer as this one.
    program = 2 * psutil.Process().memory_info().rss if request_bytes else 0
    yarn_factor = None if config.rope_scaling is None else config.rope_scaling.factor

    def plan(precision: Precision) -> MemoryBudget:
        return plan_memory(
            precision=precision.name,
            kv_precision=_kv_precision(kv_cache, precision),
            weights=precision.weight_bytes(config),
            workspace=_workspace_bytes(config),
            kv_bytes_per_token=KVCache.bytes_per_token(
                config, CACHE_DTYPES[_kv_precision(kv_cache, precision)]
            ),
            model_context=config.max_context,
            yarn_factor=yarn_factor,
            block_size=BLOCK_SIZE,
            available=available,
            memory=memory,
            max_context=max_context,
            grammars=grammar_bytes(tokenizer.vocab_size),
            program=program,
            requests=request_bytes,
        )

    precision = precision_of(quant, published.checkpoint)
    candidates = [precision]
    if quant == "auto":
        candidates += _narrower(precision, published.checkpoint)
    if budget is None:
        precision, budget = _plan_that_fits(plan, candidates)
    else:
        precision = _named(budget.precision, candidates, path)
    if on_budget is not None:
        on_budget(budget)
    loaded = Model.load(
        published.checkpoint,
        precision,
        progress,
        WeightCache.default() if cache else None,
        threads,
        max_context,
    )
    num_blocks = budget.kv_tokens // BLOCK_SIZE
    engine = Engine(
        loaded,
        KVCache(config, num_blocks, BLOCK_SIZE, CACHE_DTYPES[budget.kv_precision]),
        tokenizer,
        eos_token_ids=frozenset(config.eos_token_ids + generation_config.eos_token_ids),
        max_context=budget.max_context,
        num_blocks=num_blocks,
        block_size=BLOCK_SIZE,
        max_tokens_per_step=MAX_TOKENS_PER_STEP,
        max_running=MAX_RUNNING,
        speculate=speculate,
        pacer=Pacer(MAX_TOKENS_PER_STEP, gap_s, None if gap_s is None else STEP_OF_GAPS * gap_s),
    )
    is_demo = path.resolve() == demo.folder().resolve()
    info = ModelInfo(
        name=demo.NAME if is_demo else published.name,
        max_context=budget.max_context,
        vocab_size=tokenizer.vocab_size,
        created=int(time.time()),
        is_demo=is_demo,
        precision=precision.name,
        generation_config=generation_config,
        instruction_set=loaded.instruction_set,
        weights_from_cache=loaded.is_from_cache,
        kv_precision=budget.kv_precision,
        positions=describe_positions(config.max_context, yarn_factor),
    )
    return LoadedEngine(engine, prompts, info, budget)


def checkpoint_path(model: str | Path | None) -> Path:
    """Where the checkpoint lies; None: the bundled one."""
    return demo.folder() if model is None else Path(model)


def _narrower(precision: Precision, checkpoint: Checkpoint) -> list[Precision]:
    """What the weights may be quantised to where they take too much as they are, the finest first."""
    config = checkpoint.config
    found = [precision_of("int8", checkpoint), precision_of("int4", checkpoint)]
    return [each for each in found if each.weight_bytes(config) < precision.weight_bytes(config)]


def _kv_precision(kv_cache: KVQuant, weights: Precision) -> str:
    """The precision of the KV cache: the one asked for, or for "auto" the one that goes with the weights."""
    if kv_cache != "auto":
        return kv_cache
    return next(name for name, dtype in CACHE_DTYPES.items() if dtype == weights.cache)


def _named(name: str, precisions: list[Precision], path: Path) -> Precision:
    """The precision of an earlier load. Raises CheckpointError if the checkpoint cannot have it any more."""
    for precision in precisions:
        if precision.name == name:
            return precision
    raise CheckpointError(path, f"was loaded as {name} before, and now has {precisions[0].name}")


def _plan_that_fits(
    plan: Callable[[Precision], MemoryBudget], precisions: list[Precision]
) -> tuple[Precision, MemoryBudget]:
    """The first of the precisions, as published and then finest first, that leaves room for a useful context.

    Where none does, the first that fits at all. Raises NotEnoughMemory when not even the last fits.
    """
    found: list[tuple[Precision, MemoryBudget]] = []
    refusal: NotEnoughMemory | None = None
    for precision in precisions:
        try:
            budget = plan(precision)
        except NotEnoughMemory as error:
            refusal = error
            continue
        found.append((precision, budget))
        if budget.max_context >= min(budget.model_context, USEFUL_CONTEXT):
            return found[-1]
    if not found and refusal is not None:
        raise refusal
    return found[0]


def _workspace_bytes(config: ModelConfig) -> int:
    """What the largest step takes: its activations, logits for every running sequence, what each thread needs
    to sample them, and the parts of split attention."""
    sampling_threads = min(threads_in_use(), MAX_RUNNING)
    values = (
        MAX_TOKENS_PER_STEP * Workspace.width(config)
        + (MAX_RUNNING + 3 * sampling_threads) * config.vocab_size
    )
    return 4 * values + ATTENTION_PARTS_BYTES
