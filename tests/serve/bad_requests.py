"""Everything that we could think of that a client can get wrong, as tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.serve.bad_http import BODIES, HEADERS, ROUTES
from tests.serve.valid_requests import (
    CHAT_URL,
    EMBEDDING_URL,
    HELLO,
    JSON,
    RESPONSES_URL,
    TEXT_URL,
    VALID,
)

CALL = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
ARGUMENTS = "messages[1].tool_calls[0].function.arguments"
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hi"} | fields]}


def called_with(arguments: Any) -> dict[str, Any]:
    call = {"id": "1", "function": {"name": "f", "arguments": arguments}}
    return message(role="assistant", tool_calls=[call])


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f"} | fields}


def schema_form(**fields: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": {}} | fields}


def nested(name: str, depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {name: value}
    return value


F = function()

Table = list[tuple[dict[str, Any], str | None, str]]
"""Fields that replace or join those of the valid request (`...` takes one out), the parameter that the error
must name, and what its message must say besides."""

CHAT: Table = [
    ({"temperature": -0.1}, "temperature", "-0.1"),
    ({"temperature": 2.1}, "temperature", "2.1"),
    ({"temperature": "1"}, "temperature", '"1"'),
    ({"temperature": True}, "temperature", "true"),
    ({"temperature": [1]}, "temperature", "[1]"),
    ({"top_p": 0}, "top_p", "0"),
    ({"top_p": 1.1}, "top_p", "1.1"),
    ({"top_p": "0.5"}, "top_p", '"0.5"'),
    ({"n": 0}, "n", "0"),
    ({"n": 129}, "n", "129"),
    ({"n": 1.5}, "n", "1.5"),
    ({"n": True}, "n", "true"),
    ({"max_tokens": 0}, "max_tokens", "0"),
    ({"max_tokens": -5}, "max_tokens", "-5"),
    ({"max_tokens": "5"}, "max_tokens", '"5"'),
    ({"max_tokens": 5.0}, "max_tokens", "5.0"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "0"),
    ({"max_completion_tokens": 4, "max_tokens": 5}, "max_completion_tokens", "4"),
    ({"stop": 5}, "stop", "5"),
    ({"stop": ["a", 5]}, "stop[1]", "5"),
    ({"stop": ""}, "stop[0]", '""'),
    ({"stop": ["x"] * 17}, "stop", "17"),
    ({"stop": "x" * 1001}, "stop[0]", "1000"),
    ({"seed": 1.5}, "seed", "1.5"),
    ({"seed": 2**64}, "seed", str(2**64)),
    ({"seed": "7"}, "seed", '"7"'),
    ({"presence_penalty": 2.5}, "presence_penalty", "2.5"),
    ({"frequency_penalty": -2.5}, "frequency_penalty", "-2.5"),
    ({"frequency_penalty": {}}, "frequency_penalty", "{}"),
    ({"logit_bias": {"x": 1}}, "logit_bias", "x"),
    ({"logit_bias": {"-1": 1}}, "logit_bias", "-1"),
    ({"logit_bias": {"٣": 1}}, "logit_bias", "٣"),
    ({"logit_bias": {"5": "1"}}, "logit_bias.5", '"1"'),
    ({"logit_bias": {"5": 101}}, "logit_bias", "101"),
    ({"logit_bias": {"9999999": 1}}, "logit_bias", "9999999"),
    ({"logit_bias": [1]}, "logit_bias", "[1]"),
    ({"logprobs": 5}, "logprobs", "5"),
    ({"logprobs": "true"}, "logprobs", '"true"'),
    ({"top_logprobs": 5}, "top_logprobs", "logprobs"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "21"),
    ({"logprobs": True, "top_logprobs": -1}, "top_logprobs", "-1"),
    ({"stream": "yes"}, "stream", '"yes"'),
    ({"stream": 1}, "stream", "1"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "stream"),
    ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage", "1"),
    ({"stream": True, "stream_options": {"x": 1}}, "stream_options.x", ""),
    ({"user": 5}, "user", "5"),
    ({"metadata": {"a": 1}}, "metadata.a", "1"),
    ({"top_k": -2}, "top_k", "-2"),
    ({"top_k": 1.0}, "top_k", "1.0"),
    ({"min_p": 1.5}, "min_p", "1.5"),
    ({"repetition_penalty": 0}, "repetition_penalty", "0"),
    ({"stop_token_ids": 5}, "stop_token_ids", "5"),
    ({"stop_token_ids": [-1]}, "stop_token_ids", "-1"),
    ({"stop_token_ids": ["5"]}, "stop_token_ids[0]", '"5"'),
    ({"ignore_eos": 1}, "ignore_eos", "1"),
    ({"min_tokens": -1}, "min_tokens", "-1"),
    ({"min_tokens": 1.5}, "min_tokens", "1.5"),
    ({"min_tokens": 5, "max_tokens": 4}, "min_tokens", "4"),
    ({"min_tokens": 5, "max_completion_tokens": 4}, "min_tokens", "4"),
    ({"wending_report": 1}, "wending_report", "1"),
    # Numbers that nothing holds
    ({"top_k": 2**70}, "top_k", str(2**70)),
    ({"max_tokens": 2**70}, "max_tokens", str(2**70)),
    ({"min_tokens": 2**70}, "min_tokens", str(2**70)),
    ({"n": 2**70}, "n", str(2**70)),
    ({"seed": -(2**70)}, "seed", str(-(2**70))),
    ({"temperature": 10**400}, "temperature", "100000"),
    ({"logit_bias": {"5": 10**400}}, "logit_bias.5", "100000"),
    ({"stop_token_ids": [2**70]}, "stop_token_ids", str(2**70)),
    ({"priority": 2**70}, "priority", str(2**70)),
    ({"priority": 1.5}, "priority", "1.5"),
    ({"deadline_s": 0}, "deadline_s", "0"),
    ({"deadline_s": -1}, "deadline_s", "-1"),
    ({"deadline_s": "soon"}, "deadline_s", "soon"),
    ({"deadline_s": math.inf}, "deadline_s", "Infinity"),
    ({"top_p": math.nan}, "top_p", "NaN"),
    ({"min_p": -math.inf}, "min_p", "-Infinity"),
    # Tools
    ({"tools": {}}, "tools", "list"),
    ({"tools": [F] * 129}, "tools", "128"),
    ({"tools": [F, F]}, "tools[1].function.name", "tools[0]"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type", "web_search"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "Missing"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "a b"),
    ({"tools": [function(parameters=[])]}, "tools[0].function.parameters", "as an object"),
    ({"tools": [function(parameters={"type": "array"})]}, "tools[0].function.parameters", '"object"'),
    ({"tools": [function(returns={})]}, "tools[0].function.returns", "Unknown"),
    ({"tools": [F], "stop": ["x"]}, "stop", "drop one"),
    ({"tools": [F], "guided_regex": "x"}, "guided_regex", "together with 'tools'"),
    ({"tools": [F], "tool_choice": "any"}, "tool_choice", "any"),
    ({"tools": [F], "tool_choice": 1}, "tool_choice", "1"),
    ({"tools": [F], "tool_choice": {"type": "function"}}, "tool_choice", "absent"),
    ({"tools": [F], "tool_choice": {"type": "custom"}}, "tool_choice.type", "custom"),
    (
        {"tools": [F], "tool_choice": {"type": "function", "function": {}}},
        "tool_choice.function.name",
        "Missing",
    ),
    (
        {"tools": [F], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice.function.name",
        "which are: f",
    ),
    ({"tool_choice": "required"}, "tool_choice", "absent or empty"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "1"),
    ({"tools": [F, 5]}, "tools[1]", "5"),
    ({"tools": [F | {"strict": True}]}, "tools[0].strict", "Unknown"),
    ({"tools": [{"function": {"name": "f"}}]}, "tools[0].type", "Missing"),
    ({"tools": [function(name="")]}, "tools[0].function.name", '""'),
    ({"tools": [function(name="f" * 65)]}, "tools[0].function.name", "ffff"),
    ({"tools": [function(description=5)]}, "tools[0].function.description", "5"),
    ({"tools": [function(strict="yes")]}, "tools[0].function.strict", '"yes"'),
    ({"tools": [function(parameters={"const": math.nan})]}, "tools[0].function.parameters", "not finite"),
    ({"tools": [function(parameters={"const": 2**70})]}, "tools[0].function.parameters", "64 bits"),
    ({"tools": [function(parameters={"properties": []})]}, "tools[0].function.parameters", "an object"),
    ({"tools": [function(parameters={"not": {}})]}, "tools[0].function.parameters", "/not"),
    (
        {"tools": [function(parameters={"properties": {"a": False}, "required": ["a"]})]},
        "tools[0].function.parameters",
        "Unsatisfiable",
    ),
    (
        {"tools": [F], "tool_choice": {"type": "function", "function": {"name": "f", "x": 1}}},
        "tool_choice.function.x",
        "Unknown",
    ),
    ({"tools": [F], "tool_choice": "required", "max_tokens": 1}, "max_tokens", "tokens"),
    # Not honoured by this version
    ({"functions": [{"name": "f"}]}, "functions", "not supported"),
    ({"modalities": ["text", "audio"]}, "modalities", "not supported"),
    ({"audio": {"voice": "alloy"}}, "audio", "not supported"),
    ({"store": True}, "store", "not supported"),
    ({"reasoning_effort": "high"}, "reasoning_effort", "not supported"),
    ({"web_search_options": {}}, "web_search_options", "not supported"),
    # The form of the answer
    ({"response_format": {"type": "yaml"}}, "response_format", "yaml"),
    ({"response_format": "text"}, "response_format", '"text"'),
    ({"response_format": {}}, "response_format", "type"),
    ({"response_format": {"type": "json_object", "x": 1}}, "response_format.json_object.x", "Unknown"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.json_schema", "Missing"),
    ({"response_format": {"type": "json_object"}, "guided_regex": "a"}, "guided_regex", "response_format"),
    ({"response_format": {"type": "json_object"}, "stop": ["x"]}, "stop", "response_format"),
    ({"guided_json": 5}, "guided_json", "5"),
    ({"guided_regex": ["a"]}, "guided_regex", "a"),
    ({"guided_choice": "a"}, "guided_choice", '"a"'),
    ({"guided_choice": [1]}, "guided_choice[0]", "1"),
    ({"guided_grammar": 1}, "guided_grammar", "1"),
    ({"structured_outputs": {"xml": ""}}, "structured_outputs.xml", "Unknown"),
    ({"structured_outputs": {"regex": "a", "choice": ["a"]}}, "structured_outputs.choice", "regex"),
    ({"guided_json": "{"}, "guided_json", "not JSON"),
    ({"guided_json": '{"const": NaN}'}, "guided_json", "not JSON"),
    ({"guided_json": '{"const": 1e999}'}, "guided_json", "not JSON"),
    ({"guided_json": '{"const": "\\ud800"}'}, "guided_json", "not JSON"),
    ({"guided_json": '{"items": ' * 2000 + "{}" + "}" * 2000}, "guided_json", "depth"),
    ({"guided_json": nested("items", 190)}, "guided_json", "recursion"),
    ({"guided_json": {"const": math.inf}}, "guided_json", "not finite"),
    ({"guided_json": {"const": 2**70}}, "guided_json", "64 bits"),
    ({"guided_json": {"type": "strnig"}}, "guided_json", "strnig"),
    ({"guided_json": {"not": {}}}, "guided_json", "/not"),
    ({"guided_json": {"$ref": "#/x"}}, "guided_json", "'/x'"),
    ({"guided_json": {"type": "string", "minLength": 5, "maxLength": 2}}, "guided_json", "minLength"),
    ({"guided_json": PERSON, "max_tokens": 2}, "max_tokens", "2"),
    ({"guided_json": {}, "min_tokens": 2}, "min_tokens", "guided_json"),
    ({"guided_regex": "("}, "guided_regex", "unclosed group"),
    ({"guided_regex": "a(?=b)"}, "guided_regex", "look-ahead"),
    ({"guided_regex": "a{9}", "guided_choice": ["a"]}, "guided_choice", "guided_regex"),
    ({"guided_choice": []}, "guided_choice", "at least one"),
    ({"guided_choice": [""]}, "guided_choice", "none of them empty"),
    ({"guided_grammar": ""}, "guided_grammar", "Empty"),
    ({"guided_grammar": "start: x"}, "guided_grammar", '"x"'),
    ({"structured_outputs": []}, "structured_outputs", "[]"),
    ({"response_format": schema_form(name="")}, "response_format.json_schema.json_schema.name", '""'),
    (
        {"response_format": schema_form(schema=[])},
        "response_format.json_schema.json_schema.schema",
        "as an object",
    ),
    ({"response_format": schema_form(schema={"not": {}})}, "response_format.json_schema.schema", "/not"),
    # Unknown
    ({"temprature": 1}, "temprature", "Unknown"),
    ({"": 1}, "", "Unknown"),
    # Messages
    ({"messages": None}, "messages", "null"),
    ({"messages": []}, "messages", "[]"),
    ({"messages": "Hi"}, "messages", '"Hi"'),
    ({"messages": ["Hi"]}, "messages[0]", '"Hi"'),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "Missing"),
    ({"messages": [{"content": "Hi"}]}, "messages[0].role", "Missing"),
    ({"messages": [{"role": "user", "content": "Hi"}] * 4097}, "messages", "4096"),
    (message(role=1), "messages[1].role", "1"),
    (message(content=None), "messages[1].content", "null"),
    (message(content=5), "messages[1].content", "5"),
    (message(content={"text": "Hi"}), "messages[1].content", "list of text parts"),
    (message(content=["Hi"]), "messages[1].content[0]", '"Hi"'),
    (message(content=[{"type": "text"}]), "messages[1].content[0].text", "Missing"),
    (message(content=[{"type": "image_url", "image_url": {}}]), "messages[1].content[0].type", "image_url"),
    (message(name=5), "messages[1].name", "5"),
    (message(tool_calls=[CALL]), "messages[1].tool_calls", "only messages of the assistant"),
    (message(role="assistant", tool_calls=[{"id": "1"}]), "messages[1].tool_calls[0].function", "Missing"),
    (called_with("[]"), ARGUMENTS, "JSON object"),
    (called_with('{"a": NaN}'), ARGUMENTS, "JSON object"),
    (called_with({}), ARGUMENTS, "string"),
    (called_with('{"\\ud800": 1}'), ARGUMENTS, "JSON object"),
    (called_with('{"a": ' * 900 + "1" + "}" * 900), ARGUMENTS, "JSON object"),
    (called_with('{"a": ' + "9" * 5000 + "}"), ARGUMENTS, "JSON object"),
    (called_with(""), ARGUMENTS, "JSON object"),
    (message(role="assistant", content=None, tool_calls=[]), "messages[1].content", "null"),
    (message(role="tool", tool_call_id="1"), "messages[1].tool_call_id", "no call"),
    (message(audio={"id": "1"}), "messages[1].audio", "not supported"),
    (message(weight=1), "messages[1].weight", "Unknown"),
    # Model
    ({"model": None}, "model", "null"),
    ({"model": 5}, "model", "5"),
    ({"messages": [{"role": "user", "content": "x " * 5000}]}, "messages", "4096"),
]

TEXT: Table = [
    ({"prompt": None}, "prompt", "null"),
    ({"prompt": ...}, "prompt", "Missing"),
    ({"prompt": ""}, "prompt", "empty"),
    ({"prompt": []}, "prompt", "[]"),
    ({"prompt": 5}, "prompt", "5"),
    ({"prompt": {}}, "prompt", "{}"),
    ({"prompt": [1.5]}, "prompt", "all be text or all lists"),
    ({"prompt": ["a", 1]}, "prompt", "all be text or all lists"),
    ({"prompt": ["a", [1]]}, "prompt", "all be text or all lists"),
    ({"prompt": [[1], []]}, "prompt", "all be text or all lists"),
    ({"prompt": [True]}, "prompt", "all be text or all lists"),
    ({"prompt": [-1]}, "prompt", "-1"),
    ({"prompt": [2**70]}, "prompt", str(2**70)),
    ({"prompt": [[1], [999_999]]}, "prompt", "999999"),
    ({"prompt": ["a"] * 257}, "prompt", "256"),
    ({"prompt": "x " * 5000}, "prompt", "4096"),
    ({"echo": "yes"}, "echo", '"yes"'),
    ({"echo": True, "logprobs": 1}, "echo", "log-probabilities"),
    ({"logprobs": True}, "logprobs", "true"),
    ({"logprobs": 21}, "logprobs", "21"),
    ({"best_of": 0}, "best_of", "0"),
    ({"best_of": 2}, "best_of", "'n'"),
    ({"suffix": "end"}, "suffix", "not supported"),
    ({"store": True}, "store", "not supported"),
    ({"messages": []}, "messages", "Unknown"),
    ({"tools": []}, "tools", "Unknown"),
    ({"max_completion_tokens": 5}, "max_completion_tokens", "Unknown"),
    ({"temperature": 3}, "temperature", "3"),
    ({"max_tokens": 0}, "max_tokens", "0"),
    ({"guided_regex": "["}, "guided_regex", "regex"),
]

EMBEDDING: Table = [
    ({"input": ...}, "input", "Missing"),
    ({"input": None}, "input", "null"),
    ({"input": ""}, "input", "empty"),
    ({"input": ["a", ""]}, "input", "empty"),
    ({"input": 5}, "input", "5"),
    ({"input": [[]]}, "input", "all be text or all lists"),
    ({"input": [2**70]}, "input", str(2**70)),
    ({"input": [-1]}, "input", "-1"),
    ({"input": ["a"] * 257}, "input", "256"),
    ({"input": "x " * 5000}, "input", "4096"),
    ({"model": ...}, "model", "Missing"),
    ({"model": 5}, "model", "5"),
    ({"encoding_format": "int8"}, "encoding_format", "int8"),
    ({"dimensions": 8}, "dimensions", "not supported"),
    ({"user": 5}, "user", "5"),
    ({"stream": True}, "stream", "Unknown"),
]

RESPONSE: Table = [
    ({"input": ...}, "input", "input"),
    ({"input": None}, "input", "input"),
    ({"input": []}, "input", "input"),
    ({"input": 5}, "input", "5"),
    ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role", "robot"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type", "item_reference"),
    ({"input": "x " * 5000}, "input", "4096"),
    ({"max_output_tokens": 0}, "max_output_tokens", "0"),
    ({"max_output_tokens": 2**70}, "max_output_tokens", str(2**70)),
    ({"temperature": 3}, "temperature", "3"),
    ({"top_p": math.nan}, "top_p", "NaN"),
    ({"previous_response_id": "resp_1"}, "previous_response_id", "not supported"),
    ({"store": True}, "store", "not supported"),
    ({"background": True}, "background", "not supported"),
    ({"messages": []}, "messages", "Unknown"),
    ({"model": 5}, "model", "5"),
]

TOKENIZE: Table = [
    ({"prompt": ...}, "prompt", "required"),
    ({"prompt": 5}, "prompt", "5"),
    ({"prompt": ["a"]}, "prompt", '["a"]'),
    (VALID[CHAT_URL] | {"max_tokens": ...}, "messages", "not both"),
    ({"prompt": ..., "messages": []}, "messages", "[]"),
    ({"prompt": ..., "messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "robot"),
    ({"prompt": ..., "messages": called_with('{"a": "\\udfff"}')["messages"]}, ARGUMENTS, "JSON object"),
    ({"tools": [F]}, "tools", "messages"),
    ({"tools": {}}, "tools", "{}"),
    ({"add_special_tokens": 1}, "add_special_tokens", "1"),
    ({"add_generation_prompt": False}, "add_generation_prompt", "messages"),
    ({"continue_final_message": True}, "continue_final_message", "messages"),
    ({"return_token_strs": "yes"}, "return_token_strs", '"yes"'),
    ({"chat_template": "{{x}}"}, "chat_template", "Unknown"),
    ({"model": 5}, "model", "5"),
]

DETOKENIZE: Table = [
    ({"tokens": ...}, "tokens", "Missing"),
    ({"tokens": None}, "tokens", "null"),
    ({"tokens": 5}, "tokens", "5"),
    ({"tokens": "72"}, "tokens", '"72"'),
    ({"tokens": [1.0]}, "tokens[0]", "1.0"),
    ({"tokens": [True]}, "tokens[0]", "true"),
    ({"tokens": [[72]]}, "tokens[0]", "[72]"),
    ({"tokens": [72, -1]}, "tokens", "-1"),
    ({"tokens": [2**70]}, "tokens", str(2**70)),
    ({"tokens": [999_999]}, "tokens", "999999"),
    ({"prompt": "x"}, "prompt", "Unknown"),
]

TABLES = {
    CHAT_URL: CHAT,
    TEXT_URL: TEXT,
    EMBEDDING_URL: EMBEDDING,
    RESPONSES_URL: RESPONSE,
    "/tokenize": TOKENIZE,
    "/detokenize": DETOKENIZE,
}


class Bad(NamedTuple):
    """One bad request and what its answer must be."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]
    status: int = 400
    said: str = ""
    param: str | None = None
    """The parameter that must be named; None is no demand."""
    code: str | None = None

    def __str__(self) -> str:
        body = self.body.decode("ascii", "replace").removeprefix(HELLO.decode()[:-1])[-50:]
        return f"{self.method} {self.path[:30]} {body} {'' if self.headers == JSON else self.headers}"


def bad_requests() -> list[Bad]:
    """Those of all tables but RAW."""
    fields = [
        Bad("POST", url, json.dumps(_joined(VALID[url], changed)).encode(), JSON, 400, said, param)
        for url, table in TABLES.items()
        for changed, param, said in table
    ]
    bodies = [
        Bad("POST", url, body, JSON, status, code=code) for url in VALID for body, status, code in BODIES
    ]
    headers = [Bad("POST", CHAT_URL, HELLO, JSON | more, status, said) for more, status, said in HEADERS]
    routes = [Bad(method, path, b"", {}, status, said) for method, path, status, said in ROUTES]
    unknown = [
        Bad("POST", url, json.dumps(VALID[url] | {"model": "gpt-4o"}).encode(), JSON, 404, "gpt-4o", "model")
        for url in VALID
    ]
    return [*fields, *bodies, *headers, *routes, *unknown]


def _joined(valid: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**valid, **changed}.items() if value is not ...}
