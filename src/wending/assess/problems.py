# ruff: noqa: E501 - texts are kept on one line each
"""The types of stability problems, each with a title and the recommended action, in English and Chinese.

Checks name a type when they fail, errors of the endpoint by their kind; ``wending.assess.stability`` counts
them. Two faults are of one type only where a person would do the same about both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """Texts of one problem type, keyed by "en" and "zh"."""

    title: Mapping[str, str]
    action: Mapping[str, str]


def _problem(title_en: str, title_zh: str, action_en: str, action_zh: str) -> ProblemType:
    return ProblemType({"en": title_en, "zh": title_zh}, {"en": action_en, "zh": action_zh})


def problem_type(name: str) -> ProblemType:
    """The type of this name. A check of a user's own may name one that is not listed here: the name is then its
    title."""
    return PROBLEMS.get(name) or _problem(
        name,
        name,
        "Read the answers that failed, and the reasons beside them.",
        "请查看未通过的回答及其原因。",
    )


FAILED_REQUESTS = (
    "request_refused", "too_many_requests", "unauthorized", "server_error", "unreachable", "connection_reset",
    "cut_off", "timeout", "protocol_error",
)  # fmt: skip
"""The types that ``EndpointError.kind`` names: there was no answer that could be judged."""

PROBLEMS: Mapping[str, ProblemType] = {
    "request_refused": _problem(
        "Request refused (HTTP 4xx)",
        "请求被拒绝（HTTP 4xx）",
        "Read the endpoint's message: it names the field, the model or the length that it does not take. Correct the request; sending it again as it is does not help.",
        "查看服务返回的信息，其中说明了不接受的字段、模型或长度；修正请求，原样重试无用。",
    ),
    "too_many_requests": _problem(
        "Turned away: too many requests (HTTP 429)",
        "请求过多被拒（HTTP 429）",
        "Send fewer requests at once, wait as long as Retry-After says and send again; raise the limit of the key or of the queue, or add capacity.",
        "降低并发，按 Retry-After 等待后重试；提高密钥或队列的限额，或增加服务容量。",
    ),
    "unauthorized": _problem(
        "Key refused (HTTP 401 or 403)",
        "密钥被拒（HTTP 401 或 403）",
        "Give a valid key, and see for which models and until when it holds.",
        "请使用有效的密钥，并确认其可用的模型与有效期。",
    ),
    "server_error": _problem(
        "Server error (HTTP 5xx, or sent inside the stream)",
        "服务端错误（HTTP 5xx 或流中的错误）",
        "Look up the message and its time in the server log, and in that of the gateway for 502, 503 and 504; retry with back-off.",
        "按错误信息和时间查服务端日志，502、503、504 另查网关日志；客户端采用退避重试。",
    ),
    "unreachable": _problem(
        "No connection",
        "无法建立连接",
        "See whether the server was restarting and listens at this address and port; check name, certificate, firewall and the length of the accept queue.",
        "确认服务是否正在重启、是否监听该地址和端口；检查域名、证书、防火墙和连接队列长度。",
    ),
    "connection_reset": _problem(
        "Connection lost before the answer",
        "应答之前连接断开",
        "Look for a crash or a restart of the server or the gateway at that time; compare their limits of connections and keep-alive times; retry on a new connection.",
        "查找该时刻服务或网关是否崩溃、重启；核对两者的连接数上限与 keep-alive 时间；在新连接上重试。",
    ),
    "cut_off": _problem(
        "Answer broke off in mid-stream",
        "回答在传输途中中断",
        "Look for a crash, an out-of-memory kill or a time limit of the gateway at that time; in the client, take an answer without finish_reason for incomplete and ask again.",
        "查找该时刻是否有崩溃、内存不足被杀或网关超时；客户端把没有 finish_reason 的回答视为不完整并重新请求。",
    ),
    "timeout": _problem(
        "Hang: nothing came in time",
        "停滞：未按时收到内容",
        "See whether the engine computes or waits (queue, KV cache, deadlock); limit the silence in the client, and have a health check that demands a token restart the server.",
        "确认引擎是在计算还是在等待（队列、KV 缓存、死锁）；客户端限制静默时间，并用要求实际生成 token 的健康检查触发重启。",
    ),
    "protocol_error": _problem(
        "Response that breaks the protocol",
        "响应不符合协议",
        "Ask the endpoint with curl -N and read what it sends; look for a gateway that rewrites the stream or puts an error page in its place; update the server.",
        "用 curl -N 请求并查看原始内容；检查网关是否改写了流或以错误页代替；升级服务端。",
    ),
    "empty_answer": _problem(
        "Empty answer",
        "空回答",
        "Look for stop strings, a chat template that ends at once, and content that went into another field (reasoning, tool calls); ask again.",
        "检查停止词、会立即结束的对话模板，以及内容是否进入其他字段（推理、工具调用）；重新请求。",
    ),
    "not_judged": _problem(
        "Answer that a check could not judge",
        "检查无法判定的回答",
        "Read the reason: the check itself failed on this answer. Mend the check if it is your own; report it if it came with wending.",
        "查看原因：检查自身在该回答上出错。自己编写的检查请修正；wending 自带的请反馈。",
    ),
    "truncated": _problem(
        "Answer cut off at the token limit",
        "回答达到 token 上限而被截断",
        'Raise max_tokens, ask for a shorter answer, and treat finish_reason "length" as an error in the client.',
        '提高 max_tokens，要求更短的回答，并在客户端把 finish_reason 为 "length" 视为错误。',
    ),
    "trailing_comma": _problem(
        "Trailing comma in JSON",
        "JSON 末尾多余逗号",
        "Constrain the output with response_format json_schema, or remove trailing commas (json-repair) before parsing.",
        "用 response_format 的 json_schema 约束输出，或在解析前用 json-repair 去除多余逗号。",
    ),
    "broken_json": _problem(
        "JSON that does not parse",
        "JSON 无法解析",
        "Constrain the output with response_format json_schema; as a fallback repair it (json-repair), validate, ask again once.",
        "用 response_format 的 json_schema 约束输出；退而求其次，先用 json-repair 修复并校验，仍不合格则重新请求一次。",
    ),
    "schema_mismatch": _problem(
        "JSON of the wrong shape",
        "JSON 结构不符",
        "Send the JSON Schema in response_format; otherwise validate each answer and ask again with the validator's message.",
        "在 response_format 中附上 JSON Schema；否则逐条校验，并把校验错误信息发回模型重新生成。",
    ),
    "wrong_date": _problem(
        "Wrong date: not YYYY-MM-DD, or none that exists",
        "日期错误：格式不是 YYYY-MM-DD，或日期不存在",
        'Give the date field "format": "date" in response_format json_schema, normalise other forms after parsing, and check every date with a calendar before use: 2024-02-30 has the right form.',
        '在 response_format 的 json_schema 中为日期字段加 "format": "date"，其他写法在解析后统一转换；使用前用日历校验每个日期：2024-02-30 形式正确却不存在。',
    ),
    "wrong_values": _problem(
        "JSON values out of range",
        "JSON 数值不合要求",
        "State ranges, counts and allowed values in the schema (minimum, maximum, minItems, enum) and validate before use.",
        "在 schema 中写明取值范围、数量与枚举（minimum、maximum、minItems、enum），使用前先校验。",
    ),
    "extra_text": _problem(
        "Text around the payload",
        "有效内容之外有多余文字",
        'Extract the fenced block in the client, end the prompt with "output nothing else", or use response_format for JSON.',
        "在客户端提取代码块内容，提示词以“不要输出其他内容”结尾；JSON 请使用 response_format。",
    ),
    "role_forgotten": _problem(
        "Role forgotten",
        "遗忘角色设定",
        "Repeat the role's rules in the system prompt every few turns, shorten the history, check the marker and ask again.",
        "每隔几轮在系统提示中重申角色规则，缩短历史对话，检查角色标记，缺失时重新生成。",
    ),
    "forbidden_content": _problem(
        "Said what the role forbids",
        "说了角色禁止的内容",
        "Filter answers for the forbidden content before they are shown, and put the ban at the end of the system prompt.",
        "展示前过滤禁止内容，并把禁令放在系统提示的末尾。",
    ),
    "constraint_broken": _problem(
        "Length or form of the answer not kept",
        "未遵守长度或形式要求",
        "Check length and form in the client and ask again; lower the temperature; limit max_tokens.",
        "在客户端检查长度与形式，不合要求则重新请求；降低 temperature；限制 max_tokens。",
    ),
    "wrong_language": _problem(
        "Answer in the wrong language",
        "回答语言错误",
        "Name the language at the end of the user message in that language itself; detect the language and ask again.",
        "在用户消息末尾用目标语言写明所需语言；检测回答语言，不符则重新请求。",
    ),
    "missing_steps": _problem(
        "Numbered steps missing",
        "缺少编号步骤",
        'Ask for "at least N numbered steps, one a line" and show one example line; count them before use.',
        "要求“至少 N 个编号步骤，每行一个”，并给出一行示例；使用前检查步骤数。",
    ),
    "missing_terms": _problem(
        "Required content missing",
        "缺少必需内容",
        "List the points that must appear in the prompt; check for them and ask again with those that are missing.",
        "在提示词中列出必须出现的要点；检查缺失项并要求补充。",
    ),
    "wrong_answer": _problem(
        "Wrong result of a calculation",
        "计算结果错误",
        "Do not rely on a single answer: sample several and take the majority, or let a tool do the arithmetic.",
        "不要依赖单次回答：多次采样取多数，或让工具完成计算。",
    ),
    "code_does_not_parse": _problem(
        "Code that does not parse",
        "代码无法解析",
        "Parse the code (ast.parse) before use and ask again with the error message; raise max_tokens if it was cut off.",
        "使用前用 ast.parse 检查代码，并把错误信息发回模型重新生成；若被截断则提高 max_tokens。",
    ),
    "code_fails_tests": _problem(
        "Code that fails its tests",
        "代码未通过测试",
        "Run unit tests in a sandbox before accepting code; ask again with the failing case.",
        "接收代码前在沙箱中运行单元测试；把失败用例发回模型重新生成。",
    ),
    "tests_reject_right": _problem(
        "Written tests fail on right code",
        "编写的测试在正确代码上失败",
        "Run written tests against the code they are for before they are kept; ask again with the failing test and its error.",
        "采用前先用被测代码运行一遍测试；把失败的测试及其报错发回模型重新生成。",
    ),
    "tests_miss_faults": _problem(
        "Written tests let wrong code pass",
        "编写的测试放过错误代码",
        "Plant small faults in the code (mutation testing) and ask for a test of each that is not caught; list the edge cases in the prompt.",
        "在代码中植入小错误（变异测试），对未发现的每处错误要求补充测试；在提示词中列出边界情况。",
    ),
    "missing_rule": _problem(
        "A demanded rule is missing from the code",
        "代码缺少要求的规则",
        "List the rules one a line in the prompt, review the code against that list, and ask again naming what is missing.",
        "在提示词中逐行列出规则，对照清单审查代码，并指出缺失项重新生成。",
    ),
    "unstable_answer": _problem(
        "Different answers to the same question",
        "同一问题回答不一致",
        "Use temperature 0 where one answer is right, or sample several times and take the majority.",
        "答案唯一的任务使用 temperature 0，或多次采样取多数。",
    ),
}
