"""The native operation that chooses tokens, for the engine: it sees the kernels through this layer only."""

from wending._kernels import RowSampler, SampledRow, sample

__all__ = ["RowSampler", "SampledRow", "sample"]
