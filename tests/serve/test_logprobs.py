from __future__ import annotations

import math

from wending.engine.client import TokenLogprob, TopLogprob
from wending.serve.logprobs import TextLogprobs, chat_logprobs


def token(octets: bytes, logprob: float = -0.5, *top: TopLogprob) -> TokenLogprob:
    return TokenLogprob(1, octets.decode("utf-8", "replace"), list(octets), logprob, list(top))


def top(octets: bytes, logprob: float) -> TopLogprob:
    return TopLogprob(2, octets.decode("utf-8", "replace"), list(octets), logprob)


def test_text_offsets_count_whole_characters_over_all_pieces() -> None:
    lists = TextLogprobs()
    assert lists.next([token(b"ab"), token(b"\xe7\xa8")])["text_offset"] == [0, 2]
    assert lists.next([token(b"\xb3"), token(b""), token("👋".encode())])["text_offset"] == [2, 3, 3]
    assert lists.next([token(b"!")])["text_offset"] == [4]


def test_a_token_that_is_no_whole_characters_is_written_as_bytes() -> None:
    lists = TextLogprobs().next([token(b"\xe7\xa8", -0.5, top(b"\xe7\xa8", -0.5), top(b"\xe7\xa9", -2.0))])
    assert lists["tokens"] == ["bytes:\\xe7\\xa8"]
    assert lists["top_logprobs"] == [{"bytes:\\xe7\\xa8": -0.5, "bytes:\\xe7\\xa9": -2.0}]


def test_the_chosen_token_is_among_the_most_likely_ones_and_of_equal_texts_the_likelier_counts() -> None:
    lists = TextLogprobs().next([token(b"c", -9.0, top(b"a", -0.1), top(b"a", -3.0))])
    assert lists["top_logprobs"] == [{"a": -0.1, "c": -9.0}]


def test_every_number_is_one_that_json_has() -> None:
    for logprob in (math.nan, -math.inf, math.inf, -1e30):
        unlikely = token(b"a", logprob, top(b"b", logprob))
        assert TextLogprobs().next([unlikely])["token_logprobs"] == [-9999.0]
        written = chat_logprobs([unlikely])
        assert written is not None
        assert written["content"][0]["top_logprobs"][0]["logprob"] == -9999.0


def test_none_were_asked_for() -> None:
    assert chat_logprobs(None) is None
