"""The Qwen2 decoder: its weights, and the forward pass over the native operations.

The forward pass only names operations and the order they come in. What an operation is, where weights and
activations live and which processor does the work is the business of `ops`. The architecture: RMSNorm, rotary
positions, grouped-query attention with bias on Q, K and V, SwiGLU; see https://arxiv.org/abs/2407.10671.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wending import _kernels as ops
from wending.model.batch import ForwardBatch
from wending.model.checkpoint import EMBEDDING, OUTPUT_HEAD, Checkpoint, tensor_shapes, widened
from wending.model.config import ModelConfig
from wending.model.fill import fill
from wending.model.kv_cache import KVCache
from wending.model.open_checkpoint import open_checkpoint
from wending.model.packed_file import PackedFile
from wending.model.positions import config_for_context
from wending.model.precision import Precision, Quant, check_quant, precision_of
from wending.model.rope import attention_factor, inverse_frequencies
from wending.model.threads import size_thread_pool
from wending.model.weight_cache import EntryWriter, WeightCache

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Layer:
    """The weights of one decoder layer. Q, K and V are one matrix, and so are gate and up."""

    input_norm: ops.Vector
    qkv: ops.Weight
    qkv_bias: ops.Vector
    attention_output: ops.Weight
    post_attention_norm: ops.Vector
    gate_up: ops.Weight
    down: ops.Weight


class Workspace:
    """The activations of one forward pass, kept between passes; each is float32 [tokens, width]."""

    def __init__(self, config: ModelConfig) -> None:
        head, heads, kv_heads = config.head_dim, config.num_attention_heads, config.num_key_value_heads
        self.hidden = ops.Buffer(config.hidden_size)
        self.normed = ops.Buffer(config.hidden_size)
        self.qkv = ops.Buffer((heads + 2 * kv_heads) * head)
        self.attended = ops.Buffer(heads * head)
        self.gated = ops.Buffer(config.intermediate_size)
        self.cosine = ops.Buffer(head // 2)
        self.sine = ops.Buffer(head // 2)
        self.last = ops.Buffer(config.hidden_size)  # the rows whose logits are asked for
        self.normed_last = ops.Buffer(config.hidden_size)
        self._logits = ops.Buffer(config.vocab_size)

    def free_logits(self) -> ops.Buffer:
        """The buffer that was used before if no array shows it any more, else a fresh one.

        New memory for the logits of many rows takes as long to come from the system as a layer to compute.
        """
        if sys.getrefcount(self._logits) > 2:  # this object's reference, and that of the call
            self._logits = ops.Buffer(self._logits.width)
        return self._logits

    @staticmethod
    def width(config: ModelConfig) -> int:
        """Float32 values per token, over all buffers, a copy of the hidden states, and what making the widest
        of the buffers smaller takes.

        That is two bytes a value in BF16; in 8 bits it is less, with 12 bytes for each group of at least 32.
        """
        head, heads, kv_heads = config.head_dim, config.num_attention_heads, config.num_key_value_heads
        attention = (2 * heads + 2 * kv_heads + 1) * head
        smaller = -(-max(config.hidden_size, heads * head, config.intermediate_size) // 2)
        return 5 * config.hidden_size + attention + config.intermediate_size + smaller


class Model:
    """A Qwen2 model in memory; make one with `Model.load`. One forward pass at a time.

    config           sizes and constants
    precision        how the weights are kept; between the operations activations are float32 always
    weight_bytes     memory the weights take
    instruction_set  "avx512_bf16", "avx512", "avx2" or "portable"
    """

    def __init__(self, config: ModelConfig, precision: Precision, loader: _Loader) -> None:
        self.config = config
        self.precision = precision
        self.is_from_cache = loader.packed is not None
        self.embedding = loader.weight(EMBEDDING)
        self.layers = [_load_layer(loader, index) for index in range(config.num_hidden_layers)]
        self.norm = loader.vector("model.norm.weight")
        self.output_head = self.embedding if config.tie_word_embeddings else loader.weight(OUTPUT_HEAD)
        self.weight_bytes = loader.weight_bytes
        self.inverse_frequencies = ops.Vector(inverse_frequencies(config))
        self.attention_factor = attention_factor(config)
        self.instruction_set = ops.instruction_set()
        self._workspace = Workspace(config)

    @classmethod
    def load(
        cls,
        model: Path | Checkpoint,
        quant: Quant | Precision = "auto",
        progress: Progress | None = None,
        cache: WeightCache | None = None,
        threads: int | None = None,
        max_context: int | None = None,
    ) -> Model:
        """Reads a checkpoint, a folder or a GGUF file, and keeps its weights as `quant` says.

        `progress` is called with bytes read so far and in all. Quantised weights are taken from `cache` if it
        has them, else put there. `threads` load and compute; None: as many as there are processors.
        `max_context` chooses the rotary positions, see `config_for_context`. Raises CheckpointError when it
        is not a sound Qwen2 checkpoint, MemoryError when the weights do not fit, ContextNotAvailable for
        a context that the model does not have, ValueError for an unknown `quant` or fewer than one thread.
        """
        if isinstance(quant, str):
            check_quant(quant)
        checkpoint = model if isinstance(model, Checkpoint) else open_checkpoint(model)
        precision = quant if isinstance(quant, Precision) else precision_of(quant, checkpoint)
        size_thread_pool(threads)
        ops.instruction_set()  # an unknown name is refused before the weights are read
        config = config_for_context(checkpoint.config, max_context)
        loader = _Loader(checkpoint, config, precision, progress or _no_progress)
        if cache is None or not cache.keeps(precision, precision.weight_bytes(config)):
            return cls(config, precision, loader)
        entry = cache.entry(checkpoint.files, checkpoint.path.resolve().name, precision, loader.tick)
        loader.packed = None if entry is None else entry.open(loader.tick)
        if entry is None or loader.packed is not None:
            return cls(config, precision, loader)
        with entry.storing(precision.weight_bytes(config)) as loader.writer:
            return cls(config, precision, loader)

    def workspace_bytes(self, max_tokens: int) -> int:
        """Memory that a forward pass over `max_tokens` tokens takes beside weights and KV cache.

        Logits come on top: 4 * vocab_size bytes for each row asked for.
        """
        return 4 * max_tokens * Workspace.width(self.config)

    def forward(self, batch: ForwardBatch, cache: KVCache) -> NDArray[np.float32]:
        """Logits float32 [L, vocab_size] of the batch's `logit_rows`; writes keys and values to the cache.

        A row of logits depends on its own sequence only, bit for bit, whatever else is in the batch. Raises
        ValueError when an id, slot or block is outside its range, before anything is written.
        """
        epsilon, store = self.config.rms_norm_eps, cache.storage
        work = self._workspace
        x, normed, qkv, attended = work.hidden, work.normed, work.qkv, work.attended
        tokens = ops.Batch(
            store,
            batch.token_ids,
            batch.positions,
            batch.slots,
            batch.sequence_rows,
            batch.block_tables,
            batch.logit_rows,
        )
        ops.embed(self.embedding, tokens, x)  # [T, hidden]
        ops.rotary(tokens, self.inverse_frequencies, self.attention_factor, work.cosine, work.sine)
        following = [*(layer.qkv for layer in self.layers[1:]), self.output_head]
        for index, layer in enumerate(self.layers):
            ops.rms_norm(x, layer.input_norm, epsilon, normed)
            ops.linear(
                normed, layer.qkv, layer.qkv_bias, None, qkv, layer.attention_output
            )  # [T, (heads + 2 kv_heads) * head_dim]
            ops.rope_and_cache(qkv, work.cosine, work.sine, tokens, store, index)
            ops.attention(qkv, tokens, store, index, attended)  # [T, heads * head_dim]
            ops.linear(attended, layer.attention_output, None, x, x, layer.gate_up)
            ops.rms_norm(x, layer.post_attention_norm, epsilon, normed)
            ops.linear(normed, layer.gate_up, None, None, work.gated, layer.down)  # [T, intermediate]
            ops.linear(work.gated, layer.down, None, x, x, following[index])
        ops.select_logit_rows(x, tokens, work.last)  # [L, hidden]
        ops.rms_norm(work.last, self.norm, epsilon, work.normed_last)
        logits = work.free_logits()
        ops.linear(work.normed_last, self.output_head, None, None, logits, self.layers[0].qkv)
        return logits.numpy()

    def last_hidden_states(self) -> NDArray[np.float32]:
        """Final hidden states float32 [L, hidden_size], normalised, of the `logit_rows` of the last pass."""
        return self._workspace.normed_last.numpy().copy()

    def hidden_states(self) -> NDArray[np.float32]:
        """The same float32 [T, hidden_size] of all tokens of the last pass, the final norm taken now."""
        work = self._workspace
        ops.rms_norm(work.hidden, self.norm, self.config.rms_norm_eps, work.normed)
        return work.normed.numpy().copy()


def _no_progress(_done: int, _total: int) -> None:
    pass


class _Loader:
    """Moves tensors from a checkpoint into the operations' own storage, counting bytes.

    packed    where matrices are taken from instead, packed already
    writer    what is given every matrix once it is packed
    """

    packed: PackedFile | None = None
    writer: EntryWriter | None = None

    def __init__(
        self, checkpoint: Checkpoint, config: ModelConfig, precision: Precision, progress: Progress
    ) -> None:
        self.checkpoint, self.precision, self.progress = checkpoint, precision, progress
        self.shapes = tensor_shapes(config)
        self.total = sum(map(checkpoint.tensor_bytes, self.shapes))
        self.done = self.weight_bytes = 0

    def weight(self, *names: str, gated: bool = False) -> ops.Weight:
        """One matrix of all the named ones, stacked by outputs; `gated`: the first gates the second."""
        weight = self.packed.weight(names[0]) if self.packed else self.pack(names, gated)
        self.weight_bytes += weight.nbytes
        if self.writer is not None:
            self.writer.add(names[0], weight)
        for name in names:
            self.count(name)
        return weight

    def pack(self, names: tuple[str, ...], gated: bool) -> ops.Weight:
        kept = self.precision.of(names[0])
        weight = kept.weight(sum(self.shapes[name][0] for name in names), self.shapes[names[0]][1], gated)
        first = 0
        for name in names:
            outputs = self.shapes[name][0]
            fill(weight, first, outputs, self.checkpoint, name, kept)
            first += outputs
        return weight

    def vector(self, *names: str) -> ops.Vector:
        """One float32 vector of all the named ones."""
        parts = []
        for name in names:
            parts.append(np.array(widened(self.checkpoint.tensor(name))))
            self.checkpoint.release(name)
            self.weight_bytes += parts[-1].nbytes
            self.count(name)
        return ops.Vector(np.concatenate(parts))

    def tick(self) -> None:
        """Says that loading goes on while nothing has been read yet; what the caller raises ends it."""
        self.progress(self.done, self.total)

    def count(self, name: str) -> None:
        self.done += self.checkpoint.tensor_bytes(name)
        self.progress(self.done, self.total)


def _load_layer(loader: _Loader, index: int) -> Layer:
    prefix = f"model.layers.{index}."
    qkv = [f"{prefix}self_attn.{name}_proj" for name in "qkv"]
    return Layer(
        input_norm=loader.vector(prefix + "input_layernorm.weight"),
        qkv=loader.weight(*(name + ".weight" for name in qkv)),
        qkv_bias=loader.vector(*(name + ".bias" for name in qkv)),
        attention_output=loader.weight(prefix + "self_attn.o_proj.weight"),
        post_attention_norm=loader.vector(prefix + "post_attention_layernorm.weight"),
        gate_up=loader.weight(prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight", gated=True),
        down=loader.weight(prefix + "mlp.down_proj.weight"),
    )
