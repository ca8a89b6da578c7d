"""A process of its own that checks answers: `python -m wending.serve.guard.judge_process`.

A schema and an answer may be made so that checking takes for ever, inside a library that cannot be
interrupted. So it is done where it can be killed: the kernel does that when a check has computed too long,
also when whoever started this process is gone.

Messages are JSON, each behind its length in four bytes. In: {"schema", "text"}. Out: {"invalid_schema":
[pointer, reason]} or {"verdict": [text, repairs, problems]}.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from functools import lru_cache
from typing import IO, Any

from wending.serve.guard.answer_schema import AnswerSchema, InvalidSchema
from wending.serve.guard.check_answer import check_answer

CHECK_LIMIT_S = 2.0  # of computing, so that a busy machine makes no answer invalid
MEMORY_LIMIT_BYTES = 2 * 2**30
LENGTH = struct.Struct("<I")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    for each in (signal.SIGINT, signal.SIGHUP):  # are for the server, which closes our input when it ends
        signal.signal(each, signal.SIG_IGN)
    while len(head := sys.stdin.buffer.read(LENGTH.size)) == LENGTH.size:
        question = json.loads(sys.stdin.buffer.read(LENGTH.unpack(head)[0]))
        signal.setitimer(signal.ITIMER_PROF, CHECK_LIMIT_S)  # SIGPROF ends the process
        answer = _answer(question["schema"], question["text"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(sys.stdout.buffer, answer)


def _answer(schema: str, text: str | None) -> dict[str, Any]:
    try:
        compiled = _compiled(schema)
    except InvalidSchema as error:
        return {"invalid_schema": [error.pointer, error.reason]}
    if text is None:
        return {}
    verdict = check_answer(text, compiled)
    return {"verdict": [verdict.text, verdict.repairs, verdict.problems]}


@lru_cache(maxsize=64)
def _compiled(schema: str) -> AnswerSchema:
    return AnswerSchema(json.loads(schema))


def _write(output: IO[bytes], message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    output.write(LENGTH.pack(len(body)) + body)
    output.flush()


if __name__ == "__main__":
    main()
