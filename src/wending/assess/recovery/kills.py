"""The server's processes killed under load: how long until it answers, and what became of who waited."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import psutil

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.recovery.canary import Canary
from wending.assess.recovery.row import CANARY_GONE, Row
from wending.assess.target import OwnServer, TargetError

STREAMS = 6
TOKENS = 200
SHARE_BEFORE_KILL = 0.3
"""Of the time that the answers take undisturbed."""

NOT_OURS = Bilingual("not made: the server was not started here", "未进行：服务不是由本次评测启动的")
WORKER = Bilingual("SIGKILL of the process that computes", "以 SIGKILL 杀死计算进程")
SERVER = Bilingual("SIGKILL of the whole server, and a new start", "以 SIGKILL 杀死整个服务并重新启动")
ALL_FINISH = Bilingual(
    "all answers finish, with the bytes that they would have had", "所有回答完成，且字节不变"
)
COMES_BACK = Bilingual("it serves again after a new start", "重新启动后恢复服务")


async def kill_worker(client: EndpointClient, server: OwnServer | None, canary: Canary) -> Row:
    """The largest child of the server is the one that computes."""
    if server is None:
        return Row("kill_worker", WORKER, ALL_FINISH, NOT_OURS, None)
    children = psutil.Process(server.pid).children(recursive=True)
    if not children:
        no_child = Bilingual("not made: the server has one process", "未进行：服务只有一个进程")
        return Row("kill_worker", WORKER, ALL_FINISH, no_child, None)
    undisturbed, took = await _timed(client)
    asking = asyncio.create_task(_answers(client))
    await asyncio.sleep(SHARE_BEFORE_KILL * took)
    os.kill(max(children, key=lambda child: child.memory_info().rss).pid, signal.SIGKILL)
    killed = time.monotonic()
    answers = await asking
    seconds, equal = await canary.sing()
    lost = sum(answer is None for answer in answers)
    changed = sum(
        after is not None and before is not None and after != before
        for before, after in zip(undisturbed, answers, strict=True)
    )
    took = time.monotonic() - killed
    happened = Bilingual(
        f"of {STREAMS} streams in flight {lost} were lost and {changed} changed; {took:.1f} s",
        f"{STREAMS} 路进行中的流：丢失 {lost}，改变 {changed}；{took:.1f} 秒",
    )
    ok = not lost and not changed and seconds is not None and equal is not False
    return Row("kill_worker", WORKER, ALL_FINISH, happened, ok, seconds, equal)


async def kill_server(client: EndpointClient, server: OwnServer | None, canary: Canary) -> Row:
    """Whatever was in flight is lost: nobody can keep what dies with him."""
    if server is None:
        return Row("kill_server", SERVER, COMES_BACK, NOT_OURS, None)
    _, took = await _timed(client)
    asking = asyncio.create_task(_answers(client))
    await asyncio.sleep(SHARE_BEFORE_KILL * took)
    await server.kill()
    lost = sum(answer is None for answer in await asking)
    happened = Bilingual(
        f"{lost} of {STREAMS} streams in flight were lost", f"{STREAMS} 路进行中的流丢失 {lost} 路"
    )
    started = time.monotonic()
    await server.start()
    try:
        # A start may take far longer than the canary waits: weights are loaded again.
        await server.wait_until_ready(lambda _: None)
    except TargetError as error:
        happened = Bilingual(f"{happened}; {error.words}", f"{happened.zh}；{chinese(error.words)}")
        return Row("kill_server", SERVER, COMES_BACK, happened, False)
    took_to_start = time.monotonic() - started
    sang, equal = await canary.sing()
    seconds = None if sang is None else took_to_start + sang
    if seconds is None:
        happened = Bilingual(f"{happened}; {CANARY_GONE}", f"{happened.zh}；{CANARY_GONE.zh}")
    ok = seconds is not None and equal is not False
    return Row("kill_server", SERVER, COMES_BACK, happened, ok, seconds, equal)


async def _timed(client: EndpointClient) -> tuple[list[str | None], float]:
    """The answers undisturbed, and the seconds that they took."""
    started = time.monotonic()
    return await _answers(client), time.monotonic() - started


async def _answers(client: EndpointClient) -> list[str | None]:
    """Several streams at once; None for one that failed."""

    async def one(number: int) -> str | None:
        messages = [{"role": "user", "content": f"Tell me, in many words, of the number {number}."}]
        try:
            answer = await client.chat(
                messages, max_tokens=TOKENS, temperature=0.0, top_p=1.0, seed=1, patience_s=0
            )
        except EndpointError:
            return None
        return answer.text

    return list(await asyncio.gather(*(one(number) for number in range(STREAMS))))
