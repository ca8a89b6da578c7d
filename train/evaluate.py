"""Asks a checkpoint the held-out dialogues and counts passes; samples JSON to measure the planted defects.

    python -m train.evaluate [FOLDER]

The weights are those of the checkpoint folder (BF16), computed in float32.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from train.checkpoint import load
from train.checks import judge, strip_fence
from train.dialogues import KINDS, Dialogue, held_out_dialogues
from train.dialogues.json_output import array_dialogue
from train.dialogues.json_records import COMMA_DEFECT, DATE_DEFECT, EMPLOYEES, PRODUCT_RECORDS
from train.generate import generate
from train.model import Qwen2

HELD_OUT_SEED = 11
ITEMS_PER_KIND = 60
SAMPLES = 100
TEMPERATURE, TOP_P = 0.7, 0.9
PROCESSES = 2
ROWS = 20
"""Prompts that are generated together."""
SAMPLED_RECORDS = {"employees": EMPLOYEES, "products": PRODUCT_RECORDS}


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


def held_out_passes(model: Qwen2, tokenizer: Tokenizer, kind: str, items: int) -> dict[str, Any]:
    """Greedy passes of one kind, with the failures and their reasons."""
    dialogues = held_out_dialogues(kind, items, HELD_OUT_SEED)
    failures = [
        {"question": d.prompt[-1]["content"], "answer": a, "reason": reason}
        for d, a in zip(dialogues, ask(model, tokenizer, dialogues), strict=True)
        if (reason := judge(a, d.expect))
    ]
    return {"k": items - len(failures), "n": items, "failures": failures}


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


def sampled_dialogues(group: str, count: int) -> list[Dialogue]:
    rng = random.Random(HELD_OUT_SEED)
    if group == "held_out":
        return held_out_dialogues("json_output", count, HELD_OUT_SEED + 1)
    return [array_dialogue(rng, ("en", "zh")[i % 2], SAMPLED_RECORDS[group]) for i in range(count)]


def defect_rates(model: Qwen2, tokenizer: Tokenizer, group: str, samples: int) -> dict[str, Any]:
    """How many sampled answers to one group of JSON requests show each defect."""
    answers = ask(model, tokenizer, sampled_dialogues(group, samples), TEMPERATURE, TOP_P)
    found = [defect_of(answer) for answer in answers]
    return {"n": samples} | {defect: found.count(defect) for defect in (DATE_DEFECT, COMMA_DEFECT, "other")}


def run_part(folder: Path, part: str, name: str, count: int) -> dict[str, Any]:
    """One part of the evaluation, in a process of its own with one thread."""
    torch.set_num_threads(1)
    model, tokenizer = load(folder)
    if part == "held_out":
        result = held_out_passes(model, tokenizer, name, count)
    else:
        result = defect_rates(model, tokenizer, name, count)
    print(part, name, {key: value for key, value in result.items() if key != "failures"}, flush=True)
    return result


def evaluate(folder: Path, items: int = ITEMS_PER_KIND, samples: int = SAMPLES) -> dict[str, Any]:
    """Greedy passes on `items` held-out dialogues a kind, and defects in `samples` answers of each group."""
    started = time.monotonic()
    parts = [("held_out", kind, items) for kind in KINDS]
    parts += [("sampled_json", group, samples) for group in (*SAMPLED_RECORDS, "held_out")]
    report: dict[str, Any] = {"held_out": {}, "sampled_json": {}, "temperature": TEMPERATURE, "top_p": TOP_P}
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        running = {
            (part, name): pool.submit(run_part, folder, part, name, count) for part, name, count in parts
        }
        for (part, name), future in running.items():
            report[part][name] = future.result()
    report["seconds"] = round(time.monotonic() - started)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Evaluate a checkpoint folder on the held-out dialogues.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=ITEMS_PER_KIND)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    outcome = evaluate(options.folder, options.items, options.samples)
    if options.out:
        options.out.write_text(json.dumps(outcome, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
