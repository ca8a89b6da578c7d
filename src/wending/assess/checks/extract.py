"""Finds the payload inside an answer: fenced blocks, Python code, what stands around them."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

# The compiler warns about such things as "\d" in a plain string; for judged answers that is not printed.
warnings.filterwarnings("ignore", category=SyntaxWarning, module="<answer>")
warnings.filterwarnings("ignore", category=DeprecationWarning, module="<answer>")

_FENCE = re.compile(
    r"^[ \t]*(?P<mark>`{3,}|~{3,})[^\n`]*(?:\n|\Z)(?P<content>.*?)(?P<end>^[ \t]*(?P=mark)[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_CODE_START = re.compile(r"^(?:def |async def |class |import |from \w|@\w)", re.MULTILINE)
_LOOKS_LIKE_CODE = re.compile(
    r"[#@)\]}]|(?:from|import|(?:async )?def|class|if|elif|for|while|try|except|finally|else|with)\b"
    r"|(?:return|raise|pass|assert)\b"
    r"|[A-Za-z_][\w.\[\]]*\s*(?:[-+*/]?=|\(|:\s*\w+\s*=)"
)
_STARTS_TRIED = 8


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: what stands inside, where the fence begins and ends, whether it was closed."""

    content: str
    start: int
    end: int
    closed: bool


def fenced_blocks(answer: str) -> list[Block]:
    """All fenced blocks of Markdown; a block that was never closed runs to the end of the answer."""
    return [
        Block(match["content"], match.start(), match.end(), bool(match["end"]))
        for match in _FENCE.finditer(answer)
    ]


def payload(answer: str) -> str:
    """The content of the only fenced block, else the whole answer; no empty lines at the edges."""
    blocks = fenced_blocks(answer)
    return (blocks[0].content if len(blocks) == 1 else answer).strip("\n")


def around(answer: str) -> str:
    """What stands outside the fenced blocks of an answer that has any; empty for an answer without."""
    blocks = fenced_blocks(answer)
    if not blocks:
        return ""
    edges = [0, *(edge for block in blocks for edge in (block.start, block.end)), len(answer)]
    return " ".join(
        answer[low:high].strip() for low, high in zip(edges[::2], edges[1::2], strict=True)
    ).strip()


def parse_python(source: str) -> ast.Module | str:
    """The syntax tree, or the reason why there is none."""
    try:
        # Compiling finds what parsing alone lets through, such as a return outside a function.
        compile(source, "<answer>", "exec", dont_inherit=True)
        return ast.parse(source, "<answer>")
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def has_statements(tree: ast.Module | str) -> bool:
    """Is there more than bare expressions? A single word parses as Python too."""
    return not isinstance(tree, str) and any(not isinstance(node, ast.Expr) for node in tree.body)


@lru_cache(maxsize=32)
def python_code(answer: str) -> str:
    """The Python code of an answer, prose around it left out.

    Fenced blocks that parse are joined. Bare text: all of it, unless a part that begins at a line of code
    parses and the rest is prose. Broken code is never cut down to a part that happens to parse: the whole
    answer is returned.
    """
    blocks = fenced_blocks(answer)
    if blocks:
        parsing = [block.content for block in blocks if has_statements(parse_python(block.content))]
        return "\n\n".join(parsing) if parsing else payload(answer)
    if has_statements(parse_python(answer)):
        return answer
    for start in islice(_CODE_START.finditer(answer), _STARTS_TRIED):
        code = _parsing_head(answer[start.start() :])
        if code and _is_prose(answer[: start.start()]) and _is_prose(answer[start.start() + len(code) :]):
            return code
    return answer


def prose_beside_code(answer: str) -> str:
    """What is said outside the fences, or before and after bare code; empty when there is only code."""
    if fenced_blocks(answer):
        return around(answer)
    code = python_code(answer)
    if code == answer:
        only_code = has_statements(parse_python(answer)) or not _is_prose(answer)
        return "" if only_code else answer.strip()
    return answer.replace(code, "\n").strip()


def _parsing_head(text: str) -> str:
    """The longest head of whole lines that parses: cut before the line each syntax error names."""
    lines = text.splitlines(keepends=True)
    while lines:
        try:
            ast.parse("".join(lines), "<answer>")
            return "".join(lines)
        except SyntaxError as error:
            lines = lines[: min(len(lines), error.lineno or len(lines)) - 1]
        except (ValueError, RecursionError, MemoryError):
            return ""
    return ""


def _is_prose(text: str) -> bool:
    """Does the first line with anything in it not look like code? Broken code leaves a rest that does."""
    first = next((line for line in text.splitlines() if line.strip()), None)
    if first is None:
        return True
    return not first.startswith((" ", "\t")) and _LOOKS_LIKE_CODE.match(first) is None
