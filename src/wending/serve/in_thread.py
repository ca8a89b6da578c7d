"""Work on texts without holding other requests up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")

# Tokenising a long text takes longer than other requests may be kept waiting; for a short one, handing it to
# a thread costs more than the work.
LONG_TEXT_CHARACTERS = 4096
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tokenizer")


async def in_thread_if_long(length: int, function: Callable[[A], T], argument: A) -> T:
    """`function` of `argument`, which has so many characters or tokens: in a thread if they are many."""
    if length < LONG_TEXT_CHARACTERS:
        return function(argument)
    return await asyncio.get_running_loop().run_in_executor(_threads, function, argument)
