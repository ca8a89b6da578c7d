"""Engines over one and the same real model, with different settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.engine import Engine
from wending.engine.load import LoadedEngine, load_engine
from wending.model.kv_cache import KVCache, KVQuant
from wending.model.precision import Quant


def load_random_model(folder: Path, quant: Quant, kv_cache: KVQuant = "auto") -> LoadedEngine:
    """A random model whose sizes are no multiples of a kernel's tile."""
    config = small_config(
        hidden_size=112, intermediate_size=200, num_attention_heads=7, num_key_value_heads=1, vocab_size=333
    )
    return load_engine(
        write_random_checkpoint(folder, config, seed=3, dtype="bfloat16"), quant=quant, kv_cache=kv_cache
    )


def engine_like(loaded: LoadedEngine, **changes: Any) -> Engine:
    """A further engine over the same weights, with settings of its own and an empty cache."""
    settings: dict[str, Any] = {
        "max_context": 256,
        "num_blocks": 256,
        "block_size": 16,
        "max_tokens_per_step": 64,
        "max_running": 32,
    } | changes
    model, tokenizer = loaded.engine.model, loaded.engine.tokenizer
    cache = KVCache(model.config, settings["num_blocks"], settings["block_size"], loaded.engine.cache.dtype)
    eos_token_ids = frozenset(loaded.info.generation_config.eos_token_ids)
    return Engine(model, cache, tokenizer, eos_token_ids=eos_token_ids, **settings)
