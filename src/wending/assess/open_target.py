"""A target made ready to be asked: what `wending assess`, `soak` and `load` begin with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from wending.assess.bilingual import Bilingual
from wending.assess.endpoint_errors import EndpointError
from wending.assess.target import OwnServer, Target, TargetError

END_BECOMES_KNOWN_S = 0.5
"""The end of a child process becomes known a moment after that of its sockets."""


@asynccontextmanager
async def open_target(
    target: Target,
    log: Path,
    *,
    starting: Callable[[], None],
    waiting: Callable[[float], None] = lambda _: None,
    beside: Callable[[OwnServer], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
) -> AsyncIterator[tuple[str, OwnServer | None]]:
    """The base URL; for a folder, that of a server which runs during the block, and the server.

    `starting` is called before a server is started, `waiting` with the seconds that it has taken so far;
    what `beside` gives is entered as soon as its process runs. The server's output goes to `log`. Raises
    TargetError when the server does not start, or for an EndpointError of the block after it died.
    """
    if target.base_url is not None:
        yield target.base_url, None
        return
    starting()
    async with OwnServer(target.folder, log) as server, beside(server):
        await server.wait_until_ready(waiting)
        try:
            yield server.base_url, server
        except EndpointError as error:
            await asyncio.sleep(END_BECOMES_KNOWN_S)
            if server.exit_status is None:
                raise
            end = server.describe_end()
            raise TargetError(Bilingual(f"the server died: {end}", f"服务已终止：{end.zh}")) from error
