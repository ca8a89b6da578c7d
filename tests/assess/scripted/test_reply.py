"""What becomes of requests: planted shares, defects that checks find, and the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from wending.assess.scripted.reply import Reply, ReplyMaker, tokens_of
from wending.assess.scripted.script import Answer, Failures, Script, UnderLoad

EMPLOYEE = '[{"name": "Ada", "joined": "2021-03-04"}]'


def request(number: int = 0, content: str = "Name an employee.", **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}], "seed": number, **fields}


def text(reply: Reply) -> str:
    return "".join(reply.tokens or ())


def replies(script: Script, count: int, streams: int = 1, **fields: Any) -> list[Reply]:
    maker = ReplyMaker(script)
    return [maker.reply(request(number, **fields), streams, 0.0) for number in range(count)]


def test_failures_come_at_their_rate() -> None:
    planted = Failures(http_error=0.1, hang=0.05, reset=0.2, cut_off=0.15)
    found = Counter(reply.fate for reply in replies(Script(failures=planted), 4000))
    for fate, share in [
        ("http_error", 0.1),
        ("hang", 0.05),
        ("reset", 0.2),
        ("cut_off", 0.15),
        ("answer", 0.5),
    ]:
        assert found[fate] / 4000 == pytest.approx(share, abs=0.025)  # type: ignore[index]


def test_the_same_requests_meet_the_same_in_any_order() -> None:
    script = Script(failures=Failures(http_error=0.3, cut_off=0.3), ttft_s=0.1)
    forwards, backwards = ReplyMaker(script), ReplyMaker(script)
    numbers = [*range(20), *range(20)]
    one = Counter((n, forwards.reply(request(n), 1, 0.0).fate) for n in numbers)
    other = Counter((n, backwards.reply(request(n), 1, 0.0).fate) for n in reversed(numbers))
    assert one == other
    # A repeated request is drawn anew.
    fates = {forwards.reply(request(3), 1, 0.0).fate for _ in range(40)}
    assert fates == {"http_error", "cut_off", "answer"}


def test_defects_are_those_that_the_checks_look_for() -> None:
    answers = (Answer("employee", (EMPLOYEE,)),)

    def share(failures: Failures, is_bad: Any, **fields: Any) -> float:
        found = replies(Script(answers=answers, failures=failures), 1000, **fields)
        return sum(map(is_bad, map(text, found))) / 1000

    def broken(said: str) -> bool:
        try:
            json.loads(said)
        except ValueError:
            return True
        return False

    assert share(Failures(), broken) == 0
    assert share(Failures(broken_json=0.2), broken) == pytest.approx(0.2, abs=0.05)
    assert share(Failures(wrong_date=0.2), lambda said: "2021-02-30" in said) == pytest.approx(0.2, abs=0.05)
    assert share(Failures(date_format=0.2), lambda said: "2021/03/04" in said) == pytest.approx(0.2, abs=0.05)
    assert share(Failures(empty=0.2), lambda said: not said) == pytest.approx(0.2, abs=0.05)
    # Nobody can lose a role that was not given.
    assert share(Failures(wrong_role=1.0), lambda said: "AI language model" in said) == 0
    messages = [{"role": "system", "content": "You are Ada."}, {"role": "user", "content": "Who are you?"}]
    reply = ReplyMaker(Script(failures=Failures(wrong_role=1.0))).reply({"messages": messages}, 1, 0.0)
    assert "AI language model" in text(reply)


def test_a_truncated_answer_is_half_of_one_and_says_so() -> None:
    answers = (Answer("", ("one two three four five",)),)
    [cut] = replies(Script(answers=answers, failures=Failures(truncated=1.0)), 1)
    assert (cut.length, cut.finish_reason) == (3, "length")
    [shorter] = replies(Script(answers=answers, failures=Failures(truncated=1.0)), 1, max_tokens=2)
    assert (shorter.length, shorter.finish_reason) == (2, "length")


def test_answers_change_under_load_only() -> None:
    script = Script(answers=(Answer("sum", ("The sum is 19.",)),), under_load=UnderLoad(4, 1.0))
    assert {text(reply) for reply in replies(script, 5, streams=4, content="the sum")} == {"The sum is 19."}
    assert {text(reply) for reply in replies(script, 5, streams=5, content="the sum")} == {"The sum is 10."}


def test_a_text_may_use_what_its_pattern_found() -> None:
    script = Script(answers=(Answer(r"start at (\d+)", (r"id \1",)),))
    [reply] = replies(script, 1, content="ids start at 42 please")
    assert text(reply) == "id 42"


def test_tokens_make_up_their_text() -> None:
    for said in ("One two.", "  indented\n  text \n", "你好 world，再见", "", EMPLOYEE):
        assert "".join(tokens_of(said)) == said
    assert len(tokens_of("你好 world")) == 3


def test_an_answer_is_cut_at_max_tokens_and_drifts() -> None:
    maker = ReplyMaker(Script(tokens=10, ttft_s=0.5, token_s=0.1, drift_s_per_hour=2.0))
    reply = maker.reply(request(max_tokens=4), 1, 1800.0)
    assert (reply.length, reply.finish_reason) == (4, "length")
    assert list(islice(reply.gaps, 3)) == [1.5, 0.1, 0.1]
    assert maker.reply(request(max_tokens=10), 1, 0.0).finish_reason == "stop"
