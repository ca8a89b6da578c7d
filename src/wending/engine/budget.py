"""Plans the memory of an engine before any of it is taken, and says so in numbers.

Four parts: the weights, the workspace of one step, and what grammars take from the first constrained answer
on, which are given; and the KV cache, which is sized to what is useful and fits.
"""

from __future__ import annotations

from dataclasses import dataclass

from wending.engine.errors import NotEnoughMemory
from wending.model.positions import describe_positions

__all__ = ["MemoryBudget", "NotEnoughMemory", "format_bytes", "plan_memory"]

CONTEXTS_KEPT = 4
"""The KV cache need not hold more than this many sequences of full length."""
SHARE_OF_FREE_MEMORY = 0.5
"""Of the free memory that weights and workspace leave, the KV cache takes at most this share unasked."""
SMALLEST_CONTEXT = 1024
"""A context shortened for want of memory below this serves nobody: refuse instead."""


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """What an engine will take. All sizes in bytes."""

    precision: str
    """How the weights are kept: bf16, f32, int8, int4, or as they were published."""
    kv_precision: str
    """Of the KV cache: bf16, f32 or int8."""
    weights: int
    kv_cache: int
    workspace: int
    kv_tokens: int
    """Tokens whose K/V the cache holds, over all sequences."""
    max_context: int
    """Tokens one sequence may have: the model's own limit, or less where the KV cache is smaller."""
    model_context: int
    """The model's own limit."""
    yarn_factor: float | None
    """How far YaRN stretches the positions; None: they are plain."""
    limit: int
    """What the engine may take: the free memory, or less if it was told so."""
    grammars: int = 0
    """What they take from the first constrained request on; see grammar/memory.py."""
    program: int = 0
    """Of a service: its two processes and their libraries."""
    requests: int = 0
    """Of a service: what the most requests that it takes at once need while they wait."""

    @property
    def total(self) -> int:
        """All parts together."""
        engine = self.weights + self.kv_cache + self.workspace + self.grammars
        return engine + self.program + self.requests

    def lines(self, language: str = "en") -> list[str]:
        """The budget as lines of text for the start of a program, in English or Chinese ("zh")."""
        if language == "zh":
            shortened = (
                "" if self.max_context == self.model_context else f"（模型支持 {self.model_context:,}）"
            )
            return [
                f"内存预算 {format_bytes(self.total)}，上限 {format_bytes(self.limit)}：",
                f"  权重     {format_bytes(self.weights):>10}  {self.precision}",
                f"  KV 缓存  {format_bytes(self.kv_cache):>10}  "
                f"{self.kv_precision}，{self.kv_tokens:,} 个词元",
                f"  工作区   {format_bytes(self.workspace):>10}",
                f"  语法     {format_bytes(self.grammars):>10}  首个受约束的回答起占用",
                *([f"  程序     {format_bytes(self.program):>10}  两个进程"] if self.program else []),
                *([f"  请求队列 {format_bytes(self.requests):>10}"] if self.requests else []),
                f"  上下文   {self.max_context:,} 个词元{shortened}",
                f"  位置编码 {describe_positions(self.model_context, self.yarn_factor, language)}",
            ]
        shortened = (
            "" if self.max_context == self.model_context else f" (the model has {self.model_context:,})"
        )
        return [
            f"Memory budget {format_bytes(self.total)} of at most {format_bytes(self.limit)}:",
            f"  weights    {format_bytes(self.weights):>10}  {self.precision}",
            f"  KV cache   {format_bytes(self.kv_cache):>10}  {self.kv_precision}, {self.kv_tokens:,} tokens",
            f"  workspace  {format_bytes(self.workspace):>10}",
            f"  grammars   {format_bytes(self.grammars):>10}  from the first constrained answer on",
            *([f"  program    {format_bytes(self.program):>10}  two processes"] if self.program else []),
            *([f"  requests   {format_bytes(self.requests):>10}  waiting"] if self.requests else []),
            f"  context    {self.max_context:,} tokens{shortened}",
            f"  positions  {describe_positions(self.model_context, self.yarn_factor)}",
        ]


def plan_memory(
    *,
    precision: str = "bf16",
    kv_precision: str = "bf16",
    weights: int,
    workspace: int,
    kv_bytes_per_token: int,
    model_context: int,
    yarn_factor: float | None = None,
    block_size: int,
    available: int,
    memory: int | None = None,
    max_context: int | None = None,
    grammars: int = 0,
    program: int = 0,
    requests: int = 0,
) -> MemoryBudget:
    """Size the KV cache and with it the context.

    `memory` is the most the engine may take, in bytes; None: what `available` allows, with a share left to
    others. `max_context` asks for a context of that many tokens, at most `model_context`; None: the model's
    own, shortened if memory is short. The cache then holds up to four such contexts. Raises NotEnoughMemory
    when what was asked for does not fit.
    """
    available += program  # which is there already
    limit = available if memory is None else min(memory, available)
    fixed = weights + workspace + grammars + program + requests
    context = model_context if max_context is None else max_context
    least = min(context, SMALLEST_CONTEXT) if max_context is None else context
    blocks_wanted = -(-CONTEXTS_KEPT * context // block_size)
    blocks_that_fit = max(limit - fixed, 0) // (kv_bytes_per_token * block_size)
    if memory is None:
        blocks_kept = max(int(blocks_that_fit * SHARE_OF_FREE_MEMORY), -(-least // block_size))
        blocks_that_fit = min(blocks_that_fit, blocks_kept)
    num_blocks = min(blocks_wanted, blocks_that_fit)
    kv_tokens = num_blocks * block_size
    if kv_tokens < least:
        raise NotEnoughMemory(
            f"not enough memory: weights {format_bytes(weights)}, workspace {format_bytes(workspace)}, "
            + f"grammars {format_bytes(grammars)}, "
            + (f"program and requests {format_bytes(program + requests)}, " if program or requests else "")
            + "and a "
            f"KV cache of {least:,} tokens ({format_bytes(least * kv_bytes_per_token)}) at the least; "
            f"free {format_bytes(available)}"
            + ("" if memory is None else f", allowed {format_bytes(memory)}")
        )
    return MemoryBudget(
        precision=precision,
        kv_precision=kv_precision,
        weights=weights,
        kv_cache=num_blocks * block_size * kv_bytes_per_token,
        workspace=workspace,
        kv_tokens=kv_tokens,
        max_context=min(context, kv_tokens),
        model_context=model_context,
        yarn_factor=yarn_factor,
        limit=limit,
        grammars=grammars,
        program=program,
        requests=requests,
    )


def format_bytes(count: int) -> str:
    """A size for people: "1.2 GiB", "345.0 MiB"."""
    if count >= 2**30:
        return f"{count / 2**30:.1f} GiB"
    return f"{count / 2**20:.1f} MiB"
