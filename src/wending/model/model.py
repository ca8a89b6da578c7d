"""The Qwen2 decoder: its weights, and the forward pass over the native operations.

The forward pass only names operations and the order they come in. What an operation is, where weights and
activations live and which processor does the work is the business of `ops`. The architecture: RMSNorm, rotary
positions, grouped-query attention with bias on Q, K and V, SwiGLU; see https://arxiv.org/abs/2407.10671.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wending import _kernels as ops
from wending.model.batch import ForwardBatch
from wending.model.checkpoint import EMBEDDING, OUTPUT_HEAD, Checkpoint, tensor_shapes
from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.kv_cache import KVCache
from wending.model.precision import Precision, Quant, check_quant, precision_of
from wending.model.rope import attention_factor, inverse_frequencies
from wending.model.threads import use_available_processors

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
        self.gate_up = ops.Buffer(2 * config.intermediate_size)
        self.gated = ops.Buffer(config.intermediate_size)
        self.cosine = ops.Buffer(head // 2)
        self.sine = ops.Buffer(head // 2)
        self.last = ops.Buffer(config.hidden_size)  # the rows whose logits are asked for
        self.normed_last = ops.Buffer(config.hidden_size)

    @staticmethod
    def width(config: ModelConfig) -> int:
        """Float32 values per token, over all buffers, and what quantising the widest of them takes.

        That is a byte a value, and a scale and a sum in float32 for each group of at least 32.
        """
        head, heads, kv_heads = config.head_dim, config.num_attention_heads, config.num_key_value_heads
        attention = (2 * heads + 2 * kv_heads + 1) * head
        quantized = -(-5 * max(config.hidden_size, heads * head, config.intermediate_size) // 16)
        return 4 * config.hidden_size + attention + 3 * config.intermediate_size + quantized


class Model:
    """A Qwen2 model in memory; make one with `Model.load`. One forward pass at a time.

    config           sizes and constants
    precision        how the weights are kept; between the operations activations are float32 always
    weight_bytes     memory the weights take
    instruction_set  "avx512", "avx2" or "portable"
    """

    def __init__(
        self, checkpoint: Checkpoint, config: ModelConfig, precision: Precision, progress: Progress
    ) -> None:
        self.config = config
        self.precision = precision
        loader = _Loader(checkpoint, config, precision, progress)
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
        folder: Path,
        quant: Quant | Precision = "auto",
        progress: Progress | None = None,
    ) -> Model:
        """Reads a checkpoint folder and keeps its weights as `quant` says.

        `progress` is called with bytes read so far and in all. Raises CheckpointError when the folder is not
        a sound Qwen2 checkpoint, MemoryError when the weights do not fit, ValueError for an unknown `quant`.
        """
        if isinstance(quant, str):
            check_quant(quant)
        config = ModelConfig.from_folder(folder)
        checkpoint = Checkpoint(folder, config)
        precision = quant if isinstance(quant, Precision) else precision_of(quant, checkpoint)
        use_available_processors()
        ops.instruction_set()  # an unknown name is refused before the weights are read
        return cls(checkpoint, config, precision, progress or _no_progress)

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
        config, epsilon, store = self.config, self.config.rms_norm_eps, cache.storage
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
        for index, layer in enumerate(self.layers):
            ops.rms_norm(x, layer.input_norm, epsilon, normed)
            ops.linear(normed, layer.qkv, layer.qkv_bias, None, qkv)  # [T, (heads + 2 kv_heads) * head_dim]
            ops.rope_and_cache(qkv, work.cosine, work.sine, tokens, store, index)
            ops.attention(qkv, tokens, store, index, attended)  # [T, heads * head_dim]
            ops.linear(attended, layer.attention_output, None, x, x)
            ops.rms_norm(x, layer.post_attention_norm, epsilon, normed)
            ops.linear(normed, layer.gate_up, None, None, work.gate_up)  # [T, 2 * intermediate]
            ops.swiglu(work.gate_up, work.gated)
            ops.linear(work.gated, layer.down, None, x, x)
        ops.select_logit_rows(x, tokens, work.last)  # [L, hidden]
        ops.rms_norm(work.last, self.norm, epsilon, work.normed_last)
        logits = ops.Buffer(config.vocab_size)  # a fresh one: the caller keeps it
        ops.linear(work.normed_last, self.output_head, None, None, logits)
        return logits.numpy()


def _no_progress(_done: int, _total: int) -> None:
    pass


class _Loader:
    """Moves tensors from a checkpoint into the operations' own storage, counting bytes."""

    def __init__(
        self, checkpoint: Checkpoint, config: ModelConfig, precision: Precision, progress: Progress
    ) -> None:
        self.checkpoint, self.precision, self.progress = checkpoint, precision, progress
        self.total = sum(map(checkpoint.tensor_bytes, tensor_shapes(config)))
        self.done = self.weight_bytes = 0

    def weight(self, *names: str) -> ops.Weight:
        """One matrix of all the named ones, stacked by outputs."""
        matrices = [self.checkpoint.tensor(name) for name in names]
        rows, inputs = sum(len(matrix) for matrix in matrices), matrices[0].shape[1]
        weight = self.precision.of(names[0]).weight(rows, inputs)
        first = 0
        for name, matrix in zip(names, matrices, strict=True):
            try:
                weight.fill(first, matrix)
            except ValueError as error:
                raise CheckpointError(self.checkpoint.folder, f"tensor {name}: {error}") from None
            first += len(matrix)
            self.count(name, weight.nbytes * len(matrix) // weight.outputs)
        return weight

    def vector(self, *names: str) -> ops.Vector:
        """One float32 vector of all the named ones."""
        parts = []
        for name in names:
            values = self.checkpoint.tensor(name)
            if values.dtype == np.uint16:
                values = (values.astype(np.uint32) << 16).view(np.float32)
            parts.append(values)
            self.count(name, 4 * len(values))
        return ops.Vector(np.ascontiguousarray(np.concatenate(parts)))

    def count(self, name: str, weight_bytes: int) -> None:
        self.weight_bytes += weight_bytes
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
        gate_up=loader.weight(prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"),
        down=loader.weight(prefix + "mlp.down_proj.weight"),
    )
