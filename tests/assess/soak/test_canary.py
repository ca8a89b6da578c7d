"""Canaries that hang are told of like those that fail."""

from __future__ import annotations

from wending.assess.endpoint import EndpointClient
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.script import Failures
from wending.assess.soak.canary import PROMPTS, CanarySet


async def test_a_canary_that_hangs_has_timed_out_and_so_have_those_after_it() -> None:
    script = Script(failures=Failures(hang=1))
    async with ScriptedServer(script) as server, EndpointClient(server.base_url, model="m") as client:
        answers = await CanarySet(client).sing(0.2)
    assert [(answer.id, answer.equal, answer.error) for answer in answers] == [
        (name, None, "timeout") for name in PROMPTS
    ]


async def test_answers_in_time_are_compared() -> None:
    async with (
        ScriptedServer(Script(tokens=3)) as server,
        EndpointClient(server.base_url, model="m") as client,
    ):
        canaries = CanarySet(client)
        await canaries.learn()
        assert all(answer.equal for answer in await canaries.sing(30.0))
