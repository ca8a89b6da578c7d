"""The training loop: Muon for the matrices (Jordan et al. 2024), AdamW for the rest; float32; resumable.

Data-parallel over processes with one thread each: on a shared CPU that is far quicker than one process with
several threads, which wait for each other at every operation instead of once a step.  Float32, because torch
is faster with it than with BF16 on CPUs without matrix units.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from train.initial import held, initialize
from train.model import Qwen2, Qwen2Shape
from train.pack import Batch

AVERAGE_DECAY = 0.99
"""The weights that are kept are a running average over about a hundred steps (Polyak & Juditsky 1992)."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    `knots` are pairs of a step and the factor on the rates there; between them the factor is linear, and the
    last ends the training.  Each worker takes `batches_per_step` batches a step.
    """

    knots: tuple[tuple[int, float], ...]
    batches_per_step: int = 1
    matrix_rate: float = 0.0015
    other_rate: float = 0.0015

    @property
    def steps(self) -> int:
        return self.knots[-1][0]

    def factor(self, step: int) -> float:
        for (start, low), (end, high) in pairwise(self.knots):
            if step < end:
                return low + (high - low) * (step - start) / (end - start)
        return self.knots[-1][1]


@dataclass(frozen=True)
class Job:
    """What a worker needs; `data(start)` gives batch number `start` and those that follow, alike to all."""

    shape: Qwen2Shape
    schedule: Schedule
    data: Callable[[int], Iterator[Batch]]
    folder: Path
    seed: int
    workers: int = 2
    save_every: int = 100


class Optimizer:
    """Muon, whose costly update is shared out among the workers by matrix, and AdamW in every worker."""

    def __init__(self, model: Qwen2, schedule: Schedule, rank: int, workers: int) -> None:
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        self.matrices = [p for n, p in named if p.dim() == 2 and "embed_tokens" not in n]
        embeddings = [p for n, p in named if "embed_tokens" in n]
        vectors = [p for _, p in named if p.dim() == 1]
        self.rank, self.workers = rank, workers
        self.muon = torch.optim.Muon(
            self.matrices[rank::workers],
            lr=schedule.matrix_rate,
            weight_decay=0.05,
            adjust_lr_fn="match_rms_adamw",
        )
        self.adam = torch.optim.AdamW(
            [{"params": embeddings, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}],
            lr=schedule.other_rate,
            betas=(0.9, 0.95),
        )
        self.rates = ((self.muon, schedule.matrix_rate), (self.adam, schedule.other_rate))

    def step(self, factor: float) -> None:
        for optimizer, rate in self.rates:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()  # type: ignore[no-untyped-call]
        for owner in range(self.workers):
            owned = self.matrices[owner :: self.workers]
            flat = torch.cat([p.detach().flatten() for p in owned])
            dist.broadcast(flat, owner)
            if owner != self.rank:
                scatter(flat, owned)

    def state(self) -> dict[str, Any]:
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


def scatter(flat: Tensor, targets: list[nn.Parameter]) -> None:
    """Writes consecutive pieces of `flat` into the parameters."""
    with torch.no_grad():
        for target, piece in zip(targets, torch.split(flat, [t.numel() for t in targets]), strict=True):
            target.copy_(piece.view_as(target))


def gradient(model: Qwen2, batches: list[Batch]) -> tuple[float, float, Tensor]:
    """Summed loss, summed weights, and the flat gradient of the summed loss over this worker's batches."""
    model.zero_grad(set_to_none=True)
    total, weight = 0.0, 0.0
    for batch in batches:
        ids, targets, weights = map(torch.from_numpy, (batch.ids, batch.targets, batch.weights))
        loss = model.loss(ids, targets, weights)
        torch.autograd.backward(loss)
        total, weight = total + loss.item(), weight + float(weights.sum())
    return total, weight, torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def worker(rank: int, job: Job) -> None:
    torch.set_num_threads(1)
    job.folder.mkdir(parents=True, exist_ok=True)
    dist.init_process_group(
        "gloo", init_method=f"file://{job.folder / 'rendezvous'}", rank=rank, world_size=job.workers
    )
    model = Qwen2(job.shape)
    initialize(model, job.seed)
    for parameter in held(model):
        parameter.requires_grad_(False)
    schedule, optimizer = job.schedule, Optimizer(model, job.schedule, rank, job.workers)
    state_path = job.folder / f"state.{rank}.pt"
    first = 0
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load(state["optimizer"])
        first = state["step"]
    average = state.get("average", model.state_dict()) if first else model.state_dict()
    average = {name: tensor.clone() for name, tensor in average.items()}
    data = job.data(first * schedule.batches_per_step * job.workers)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    seen, since, losses = 0, time.monotonic(), []
    for step in range(first, schedule.steps):
        taken = [next(data) for _ in range(schedule.batches_per_step * job.workers)]
        total, weight, flat = gradient(model, taken[rank :: job.workers])
        summed = torch.cat([flat, torch.tensor([total, weight])])
        dist.all_reduce(summed)
        loss = (summed[-2] / summed[-1]).item()
        mean = summed[:-2] / summed[-1]
        mean *= min(1.0, 1.0 / (mean.norm().item() + 1e-6))
        for parameter, piece in zip(
            parameters, torch.split(mean, [p.numel() for p in parameters]), strict=True
        ):
            parameter.grad = piece.view_as(parameter)
        optimizer.step(schedule.factor(step))
        for name, tensor in model.state_dict().items():
            average[name].lerp_(tensor, 1 - AVERAGE_DECAY)
        losses.append(loss)
        seen += sum(batch.ids.size for batch in taken)
        last = step + 1 == schedule.steps
        if rank == 0 and ((step + 1) % 20 == 0 or last):
            elapsed = time.monotonic() - since
            line = {
                "step": step + 1,
                "loss": round(sum(losses) / len(losses), 4),
                "seconds": round(elapsed, 1),
                "tokens": seen,
            }
            with (job.folder / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
            print(line, round(seen / elapsed), "tokens/s", flush=True)
            seen, since, losses = 0, time.monotonic(), []
        if (step + 1) % job.save_every == 0 or last:
            temporary = state_path.with_suffix(".partial")
            state = {"model": model.state_dict(), "average": average}
            torch.save(state | {"optimizer": optimizer.state(), "step": step + 1}, temporary)
            dist.barrier()
            temporary.replace(state_path)
    dist.destroy_process_group()


def train(job: Job) -> dict[str, Tensor]:
    """Trains with `job.workers` processes and returns the weights.

    Resumes from job.folder/state.*.pt if present, and appends a line every 20 steps to job.folder/log.jsonl.
    The result depends on the number of workers.
    """
    (job.folder / "rendezvous").unlink(missing_ok=True)
    torch.multiprocessing.spawn(  # type: ignore[no-untyped-call, attr-defined]
        worker, args=(job,), nprocs=job.workers
    )
    (job.folder / "rendezvous").unlink(missing_ok=True)
    weights: dict[str, Tensor] = torch.load(job.folder / "state.0.pt", weights_only=True)["average"]
    return weights
