"""Who may import whom: the layers of docs/life-of-a-request.md, read from the code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import wending

PACKAGE = Path(wending.__file__).parent

# Layer -> what it may import of wending, beside itself and the package's root (version).
ALLOWED = {
    "assess": {"demo"},
    "chat": {"engine", "demo"},
    "serve": {"engine", "demo"},
    "engine": {"model", "demo"},
    "model": {"_kernels"},
    "demo": set(),
}


def imported_layers(path: Path) -> set[str]:
    """The first name under `wending` of everything a file imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    layers = {name.split(".")[1] for name in names if name.startswith("wending.")}
    return layers & {*ALLOWED, "_kernels", "cli"}


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_lies_below_it(layer: str) -> None:
    files = sorted((PACKAGE / layer).rglob("*.py"))
    assert files
    for path in files:
        surplus = imported_layers(path) - ALLOWED[layer] - {layer}
        assert not surplus, f"{path.relative_to(PACKAGE)} imports {sorted(surplus)}"
