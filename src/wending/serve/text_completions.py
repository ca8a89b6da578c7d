"""POST /v1/completions: completes prompts as they are, without a chat template."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.engine.client import EngineClient
from wending.serve.generation import generate
from wending.serve.json_body import read_json_object
from wending.serve.openapi import request_body
from wending.serve.prompts import Prompt, prompt_token_ids
from wending.serve.report import Report, wants_report
from wending.serve.response import respond
from wending.serve.service import service_of, system_fingerprint
from wending.serve.taken_requests import TakenRequests
from wending.serve.tally import Tally
from wending.serve.text_answer import TextAnswer
from wending.serve.text_request import TextRequest

router = APIRouter()


@router.post("/v1/completions", summary="Complete prompts.", openapi_extra=request_body(TextRequest))
async def create_text_completion(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    asked = TextRequest.parse(await read_json_object(request, service.max_body_bytes))
    service.check_model(asked.model, client.info)
    params = asked.sampling_params(service.sampling_defaults())
    prompts = [await prompt_token_ids(client, "prompt", prompt) for prompt in asked.prompt]
    beginnings = [_text(client, prompt) if asked.echo else "" for prompt in asked.prompt]
    report = Report(params, client, service.generation_config) if wants_report(request, asked) else None
    tallies = [Tally(len(prompt)) for prompt in prompts]
    answer = TextAnswer(
        client.info.name, system_fingerprint(client.info), tallies, params.n, beginnings, report
    )
    deltas = await TakenRequests.begin(
        [
            generate(request, asked, prompt, params, f"{answer.id}-{number}", number * params.n)
            for number, prompt in enumerate(prompts)
        ],
        until_first=params.constraint is not None,
    )
    return await respond(request, asked, answer, deltas)


def _text(client: EngineClient, prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else client.decode(prompt)
