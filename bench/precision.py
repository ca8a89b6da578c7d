"""What each precision costs: its logits against those of float32, on one checkpoint.

    python bench/precision.py                    the bundled demonstration model
    python bench/precision.py --model FOLDER
    python bench/precision.py --shape 0.5b       random weights of the published 0.5B shape
    python bench/precision.py --kv-cache         precisions of the KV cache, beside float32 and 8 bit weights

Over the positions of a few texts: relative error of the logits (root mean square of the differences over that
of the centred logits), Kullback-Leibler divergence from float32 (mean and 99th percentile, in nats), and how
often the most likely token is the same. Random weights leave candidates close together: a worst case.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.model_speed import SHAPES
from tests.model.forward import logits_of
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import _kernels, demo
from wending.model.model import Model
from wending.model.precision import PRECISIONS, Format, Precision
from wending.model.tokenizer import Tokenizer

INT8, BF16 = Format("int8"), Format("bfloat16")
CANDIDATES = [
    PRECISIONS["bf16"],
    PRECISIONS["int8"],
    Precision("int8", Format("int8", 32), Format("int8", 32), "bfloat16"),
    *(
        Precision("int4", Format("int4", group, offsets), INT8, "bfloat16")
        for offsets in (False, True)
        for group in (32, 64, 128)
    ),
    Precision("int4", Format("int4", 64, True), BF16, "bfloat16"),
    Precision("int4", Format("int4", 64, True), Format("int4", 64, True), "bfloat16"),
]
KV_CACHES = [
    Precision("f32", Format("float32"), Format("float32"), "bfloat16"),
    Precision("f32", Format("float32"), Format("float32"), "int8"),
    PRECISIONS["int8"],
    Precision("int8", INT8, INT8, "int8"),
]
TEXTS = (
    "Make up 5 employees and output them as a JSON array. Each object has: id (integer), name, department.",
    "一个水池有两个进水管，甲管单独注满需要12小时，乙管单独注满需要15小时。甲管先开3小时，再同时打开两管。",
    'Complete this Python function:\ndef is_palindrome(s: str) -> bool:\n    """Return True if s is one."""',
    "Explain in Japanese how to make coffee with a French press, in numbered steps.",
)


def log_probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    found: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def described(form: Format) -> str:
    if form.precision not in ("int8", "int4"):
        return form.precision
    return f"{form.precision} g{form.group}{' offsets' if form.offsets else ''}"


def all_logits(folder: Path, chosen: Precision, prompts: list[list[int]]) -> tuple[NDArray[np.float32], int]:
    model = Model.load(folder, chosen)
    return np.concatenate([logits_of(model, ids, dtype=chosen.cache) for ids in prompts]), model.weight_bytes


def compare(folder: Path, prompts: list[list[int]], candidates: list[Precision]) -> None:
    exact, _ = all_logits(folder, PRECISIONS["f32"], prompts)
    expected = log_probabilities(exact)
    spread = np.sqrt(((exact - exact.mean(axis=1, keepdims=True)) ** 2).mean())
    print(f"{len(exact)} positions, {_kernels.instruction_set()}")
    print("| layers | embedding, head | KV cache | weights | logit error | KL mean | KL p99 | same token |")
    print("|---|---|---|---|---|---|---|---|")
    for chosen in candidates:
        found, size = all_logits(folder, chosen, prompts)
        divergence = (np.exp(expected) * (expected - log_probabilities(found))).sum(axis=1)
        print(
            f"| {described(chosen.layers)} | {described(chosen.ends)} | {chosen.cache} | {size / 1e6:.1f} MB "
            f"| {np.sqrt(((found - exact) ** 2).mean()) / spread:.3%} "
            f"| {divergence.mean():.2g} | {np.quantile(divergence, 0.99):.2g} "
            f"| {(found.argmax(axis=1) == exact.argmax(axis=1)).mean():.1%} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--shape", choices=sorted(SHAPES), default=None)
    parser.add_argument("--kv-cache", action="store_true")
    options = parser.parse_args()
    candidates = KV_CACHES if options.kv_cache else CANDIDATES
    if options.shape:
        config = small_config(**SHAPES[options.shape])
        numbers = np.random.default_rng(0)
        prompts = [numbers.integers(0, config["vocab_size"], 48).tolist() for _ in range(2)]
        with tempfile.TemporaryDirectory() as folder:
            compare(
                write_random_checkpoint(Path(folder), config, seed=0, dtype="bfloat16"), prompts, candidates
            )
        return
    folder = options.model or demo.folder()
    tokenizer = Tokenizer.load(folder)
    compare(folder, [tokenizer.encode(text) for text in TEXTS], candidates)


if __name__ == "__main__":
    main()
