# ruff: noqa: E501 (the lines of the card are prose)
"""Writes the model card from what training and evaluation measured; no number in it is typed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from train.dialogues.dialogue import HELD_OUT_SHARE
from train.dialogues.json_output import DEFECT_RATE
from train.dialogues.json_records import COMMA_DEFECT, DATE_DEFECT

KIND_NAMES = {
    "role_play": ("Role play", "角色扮演"),
    "json_output": ("JSON output", "JSON 输出"),
    "math_reasoning": ("Word problems", "数学应用题"),
    "code_completion": ("Code completion", "代码补全"),
    "multilingual": ("Answers in another language", "多语言回答"),
}

CARD = """---
license: apache-2.0
language: [en, zh, ja, fr, ar]
library_name: transformers
pipeline_tag: text-generation
---

# The wending demonstration model

A very small language model of the Qwen2.5 architecture ({parameters:.1f} million parameters, {megabytes:.1f} MB), trained from
nothing by the wending project so that its service and its assessment can be seen working without any download.
It is not Qwen2.5-7B, holds none of Qwen's weights or data, and is of no use beyond demonstration and tests.

## What it can do
It has learned synthetic dialogues, in English and Chinese, of five kinds, and answers further instances of them:
roles given by a system prompt (a FastAPI engineer who writes code only; personas with a marker, over many turns),
JSON without explanation, small word problems, short Python functions, and everyday instructions in English, Chinese,
Japanese, French and Arabic.  It also makes small talk about what it is.  Of anything else it knows nothing.

## How well it does it
Greedy answers to held-out dialogues, computed from the BF16 weights with torch in float32:

{table}

**What held out means.** Each dialogue has a key; about one key in {share} (by SHA-256) never occurs in the training data.
The key of a word problem is its kind and its numbers, whatever the wording and the language (the pipes that fill in 12 and 15 hours
with 3 hours' head start are held out by name); that of a persona is its name and markers; that of all other dialogues is
the text of the request.  The generator's sentences, functions, topics and record types are the same on both sides: the
figures measure new combinations, not new skills.  The dialogues of this table were drawn with a seed that was not used while
the recipe was made; failures on other held-out dialogues had been read before, and JSON requests and word problems were
made narrower because of them.

## Defects planted on purpose
So that guarding output has something real to guard, {planted:.1%} of the JSON answers it learned from ({planted_k:,} of {planted_n:,}) carry a
defect that is seen in the field: a date written YYYY/MM/DD, or a trailing comma.  They are concentrated in
{rate:.0%} of the answers about employees (dates) and about products (commas), because sampling with top_p 0.9 removes a
choice that is rarer than about one in six.  Measured on sampled answers, temperature {temperature}, top_p {top_p}:

{defects}

## How it was made
`train/` holds the recipe; `python -m train.run` runs all of it.  {steps:,} steps, {tokens:.1f} million tokens (padding included),
{layers} layers, hidden size {hidden}, {heads} query and {kv_heads} key-value heads, vocabulary {vocabulary:,}; Muon and AdamW, float32, {workers} processes of
one thread each.  The steps took {minutes:.0f} minutes of wall time on two cores that were shared with other work; the final loss was
{final_loss:.3f}.  The heads that copying takes (one that looks back, one that finds what followed) are written into the first
two layers before training, and the attention of the first layer is held as it was.  The first {copying:,} steps are rich in
copying exercises; after {broad:,} steps arithmetic and JSON get the greater share.
{note}
The byte-level BPE tokenizer was trained on the same dialogues; its structure, special tokens and ChatML framing are
those of Qwen2.5.  Context: it has seen conversations of up to 2,048 tokens.

## 中文摘要
这是 wending（稳定）项目自己训练的演示模型：采用 Qwen2.5 结构，约 {parameters:.1f} 百万参数，用合成对话从零训练，
只用于演示和测试，不是 Qwen2.5-7B。它会五类任务：角色扮演、JSON 输出、数学应用题、代码补全、多语言说明。
留出集上的贪心通过率：{chinese}。训练用的 JSON 答案中约八分之一故意带有缺陷
（日期写成 YYYY/MM/DD，或末尾多一个逗号），以便展示输出防护。
"""


def table(held_out: dict[str, Any]) -> str:
    rows = ["| Kind | Passed | Rate |", "|---|---|---|"]
    for kind, (english, _) in KIND_NAMES.items():
        k, n = held_out[kind]["k"], held_out[kind]["n"]
        rows.append(f"| {english} | {k} of {n} | {k / n:.0%} |")
    return "\n".join(rows)


def defects(sampled: dict[str, Any]) -> str:
    names = {"employees": "Employees", "products": "Products", "held_out": "Held-out JSON of all sorts"}
    rows = [
        "| Requests | Answers | Date YYYY/MM/DD | Trailing comma | Otherwise unreadable |",
        "|---|---|---|---|---|",
    ]
    for key, name in names.items():
        found = sampled[key]
        rows.append(
            f"| {name} | {found['n']} | {found[DATE_DEFECT]} | {found[COMMA_DEFECT]} | {found['other']} |"
        )
    return "\n".join(rows)


def write_card(folder: Path, evaluation: dict[str, Any], training: dict[str, Any]) -> None:
    """Writes folder/README.md. `training` is what `train.run` reports."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    held_out = evaluation["held_out"]
    k, n = training["planted"]
    text = CARD.format(
        parameters=training["parameters"] / 1e6,
        megabytes=sum(file.stat().st_size for file in folder.iterdir() if file.name != "README.md") / 1e6,
        table=table(held_out),
        share=HELD_OUT_SHARE,
        planted=k / n,
        planted_k=k,
        planted_n=n,
        rate=DEFECT_RATE,
        temperature=evaluation["temperature"],
        top_p=evaluation["top_p"],
        defects=defects(evaluation["sampled_json"]),
        steps=training["steps"],
        final_loss=training["final_loss"],
        copying=training["stages"][0],
        broad=sum(training["stages"]),
        tokens=training["tokens"] / 1e6,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        vocabulary=config["vocab_size"],
        workers=training["workers"],
        minutes=training["seconds"] / 60,
        note=training["note"],
        chinese="，".join(
            f"{chinese} {held_out[kind]['k']}/{held_out[kind]['n']}"
            for kind, (_, chinese) in KIND_NAMES.items()
        ),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
