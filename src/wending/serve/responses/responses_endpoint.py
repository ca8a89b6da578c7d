"""POST /v1/responses: from the request to the engine, and from its deltas to the answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.engine.sampling_params import SamplingParams
from wending.serve.chat_prompt import prompt_of
from wending.serve.conversation_report import ConversationReport
from wending.serve.conversation_settings import ContextPolicy
from wending.serve.generation import generate
from wending.serve.graceful_end import Ending
from wending.serve.json_body import read_json_object
from wending.serve.openapi import request_body
from wending.serve.report import Report, wants_report
from wending.serve.response import respond
from wending.serve.responses.chat_form import TRUNCATION, ChatForm
from wending.serve.responses.output_items import OutputItems
from wending.serve.responses.responses_answer import ResponsesAnswer
from wending.serve.responses.responses_request import ResponsesRequest
from wending.serve.service import service_of
from wending.serve.taken_requests import TakenRequests
from wending.serve.tally import Tally

router = APIRouter()


@router.post(
    "/v1/responses",
    summary="Answer a conversation, in the form of the Responses API.",
    openapi_extra=request_body(ResponsesRequest),
)
async def create_response(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    asked = ResponsesRequest.parse(await read_json_object(request, service.max_body_bytes))
    service.check_model(asked.model, client.info)
    chat = ChatForm.of(asked)
    params = chat.sampling_params(service.sampling_defaults())
    prompt = await prompt_of(client, chat, service.conversation)
    report = None
    if prompt.dropped_turns or wants_report(request, chat):
        conversation = ConversationReport(prompt, [Ending(client.decode, cuts=False)], chat.answer_tokens)
        report = Report(params, client, service.generation_config, conversation)
    answer = ResponsesAnswer(
        _settings(asked, client.info.name, params, prompt.context_policy),
        Tally(len(prompt.token_ids)),
        OutputItems(with_tools=bool(asked.tools)),
        report,
    )
    deltas = await TakenRequests.begin(
        [generate(request, chat, prompt.token_ids, params, answer.id)],
        until_first=params.constraint is not None,
    )
    response = await respond(request, chat, answer, deltas)
    response.headers.update(prompt.headers())
    return response


def _settings(
    asked: ResponsesRequest, model: str, params: SamplingParams, context_policy: ContextPolicy
) -> dict[str, Any]:
    """What an answer repeats of its request, with the values in use for those that it did not give."""
    choice = asked.tool_choice
    text: dict[str, Any] = {"format": {"type": "text"}}
    if asked.text is not None:
        text |= asked.text.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    return {
        "model": model,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "top_logprobs": asked.top_logprobs or 0,
        "text": text,
        "tools": [tool.model_dump() for tool in asked.tools or ()],
        "tool_choice": "auto" if choice is None else choice.as_given(),
        "parallel_tool_calls": asked.parallel_tool_calls is not False,
        "truncation": TRUNCATION[context_policy],
        "metadata": asked.metadata or {},
        "user": asked.user,
        "safety_identifier": asked.safety_identifier,
        "prompt_cache_key": asked.prompt_cache_key,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "background": False,
        "store": False,
    }
