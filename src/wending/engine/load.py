"""Builds an engine from a checkpoint folder: checks it, plans the memory, then loads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wending import demo
from wending.engine.available_memory import available_memory
from wending.engine.budget import MemoryBudget, NotEnoughMemory, plan_memory
from wending.engine.client import ModelInfo
from wending.engine.engine import Engine
from wending.engine.prompt_encoder import PromptEncoder
from wending.engine.thread_client import ThreadClient
from wending.model.chat_template import ChatTemplate
from wending.model.checkpoint import Checkpoint
from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.generation_config import GenerationConfig
from wending.model.kv_cache import KVCache
from wending.model.model import Model, Workspace
from wending.model.precision import PRECISIONS, Precision, Quant, check_quant, precision_of
from wending.model.threads import use_threads
from wending.model.tokenizer import Tokenizer

BLOCK_SIZE = 16
MAX_TOKENS_PER_STEP = 512
MAX_RUNNING = 64
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
    memory: int | None = None,
    max_context: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_budget: Callable[[MemoryBudget], None] | None = None,
) -> LoadedEngine:
    """Load the checkpoint folder `model`, or the bundled demonstration model.

    `quant`: how the weights are kept. "auto": as stored, or quantised where that would leave no room for a
    useful context. `memory` is the most bytes the engine may take, `max_context` the context to serve; see
    `plan_memory`.
    `threads`: how many compute (None: as many as there are processors). `on_budget` is told the plan before
    any of the memory is taken, `progress` the bytes of weights read so far and in all.

    Raises CheckpointError for a folder that cannot be used, NotEnoughMemory when it does not fit, and
    ValueError for a `max_context` that the model does not have or for fewer than one thread.
    """
    check_quant(quant)
    folder = demo.folder() if model is None else Path(model)
    config = ModelConfig.from_folder(folder)
    checkpoint = Checkpoint(folder, config)
    tokenizer = _tokenizer(folder, config)
    prompts = PromptEncoder(tokenizer, ChatTemplate.load(folder))
    generation_config = GenerationConfig.from_folder(folder)
    available = available_memory()

    def plan(precision: Precision) -> MemoryBudget:
        return plan_memory(
            precision=precision.name,
            weights=precision.weight_bytes(config),
            workspace=_workspace_bytes(config),
            kv_bytes_per_token=KVCache.bytes_per_token(config, precision.cache),
            model_context=config.max_context,
            block_size=BLOCK_SIZE,
            available=available,
            memory=memory,
            max_context=max_context,
        )

    wanted = precision_of(quant, checkpoint)
    budget = plan(wanted) if quant != "auto" else _plan_that_fits(plan, wanted)
    precision = PRECISIONS[budget.precision]
    if on_budget is not None:
        on_budget(budget)
    loaded = Model.load(folder, precision.name, progress)
    if threads is not None:
        use_threads(threads)
    num_blocks = budget.kv_tokens // BLOCK_SIZE
    engine = Engine(
        loaded,
        KVCache(config, num_blocks, BLOCK_SIZE, precision.cache),
        tokenizer,
        eos_token_ids=frozenset(config.eos_token_ids + generation_config.eos_token_ids),
        max_context=budget.max_context,
        num_blocks=num_blocks,
        block_size=BLOCK_SIZE,
        max_tokens_per_step=MAX_TOKENS_PER_STEP,
        max_running=MAX_RUNNING,
    )
    is_demo = folder.resolve() == demo.folder().resolve()
    info = ModelInfo(
        name=demo.NAME if is_demo else folder.resolve().name,
        max_context=budget.max_context,
        vocab_size=tokenizer.vocab_size,
        created=int(time.time()),
        is_demo=is_demo,
        precision=precision.name,
        generation_config=generation_config,
        instruction_set=loaded.instruction_set,
    )
    return LoadedEngine(engine, prompts, info, budget)


def load_client(
    model: str | Path | None = None,
    *,
    quant: Quant = "auto",
    memory: int | None = None,
    max_context: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_budget: Callable[[MemoryBudget], None] | None = None,
) -> ThreadClient:
    """The same as a client for asyncio, yet to be started. May run in any thread."""
    loaded = load_engine(
        model,
        quant=quant,
        memory=memory,
        max_context=max_context,
        threads=threads,
        progress=progress,
        on_budget=on_budget,
    )
    return ThreadClient(loaded.engine, loaded.prompts, loaded.info)


def _tokenizer(folder: Path, config: ModelConfig) -> Tokenizer:
    tokenizer = Tokenizer.load(folder)
    if tokenizer.vocab_size > config.vocab_size:
        raise CheckpointError(
            folder / "tokenizer.json",
            f"has {tokenizer.vocab_size} tokens, but config.json says vocab_size {config.vocab_size}",
        )
    return tokenizer


def _plan_that_fits(plan: Callable[[Precision], MemoryBudget], stored: Precision) -> MemoryBudget:
    """The weights as stored if they leave room for a useful context, else the finest that do.

    Where none does, the finest that fit at all. Raises NotEnoughMemory when not even 4 bits fit.
    """
    found: list[MemoryBudget] = []
    refusal: NotEnoughMemory | None = None
    for precision in (stored, PRECISIONS["int8"], PRECISIONS["int4"]):
        try:
            found.append(plan(precision))
        except NotEnoughMemory as error:
            refusal = error
            continue
        if found[-1].max_context >= min(found[-1].model_context, USEFUL_CONTEXT):
            return found[-1]
    if not found and refusal is not None:
        raise refusal
    return found[0]


def _workspace_bytes(config: ModelConfig) -> int:
    """What the largest step takes: its activations, and logits for every running sequence."""
    return 4 * (MAX_TOKENS_PER_STEP * Workspace.width(config) + MAX_RUNNING * config.vocab_size)
