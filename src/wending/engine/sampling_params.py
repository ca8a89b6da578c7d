"""How the tokens of one request are chosen. Plain values, checked once; `sampler.py` says how they act."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wending.engine.constraint import Constraint
from wending.engine.errors import InvalidRequest

Pooling = Literal["last", "mean"]
"""Which hidden state stands for a prompt: that of its last token, or the mean over all of its tokens."""

MAX_N = 128
MAX_LOGPROBS = 20  # the limit of OpenAI's `top_logprobs`
LARGEST_INTEGER = 2**63 - 1  # that a message to the engine's process can hold


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Sampling parameters. The defaults sample the model's own distribution, unaltered.

    A checkpoint's generation_config.json is never applied silently: copy its values here to use them.
    Raises InvalidRequest, which names the field and the value, when a value is outside its range.
    """

    temperature: float = 1.0
    """0 is greedy: the most likely token, the lowest id on a tie. Otherwise logits are divided by it."""
    top_p: float = 1.0
    """Keep the fewest most likely tokens whose probabilities sum to this or more, in (0, 1]. 1 is off."""
    top_k: int = 0
    """Keep this many most likely tokens. 0 (or -1) is off."""
    min_p: float = 0.0
    """Keep tokens at least this fraction as likely as the most likely one, in [0, 1]. 0 is off."""
    presence_penalty: float = 0.0
    """Subtracted once from the logit of each token that the completion already contains, in [-2, 2]."""
    frequency_penalty: float = 0.0
    """Subtracted from a token's logit for each time the completion already contains it, in [-2, 2]."""
    repetition_penalty: float = 1.0
    """Divides positive, multiplies negative logits of tokens in prompt or completion; in [0.01, 100]."""
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    """Added to the logits of these token ids, each in [-100, 100]."""
    seed: int | None = None
    """Seed of the random numbers, 64 bits. None: the engine draws one at admission and reports it."""
    stop: tuple[str, ...] = ()
    """Generation ends where one of these strings appears; neither it nor what follows is returned."""
    stop_token_ids: tuple[int, ...] = ()
    """Generation ends at one of these tokens, which is not part of the text."""
    max_tokens: int | None = None
    """Most tokens to generate. None, as any number too large, means up to the end of the context."""
    n: int = 1
    """How many independent completions of the prompt to make."""
    logprobs: int | None = None
    """Report log-probabilities of the chosen token and this many most likely ones (0: only the chosen)."""
    ignore_eos: bool = False
    """Do not end at the model's end-of-sequence tokens. A constrained answer ends there all the same."""
    min_tokens: int = 0
    """So many tokens come before anything but `max_tokens` ends the completion: until then end-of-sequence
    and stop tokens cannot be chosen, and stop strings are part of the text."""
    hidden_state: Pooling | None = None
    """Report the model's final hidden state of the prompt, with the first token. A mean needs every token of
    the prompt to be computed, whatever the prefix cache holds."""
    constraint: Constraint | None = None
    """The form that the whole answer keeps to, and has reached when the tokens run out."""

    def __post_init__(self) -> None:
        _number("temperature", self.temperature, 0.0, math.inf)
        _number("top_p", self.top_p, 0.0, 1.0, above_low=True)
        _integer("top_k", self.top_k, -1)
        _number("min_p", self.min_p, 0.0, 1.0)
        _number("presence_penalty", self.presence_penalty, -2.0, 2.0)
        _number("frequency_penalty", self.frequency_penalty, -2.0, 2.0)
        _number("repetition_penalty", self.repetition_penalty, 0.01, 100.0)
        _integer("n", self.n, 1, MAX_N)
        if self.seed is not None:
            _integer("seed", self.seed, -(2**63), 2**64 - 1)
        if self.max_tokens is not None:
            _integer("max_tokens", self.max_tokens, 1)
        _integer("min_tokens", self.min_tokens, 0)
        if self.max_tokens is not None and self.min_tokens > self.max_tokens:
            raise InvalidRequest(
                "min_tokens", f"must be at most max_tokens, which is {self.max_tokens}, got {self.min_tokens}"
            )
        if self.logprobs is not None:
            _integer("logprobs", self.logprobs, 0, MAX_LOGPROBS)
        if not isinstance(self.ignore_eos, bool):
            raise InvalidRequest("ignore_eos", f"must be true or false, got {self.ignore_eos!r}")
        if self.hidden_state not in (None, "last", "mean"):
            raise InvalidRequest("hidden_state", f"must be 'last' or 'mean', got {self.hidden_state!r}")
        if self.constraint is not None and not isinstance(self.constraint, Constraint):
            raise InvalidRequest("constraint", f"must be a Constraint, got {self.constraint!r}")
        if self.constraint is not None and self.min_tokens:
            raise InvalidRequest("min_tokens", f"cannot be kept together with {self.constraint.field!r}")
        # A frozen dataclass stores its normalised values this way.
        object.__setattr__(self, "logit_bias", _logit_bias(self.logit_bias))
        object.__setattr__(self, "stop", _stop(self.stop))
        object.__setattr__(self, "stop_token_ids", _token_ids("stop_token_ids", self.stop_token_ids))

    @property
    def greedy(self) -> bool:
        """Whether the most likely token is taken and no random number is drawn."""
        return self.temperature == 0.0


def _number(field_name: str, value: Any, low: float, high: float, above_low: bool = False) -> None:
    """Refuse what is not a finite number from `low` (left out if `above_low`) to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidRequest(field_name, f"must be a finite number, got {value!r}")
    if value < low or value > high or (above_low and value == low):
        relation = f"greater than {low:g}" if above_low else f"at least {low:g}"
        limit = "" if high == math.inf else f" and at most {high:g}"
        raise InvalidRequest(field_name, f"must be {relation}{limit}, got {value!r}")


def _integer(field_name: str, value: Any, low: int, high: int = LARGEST_INTEGER) -> None:
    """Refuse what is not an integer from `low` to `high`, both included."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(field_name, f"must be an integer, got {value!r}")
    if value < low or value > high:
        limit = "" if high == LARGEST_INTEGER and value < low else f" and at most {high}"
        raise InvalidRequest(field_name, f"must be at least {low}{limit}, got {value!r}")


def _token_ids(field_name: str, value: Any) -> tuple[int, ...]:
    """Token ids as a tuple. Whether they lie in the vocabulary is checked at admission, where it is known."""
    if not isinstance(value, list | tuple):
        raise InvalidRequest(field_name, f"must be a list of token ids, got {value!r}")
    for token_id in value:
        _integer(field_name, token_id, 0)
    return tuple(value)


def _stop(value: Any) -> tuple[str, ...]:
    """Stop strings as a tuple; a single string counts as one."""
    strings = (value,) if isinstance(value, str) else value
    if not isinstance(strings, list | tuple) or not all(isinstance(string, str) for string in strings):
        raise InvalidRequest("stop", f"must be a string or a list of strings, got {value!r}")
    if "" in strings:
        raise InvalidRequest("stop", "must not contain the empty string")
    return tuple(strings)


def _logit_bias(value: Any) -> dict[int, float]:
    """A private copy of the biases, so that a caller's later change cannot reach a running request."""
    if not isinstance(value, Mapping):
        raise InvalidRequest("logit_bias", f"must map token ids to numbers, got {value!r}")
    for token_id, bias in value.items():
        _integer("logit_bias", token_id, 0)
        _number("logit_bias", bias, -100.0, 100.0)
    return dict(value)
