"""The process of a server on this machine that somebody else started."""

from __future__ import annotations

import psutil

from wending.assess.bilingual import Bilingual
from wending.assess.target import Target, TargetError


def foreign_process(pid: int | None, target: Target) -> psutil.Process | None:
    """The process of this number; None where none was given. Raises TargetError if there is none, or if the
    target's server is started here and needs none."""
    if pid is None:
        return None
    if target.base_url is None:
        raise TargetError(
            Bilingual(
                "--pid is for a server that runs already; that of a checkpoint is started and sampled here",
                "--pid 用于已在运行的服务；模型文件夹的服务由本程序启动并采样",
            )
        )
    try:
        return psutil.Process(pid)
    except psutil.Error:
        raise TargetError(Bilingual(f"--pid {pid}: no such process", f"--pid {pid}：没有这个进程")) from None
