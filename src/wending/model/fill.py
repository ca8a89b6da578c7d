"""Puts the matrices of a checkpoint into a weight, a part at a time."""

from __future__ import annotations

from wending import _kernels as ops
from wending.model.checkpoint import Checkpoint
from wending.model.errors import CheckpointError
from wending.model.weight_format import Format

VALUES_AT_ONCE = 1 << 23
"""What is unpacked takes up to 16 bytes a value on its way, so this is 128 MB at the most."""
ROW_STEP = 32  # outputs in a panel


def fill(
    weight: ops.Weight, first: int, outputs: int, checkpoint: Checkpoint, name: str, format: Format
) -> None:
    """Puts the matrix `name`, of `outputs` rows, at row `first` of a weight of `format`.

    A matrix that was published as codes keeps them where the format can hold them; any other is rounded to
    the format. The file's memory is given back part by part, so that a checkpoint is never in memory beside
    its packed weights. Raises CheckpointError for values that cannot be kept.
    """
    step = max(VALUES_AT_ONCE // weight.inputs // ROW_STEP, 1) * ROW_STEP
    for begin in range(0, outputs, step):
        rows = slice(begin, min(begin + step, outputs))
        codes = checkpoint.codes(name, rows)
        ready = codes and codes.as_format(format)
        try:
            if ready is not None:
                weight.fill_codes(first + begin, ready.codes, ready.scales, ready.offsets)
            else:
                weight.fill(first + begin, checkpoint.tensor(name, rows) if codes is None else codes.values())
        except ValueError as error:
            where = f"tensor {name}, from row {begin} on: {error}"
            raise CheckpointError(checkpoint.path, where) from None
        checkpoint.release(name)
