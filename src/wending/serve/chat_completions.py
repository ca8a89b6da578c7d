"""POST /v1/chat/completions: from the request to the engine, and from its deltas to the answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.chat_answer import ChatAnswer
from wending.serve.chat_prompt import prompt_of
from wending.serve.chat_request import ChatRequest
from wending.serve.conversation_report import ConversationReport
from wending.serve.generation import generate
from wending.serve.graceful_end import Ending, ending_well
from wending.serve.json_body import read_json_object
from wending.serve.openapi import request_body
from wending.serve.report import Report, wants_report
from wending.serve.response import respond
from wending.serve.service import service_of, system_fingerprint
from wending.serve.taken_requests import TakenRequests
from wending.serve.tally import Tally

router = APIRouter()


@router.post(
    "/v1/chat/completions", summary="Answer a conversation.", openapi_extra=request_body(ChatRequest)
)
async def create_chat_completion(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    chat = ChatRequest.parse(await read_json_object(request, service.max_body_bytes))
    service.check_model(chat.model, client.info)
    params = chat.sampling_params(service.sampling_defaults())
    prompt = await prompt_of(client, chat, service.conversation)
    endings = [Ending(client.decode, chat.cuts_sentences, chat.message_so_far) for _ in range(params.n)]
    conversation = ConversationReport(prompt, endings, chat.answer_tokens)
    # A stream gets no last chunk without choices unless it was asked for: not every client bears it.
    tells = prompt.dropped_turns > 0 and (not chat.stream or chat.include_usage)
    report = (
        Report(params, client, service.generation_config, conversation)
        if tells or wants_report(request, chat)
        else None
    )
    tally = Tally(len(prompt.token_ids))
    fingerprint = system_fingerprint(client.info)
    answer = ChatAnswer(client.info.name, fingerprint, tally, params.n, report, with_tools=bool(chat.tools))
    deltas = await TakenRequests.begin(
        [ending_well(generate(request, chat, prompt.token_ids, params, answer.id), endings)],
        until_first=params.constraint is not None,
    )
    response = await respond(request, chat, answer, deltas)
    response.headers.update(prompt.headers())
    return response
