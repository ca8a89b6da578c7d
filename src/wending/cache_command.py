"""`wending cache`: what the weight cache holds, and how to empty it."""

from __future__ import annotations

import sys
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from wending.engine.budget import format_bytes
from wending.model.weight_cache import WeightCache, default_folder, default_limit


def list_cache(language: str) -> int:
    """Prints each file of the cache, last used first. The result is the exit code."""
    cache = _cache()
    if cache is None:
        return 1
    files = cache.files()
    size, limit = format_bytes(sum(entry.nbytes for entry in files)), format_bytes(cache.limit)
    if language == "zh":
        heading = ("模型", "精度", "大小", "上次使用")
        print(f"{cache.folder}：{len(files)} 份权重，共 {size}，上限 {limit}，且不超过磁盘可用空间的一半")
    else:
        heading = ("model", "precision", "size", "last used")
        print(f"{cache.folder}: {len(files)} weights, {size} of at most {limit} and half of the free disk")
    rows = [
        (entry.model, entry.precision, format_bytes(entry.nbytes), _time(entry.last_used)) for entry in files
    ]
    if rows:
        widths = [max(map(cell_len, column)) for column in zip(heading, *rows, strict=True)]
        for row in (heading, *rows):
            print("  " + "  ".join(map(set_cell_size, row, widths)).rstrip())
    return 0


def clear_cache(language: str) -> int:
    """Empties the cache. The result is the exit code."""
    cache = _cache()
    if cache is None:
        return 1
    try:
        freed = format_bytes(cache.clear())
    except OSError as error:
        print(f"wending cache: {error}", file=sys.stderr)
        return 1
    print(f"{cache.folder}：已清除 {freed}" if language == "zh" else f"{cache.folder}: {freed} cleared")
    return 0


def _cache() -> WeightCache | None:
    try:
        return WeightCache(default_folder(), default_limit())
    except (RuntimeError, ValueError) as error:
        print(f"wending cache: {error}", file=sys.stderr)
        return None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
