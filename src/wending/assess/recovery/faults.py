"""The faults: what each does, what a sound endpoint does then, and what was seen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.recovery.wire import Reply, Wire, close

HANG_UPS = 50
BURST_FACTOR = 10
HALF_OPEN = 20
SLOW_BYTES = 20

Seen = tuple[Bilingual, bool]
"""What happened, and whether it is what was expected."""

REFUSED = Bilingual("refused with a 4xx status that says why", "以 4xx 状态拒绝并说明原因")
REFUSED_OR_CLAMPED = Bilingual(
    "refused with a 4xx status, or answered within its limits", "以 4xx 拒绝，或在限度内回答"
)
REFUSED_OR_ANSWERED = Bilingual("refused with a 4xx status, or answered in time", "以 4xx 拒绝，或按时回答")
UNMOVED = Bilingual("others are answered as ever", "其他请求照常得到回答")


@dataclass(frozen=True, slots=True)
class Fault:
    id: str
    title: Bilingual
    expected: Bilingual
    make: Callable[[Wire, int], Awaitable[Seen]]
    """Given the connections and the capacity of the endpoint."""


def _refused(reply: Reply) -> Seen:
    return _said(reply), reply.is_refusal


def _refused_or_answered(reply: Reply) -> Seen:
    return _said(reply), reply.is_refusal or reply.status == 200


def _said(reply: Reply) -> Bilingual:
    if reply.status is None:
        return Bilingual(f"no status: {reply.how}", f"没有状态码：{reply.how}")
    if reply.status == 200:
        return Bilingual("answered with status 200", "以状态 200 回答")
    return Bilingual(f"status {reply.status}: {reply.how}", f"状态 {reply.status}：{reply.how}")


def _form(wire: Wire, schema: Any) -> dict[str, Any]:
    named = {"name": "answer", "schema": schema, "strict": True}
    return wire.body("Answer in JSON.", response_format={"type": "json_schema", "json_schema": named})


async def _malformed(wire: Wire, _: int) -> Seen:
    return _refused(await wire.send(b'{"model": "x", "messages": [{"role": '))


async def _wrong_types(wire: Wire, _: int) -> Seen:
    replies = [
        await wire.send(wire.body(messages="Hello")),
        await wire.send(wire.body(max_tokens="many")),
        await wire.send(wire.body(temperature=[1])),
    ]
    wrong = [reply for reply in replies if not reply.is_refusal]
    return _said(wrong[0] if wrong else replies[-1]), not wrong


async def _long_prompt(wire: Wire, _: int) -> Seen:
    return _refused(await wire.send(wire.body("far too long " * 300_000)))


async def _many_tokens(wire: Wire, _: int) -> Seen:
    return _refused_or_answered(await wire.send(wire.body("Say hi.", max_tokens=10**9)))


async def _bad_schema(wire: Wire, _: int) -> Seen:
    return _refused(await wire.send(_form(wire, {"type": "objekt", "properties": 5})))


async def _hard_pattern(wire: Wire, _: int) -> Seen:
    schema = {"type": "string", "pattern": "^(([a-z]{1,50}){1,50}){1,50}x$"}
    return _refused_or_answered(await wire.send(_form(wire, schema)))


async def _endless_schema(wire: Wire, _: int) -> Seen:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    return _refused_or_answered(await wire.send(_form(wire, schema)))


async def _hang_ups(wire: Wire, capacity: int) -> Seen:
    gate = asyncio.Semaphore(capacity)

    async def one(number: int) -> bool:
        async with gate:
            return await wire.hang_up(wire.body(f"Tell a long story, number {number}.", max_tokens=512))

    begun = sum(await asyncio.gather(*(one(number) for number in range(HANG_UPS))))
    words = Bilingual(f"{begun} of {HANG_UPS} streams had begun", f"{HANG_UPS} 路流中有 {begun} 路已开始")
    return words, begun > 0


async def _burst(wire: Wire, capacity: int) -> Seen:
    count = BURST_FACTOR * capacity
    asked = (wire.send(wire.body(f"What is {number} + 1?")) for number in range(count))
    replies = await asyncio.gather(*asked)
    found = Counter(reply.status for reply in replies)
    listed = ", ".join(f"{status or 'none'} x {number}" for status, number in found.most_common())
    words = Bilingual(f"{count} at once, by status: {listed}", f"同时 {count} 个，按状态：{listed}")
    return words, found.keys() <= {200, 429, 503}


async def _slow_reader(wire: Wire, _: int) -> Seen:
    """Reads a byte now and then. What others get meanwhile is seen by the canary that runs beside."""
    body = orjson.dumps(wire.body("Tell a very long story.", max_tokens=1024, stream=True))
    reader, writer = await wire.connect()
    try:
        writer.write(wire.head(len(body)) + body)
        await writer.drain()
        got = 0
        for _i in range(SLOW_BYTES):
            got += len(await asyncio.wait_for(reader.read(1), 30))
            await asyncio.sleep(0.1)
        meanwhile = await wire.send(wire.body("Say hello."))
    except (OSError, TimeoutError) as error:
        return Bilingual(f"it broke off: {error}", f"中途断开：{error}"), False
    finally:
        await close(writer)
    words = Bilingual(
        f"{got} bytes read in 2 s; another request meanwhile: {_said(meanwhile)}",
        f"2 秒内读了 {got} 字节；同时另一请求：{chinese(_said(meanwhile))}",
    )
    return words, meanwhile.status == 200


async def _half_open(wire: Wire, _: int) -> Seen:
    connections = []
    try:
        for _i in range(HALF_OPEN):
            _reader, writer = await wire.connect()
            connections.append(writer)
            writer.write(wire.head(1000)[:-2] + b"X-Never-Ends: ")
            await writer.drain()
        meanwhile = await wire.send(wire.body("Say hello."))
    except OSError as error:
        return Bilingual(f"connections were refused: {error}", f"连接被拒绝：{error}"), False
    finally:
        for writer in connections:
            await close(writer)
    words = Bilingual(
        f"{HALF_OPEN} open; another request meanwhile: {_said(meanwhile)}",
        f"{HALF_OPEN} 个半开连接；同时另一请求：{chinese(_said(meanwhile))}",
    )
    return words, meanwhile.status == 200


async def _same_id(wire: Wire, _: int) -> Seen:
    header = {"X-Request-Id": "the-same-id"}
    replies = await asyncio.gather(*(wire.send(wire.body("Say hello."), header) for _i in range(4)))
    wrong = [reply for reply in replies if reply.status != 200]
    return _said(wrong[0] if wrong else replies[0]), not wrong


FAULTS = (
    Fault("malformed_body", Bilingual("A body that is not JSON", "请求体不是 JSON"), REFUSED, _malformed),
    Fault("wrong_types", Bilingual("Fields of the wrong type", "字段类型错误"), REFUSED, _wrong_types),
    Fault("long_prompt", Bilingual("A prompt of 900,000 words", "90 万词的提示词"), REFUSED, _long_prompt),
    Fault(
        "many_tokens",
        Bilingual("max_tokens of a billion", "max_tokens 为十亿"),
        REFUSED_OR_CLAMPED,
        _many_tokens,
    ),
    Fault("bad_schema", Bilingual("A JSON schema that is none", "无效的 JSON Schema"), REFUSED, _bad_schema),
    Fault(
        "hard_pattern",
        Bilingual("A pathological pattern", "病态的正则表达式"),
        REFUSED_OR_ANSWERED,
        _hard_pattern,
    ),
    Fault(
        "endless_schema",
        Bilingual("A schema that refers to itself for ever", "无限自引用的 Schema"),
        REFUSED_OR_ANSWERED,
        _endless_schema,
    ),
    Fault(
        "hang_ups",
        Bilingual(f"{HANG_UPS} clients hang up mid-stream", f"{HANG_UPS} 个客户端中途断开"),
        UNMOVED,
        _hang_ups,
    ),
    Fault(
        "burst",
        Bilingual(f"A burst of {BURST_FACTOR} times the capacity", f"{BURST_FACTOR} 倍容量的突发请求"),
        Bilingual("answered, or told to come later (429, 503)", "得到回答，或被告知稍后再来（429、503）"),
        _burst,
    ),
    Fault(
        "slow_reader",
        Bilingual("A reader of ten bytes a second", "每秒只读十字节的客户端"),
        UNMOVED,
        _slow_reader,
    ),
    Fault(
        "half_open",
        Bilingual(f"{HALF_OPEN} requests that never end", f"{HALF_OPEN} 个永不结束的请求"),
        UNMOVED,
        _half_open,
    ),
    Fault("same_id", Bilingual("Four requests with the same id", "四个请求编号相同"), UNMOVED, _same_id),
)
