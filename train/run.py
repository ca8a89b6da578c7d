"""The whole recipe in one command: tokenizer, training, checkpoint folder, evaluation, model card.

    python -m train.run [--work FOLDER] [--out FOLDER]

An interrupted run goes on from its last saved state in the work folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from train.card import write_card
from train.checkpoint import save, write_json
from train.dialogues import training_dialogues
from train.evaluate import evaluate
from train.recipe import SCHEDULE, SEED, SHAPE, STAGES, WORKERS, TrainingData, make_tokenizer
from train.train import Job, train

DEMO = Path(__file__).parent.parent / "src" / "wending" / "demo"
COUNTED_DIALOGUES = 40_000


def planted_defects() -> tuple[int, int]:
    """Defective answers and all answers among the JSON of the first training dialogues."""
    defective = [
        bool(d.defect) for d in islice(training_dialogues(SEED), COUNTED_DIALOGUES) if d.kind == "json_output"
    ]
    return sum(defective), len(defective)


def training_report(work: Path, note: str) -> dict[str, Any]:
    def lines() -> Iterator[dict[str, Any]]:
        for line in (work / "log.jsonl").read_text(encoding="utf-8").splitlines():
            yield json.loads(line)

    by_step = {line["step"]: line for line in lines()}
    return {
        "steps": max(by_step),
        "tokens": sum(line["tokens"] for line in by_step.values()),
        "seconds": sum(line["seconds"] for line in by_step.values()),
        "final_loss": by_step[max(by_step)]["loss"],
        "workers": WORKERS,
        "stages": [steps for steps, _ in STAGES if steps is not None],
        "planted": planted_defects(),
        "note": note,
    }


def finish(work: Path, out: Path, note: str) -> None:
    """Checkpoint folder, evaluation and card from the trained state in `work`."""
    weights = torch.load(work / "state.0.pt", weights_only=True)["average"]
    save(out, weights, SHAPE, Tokenizer.from_file(str(work / "tokenizer.json")))
    evaluation = evaluate(out)
    training = training_report(work, note) | {"parameters": sum(t.numel() for t in weights.values())}
    write_json(work / "evaluation.json", evaluation)
    write_json(work / "training.json", training)
    write_card(out, evaluation, training)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Train the demonstration model and write its checkpoint folder."
    )
    parser.add_argument(
        "--work", type=Path, default=Path("build/train"), help="states and logs (default: build/train)"
    )
    parser.add_argument(
        "--out", type=Path, default=DEMO, help="checkpoint folder (default: src/wending/demo)"
    )
    parser.add_argument("--note", default="", help="a sentence for the model card")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    tokenizer_path = options.work / "tokenizer.json"
    if not tokenizer_path.exists():
        make_tokenizer().save(str(tokenizer_path))
    train(Job(SHAPE, SCHEDULE, TrainingData(tokenizer_path), options.work, SEED, WORKERS))
    finish(options.work, options.out, options.note)


if __name__ == "__main__":
    main()
