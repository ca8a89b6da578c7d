"""Finds the payload inside an answer: fenced blocks, code, JSON."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_CLOSED = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*\Z", re.MULTILINE)
_CODE_START = re.compile(r"^(?:def |async def |class |import |from \w|@)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: what stands inside, where the fence begins and ends in the answer, whether it was closed."""

    content: str
    start: int
    end: int
    closed: bool


def fenced_blocks(answer: str) -> list[Block]:
    """All fenced blocks of Markdown; a block that was never closed runs to the end of the answer."""
    return [
        Block(match[3], match.start(), match.end(), _CLOSED.search(match[0].rstrip()) is not None and match[0].count("\n") > 0)
        for match in _FENCE.finditer(answer)
    ]


def payload(answer: str) -> str:
    """The content of the single fenced block if there is exactly one, else the whole answer, stripped at the edges."""
    blocks = fenced_blocks(answer)
    return blocks[0].content.strip("\n") if len(blocks) == 1 else answer.strip("\n")


def around(answer: str) -> str:
    """What stands outside the fenced blocks of an answer that has any; empty for an answer without."""
    blocks = fenced_blocks(answer)
    if not blocks:
        return ""
    edges = [0, *(edge for block in blocks for edge in (block.start, block.end)), len(answer)]
    return " ".join(answer[low:high].strip() for low, high in zip(edges[::2], edges[1::2], strict=True)).strip()


def parse_python(source: str) -> ast.Module | str:
    """The syntax tree, or the reason why there is none."""
    try:
        return ast.parse(source)
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def python_code(answer: str) -> str:
    """The Python code of an answer, prose around it left out.

    Fenced blocks that parse are joined. Without a fence: the whole answer if it parses, else the longest part that begins at a
    line looking like code and parses, else the answer as it is.
    """
    blocks = fenced_blocks(answer)
    if blocks:
        parsing = [block.content for block in blocks if not isinstance(parse_python(block.content), str)]
        return "\n\n".join(parsing) if parsing else blocks[0].content
    if not isinstance(parse_python(answer), str):
        return answer
    for start in _CODE_START.finditer(answer):
        lines = answer[start.start() :].split("\n")
        for end in range(len(lines), 0, -1):
            source = "\n".join(lines[:end])
            if not isinstance(parse_python(source), str):
                return source
    return answer
