"""The generators: the same data for the same seed, answers that pass their own checks, and a clean split."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from train.checks import judge
from train.dialogues import KINDS, held_out_dialogues, mixed, training_dialogues
from train.dialogues.dialogue import Dialogue
from train.dialogues.functions import FUNCTIONS
from train.dialogues.how_to import TOPICS
from train.dialogues.json_records import COMMA_DEFECT, DATE_DEFECT
from train.dialogues.math_reasoning import HELD_OUT_PIPES, make, make_drill


def drawn(kind: str, count: int, seed: int = 0) -> list[Dialogue]:
    rng = random.Random(seed)
    return [KINDS[kind](rng) for _ in range(count)]


def test_the_same_seed_gives_the_same_dialogues() -> None:
    assert list(islice(training_dialogues(3), 300)) == list(islice(training_dialogues(3), 300))


def test_another_seed_gives_other_dialogues() -> None:
    assert list(islice(training_dialogues(3), 50)) != list(islice(training_dialogues(4), 50))


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("role_play", 400),
        ("json_output", 400),
        ("math_reasoning", 400),
        ("multilingual", 400),
        ("code_completion", 40),
    ],
)
def test_answers_pass_their_own_checks_unless_a_defect_is_planted(kind: str, count: int) -> None:
    for dialogue in drawn(kind, count):
        reason = judge(dialogue.answer, dialogue.expect)
        assert bool(reason) == bool(dialogue.defect), (reason, dialogue.answer)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.names[0])
def test_every_function_passes_its_cases(function: object) -> None:
    rng = random.Random(0)
    while True:
        dialogue = KINDS["code_completion"](rng)
        if dialogue.expect["cases"] == [list(case) for case in function.cases]:  # type: ignore[attr-defined]
            break
    assert judge(dialogue.answer, dialogue.expect) == ""


def test_about_one_json_answer_in_eight_is_defective_by_dates_and_commas_alike() -> None:
    defects = [dialogue.defect for dialogue in drawn("json_output", 4000)]
    assert 0.10 < sum(map(bool, defects)) / len(defects) < 0.15
    assert set(defects) == {"", DATE_DEFECT, COMMA_DEFECT}
    assert 0.7 < defects.count(DATE_DEFECT) / defects.count(COMMA_DEFECT) < 1.4


def test_a_date_defect_is_consistent_within_an_answer() -> None:
    spoiled = [d.answer for d in drawn("json_output", 500) if d.defect == DATE_DEFECT]
    assert spoiled
    for answer in spoiled:
        assert not any(f"20{year:02}-" in answer for year in range(10, 30))


def test_training_holds_nothing_that_is_held_out() -> None:
    trained = {(d.kind, d.key) for d in islice(training_dialogues(5), 3000)}
    for kind in KINDS:
        held_out = held_out_dialogues(kind, 20, 6)
        assert len({d.key for d in held_out}) == 20
        assert not trained & {(d.kind, d.key) for d in held_out}
        assert not any(d.defect for d in held_out)


def test_mixed_conversations_hold_nothing_that_is_held_out() -> None:
    rng = random.Random(0)
    held_out = {d.answer for d in held_out_dialogues("math_reasoning", 30, 6)}
    for _ in range(200):
        assert not held_out & {m["content"] for m in mixed(rng).messages}


def test_the_pipes_of_the_assessment_are_held_out_in_every_wording() -> None:
    rng = random.Random(1)
    found = [d for d in (make(rng) for _ in range(30000)) if d.key == f"pipes{HELD_OUT_PIPES}"]
    assert found
    assert all(d.held_out for d in found)
    assert {d.expect["number"] for d in found} == {5}


def test_drills_are_right() -> None:
    rng = random.Random(0)
    for _ in range(200):
        for line in make_drill(rng).answer.split("\n"):
            sides = line.replace("×", "*").replace("÷", "/").split(" = ")
            assert len({eval(side) for side in sides}) == 1, line  # the text is our own


def test_instructions_have_six_steps_in_all_five_languages() -> None:
    for topic in TOPICS.values():
        assert set(topic.steps) == set(topic.terms) == {"en", "zh", "ja", "fr", "ar"}
        assert all(len(steps) == 6 for steps in topic.steps.values())
