"""Asks a checkpoint the held-out dialogues and counts passes; samples JSON to measure the planted defects.

    python -m train.evaluate [FOLDER]

The weights are those of the checkpoint folder (BF16), computed in float32.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from train.checkpoint import load
from train.checks import judge, strip_fence
from train.dialogues import KINDS, Dialogue, held_out_dialogues
from train.dialogues.json_output import COMMA_DEFECT, DATE_DEFECT, EMPLOYEES, PRODUCT_RECORDS, array_dialogue
from train.generate import generate
from train.model import Qwen2

HELD_OUT_SEED = 4
ITEMS_PER_KIND = 60
SAMPLES = 100
TEMPERATURE, TOP_P = 0.7, 0.9
ROWS = 20
"""Prompts that are generated together."""


def ask(
    model: Qwen2,
    tokenizer: Tokenizer,
    dialogues: list[Dialogue],
    temperature: float = 0.0,
    top_p: float = 1.0,
) -> list[str]:
    """The answers, in order; prompts of similar length run together."""
    order = sorted(range(len(dialogues)), key=lambda i: sum(len(m["content"]) for m in dialogues[i].prompt))
    answers = [""] * len(dialogues)
    for start in range(0, len(order), ROWS):
        chosen = order[start : start + ROWS]
        texts = generate(
            model,
            tokenizer,
            [dialogues[i].prompt for i in chosen],
            temperature=temperature,
            top_p=top_p,
            seed=start,
        )
        for index, text in zip(chosen, texts, strict=True):
            answers[index] = text
    return answers


def held_out_passes(model: Qwen2, tokenizer: Tokenizer, items: int) -> dict[str, Any]:
    """Greedy passes of each kind, with the failures and their reasons."""
    result: dict[str, Any] = {}
    for kind in KINDS:
        dialogues = held_out_dialogues(kind, items, HELD_OUT_SEED)
        answers = ask(model, tokenizer, dialogues)
        failures = [
            {"question": d.prompt[-1]["content"], "answer": a, "reason": reason}
            for d, a in zip(dialogues, answers, strict=True)
            if (reason := judge(a, d.expect))
        ]
        result[kind] = {"k": items - len(failures), "n": items, "failures": failures}
        print(f"{kind}: {items - len(failures)} of {items}", flush=True)
    return result


def defect_of(answer: str) -> str:
    """The planted defect that an answer shows, "other" if it is unreadable in another way, or ""."""
    text = strip_fence(answer)
    if re.search(r",\s*[\]}]", text):
        return COMMA_DEFECT
    if re.search(r'"\d{4}/\d\d/\d\d"', text):
        return DATE_DEFECT
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return "other"
    return ""


def defect_rates(model: Qwen2, tokenizer: Tokenizer, samples: int) -> dict[str, Any]:
    """How often sampled answers show the defects: employees, products, and held-out JSON of all sorts."""
    rng = random.Random(HELD_OUT_SEED)
    groups = {
        "employees": [array_dialogue(rng, ("en", "zh")[i % 2], EMPLOYEES) for i in range(samples)],
        "products": [array_dialogue(rng, ("en", "zh")[i % 2], PRODUCT_RECORDS) for i in range(samples)],
        "all": held_out_dialogues("json_output", samples, HELD_OUT_SEED + 1),
    }
    result: dict[str, Any] = {}
    for name, dialogues in groups.items():
        found = [defect_of(a) for a in ask(model, tokenizer, dialogues, TEMPERATURE, TOP_P)]
        result[name] = {"n": samples} | {d: found.count(d) for d in (DATE_DEFECT, COMMA_DEFECT, "other")}
        print(f"sampled {name}: {result[name]}", flush=True)
    return result


def evaluate(folder: Path, items: int = ITEMS_PER_KIND, samples: int = SAMPLES) -> dict[str, Any]:
    started = time.monotonic()
    model, tokenizer = load(folder)
    report = {
        "held_out": held_out_passes(model, tokenizer, items),
        "sampled_json": defect_rates(model, tokenizer, samples) if samples else {},
        "temperature": TEMPERATURE,
        "top_p": TOP_P,
    }
    report["seconds"] = round(time.monotonic() - started)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Evaluate a checkpoint folder on the held-out dialogues.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=ITEMS_PER_KIND)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(2)
    outcome = evaluate(options.folder, options.items, options.samples)
    if options.out:
        options.out.write_text(json.dumps(outcome, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
