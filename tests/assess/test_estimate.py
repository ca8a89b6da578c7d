from __future__ import annotations

from dataclasses import replace

import pytest

from wending.assess.chat_answer import ChatAnswer
from wending.assess.estimate import estimate_s
from wending.assess.profile import PROFILES
from wending.assess.runner import Sampling
from wending.assess.scenarios import load_scenarios, of_levels
from wending.assess.wording import say_duration


def trial(tokens_per_s: float, ttft: float) -> ChatAnswer:
    answer = ChatAnswer(sent=0.0)
    for number in range(41):
        answer.add_content("x", ttft + number / tokens_per_s)
    answer.ended, answer.usage_tokens, answer.finish_reason = ttft + 40 / tokens_per_s, 41, "stop"
    return answer


def test_slower_endpoints_and_larger_profiles_take_longer() -> None:
    sampling, quick = Sampling(5, 1, 4), PROFILES["quick"]
    scenarios = of_levels(load_scenarios(["math_reasoning"]), quick.levels)

    def seconds(speed: float, profile: str = "quick", repeats: int = 5) -> float:
        return estimate_s(
            scenarios, replace(sampling, repeats=repeats), PROFILES[profile], 40.0, trial(speed, 0.1)
        )

    assert 45 < seconds(10_000) < 65
    assert seconds(10) > 10 * (seconds(1000) - 47.5)
    assert seconds(100, repeats=10) > seconds(100)
    assert seconds(100, "signoff") > seconds(100)
    nothing = replace(quick, agreement_repeats=0, response_format_repeats=0, context=None)
    assert estimate_s([], sampling, nothing, 40.0, trial(100, 0.1)) == 40.0


def test_an_answer_too_short_for_a_speed_stands_for_all_others() -> None:
    """The items have two to three hundred tokens; at a guessed speed they would take minutes."""
    quick = replace(PROFILES["quick"], response_format_repeats=0, context=None, agreement_repeats=0)
    scenarios = of_levels(load_scenarios(["math_reasoning"]), quick.levels)
    brief = ChatAnswer(0.0, "No.", [0.2], 0.25, "stop", 3)
    items = sum(len(scenario.items) for scenario in scenarios)
    found = estimate_s(scenarios, Sampling(5, 1, 3), quick, 40.0, brief)
    assert found == pytest.approx(40.0 + 5 * items * 0.25)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (2, "10 seconds", " 10 秒"),
        (64, "60 seconds", " 60 秒"),
        (250, "4 minutes", " 4 分钟"),
        (9000, "2.5 hours", " 2.5 小时"),
    ],
)
def test_durations(seconds: float, english: str, chinese: str) -> None:
    assert (say_duration(seconds, "en"), say_duration(seconds, "zh")) == (english, chinese)
