"""A checkpoint folder of the shape of Qwen2.5-0.5B with its tokenizer and random weights; 1 GB on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.model.forward import batch_of, new_cache
from tests.random_checkpoint import write_random_checkpoint

from wending.model.chat_template import ChatTemplate
from wending.model.generation_config import GenerationConfig
from wending.model.model import Model
from wending.model.tokenizer import Tokenizer

DISK_NEEDED = 1_200_000_000
MEMORY_NEEDED = 3_000_000_000


def test_loads_and_generates(tmp_path: Path, qwen_tokenizer_folder: Path) -> None:
    if shutil.disk_usage(tmp_path).free < DISK_NEEDED or psutil.virtual_memory().available < MEMORY_NEEDED:
        pytest.skip("needs 1.2 GB of disk and 3 GB of memory")
    config = json.loads((qwen_tokenizer_folder / "config-0.5b.json").read_text())
    write_random_checkpoint(tmp_path, config, tokenizer_from=qwen_tokenizer_folder, shards=2)
    model = Model.load(tmp_path)
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()  # the weights are in memory now; the next test may need the disk
    assert model.weight_bytes == pytest.approx(0.988e9, rel=0.01)

    tokenizer, template = Tokenizer.load(tmp_path), ChatTemplate.load(tmp_path)
    ids = template.encode(tokenizer, [{"role": "user", "content": "你好, who are you?"}])
    stop = GenerationConfig.from_folder(tmp_path).eos_token_ids
    cache, table = new_cache(model, 64, dtype="bfloat16")
    logits = model.forward(batch_of([(ids, 0, table)]), cache)
    answer: list[int] = []
    while len(answer) < 8 and (not answer or answer[-1] not in stop):
        assert np.isfinite(logits).all()
        answer.append(int(logits[-1, : tokenizer.vocab_size].argmax()))
        logits = model.forward(batch_of([(answer[-1:], len(ids) + len(answer) - 1, table)]), cache)
    assert tokenizer.decode(answer)
