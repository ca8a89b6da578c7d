from __future__ import annotations

from pathlib import Path

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.model.config import ModelConfig
from wending.model.kv_cache import CacheDtype, KVCache, check_kv_quant


@pytest.fixture
def config(tmp_path: Path) -> ModelConfig:
    return ModelConfig.from_folder(write_random_checkpoint(tmp_path, small_config()))


def test_counts_its_bytes(config: ModelConfig) -> None:
    per_token = 2 * 2 * 2 * 16  # keys and values of 2 layers, 2 heads of 16
    assert KVCache.bytes_per_token(config) == 2 * per_token
    assert KVCache.bytes_per_token(config, "float32") == 4 * per_token
    assert KVCache.bytes_per_token(config, "int8") == per_token + 2 * 2 * 2 * 2  # a BF16 scale for each head
    assert KVCache(config, 5, 32, "float32").nbytes == 5 * 32 * 4 * per_token


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "int8"])
def test_counts_what_the_kernels_reserve(config: ModelConfig, dtype: CacheDtype) -> None:
    cache = KVCache(config, 5, 32, dtype)
    assert cache.storage.nbytes == cache.nbytes


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ValueError, match="kv_cache must be auto, bf16, f32, int8; is 'int4'"):
        check_kv_quant("int4")


def test_shapes_that_cannot_work_are_refused(config: ModelConfig) -> None:
    with pytest.raises(ValueError, match="block_size must be a positive multiple of 16, is 8"):
        KVCache(config, 4, 8)
    with pytest.raises(ValueError, match="num_blocks must be positive, is 0"):
        KVCache(config, 0, 16)
    with pytest.raises(ValueError, match="'int4'"):
        KVCache(config, 4, 16, "int4")  # type: ignore[arg-type]
