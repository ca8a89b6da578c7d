"""What a reader must know to judge the figures: what could not be measured as meant, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wending.assess.bilingual import chinese

if TYPE_CHECKING:
    from wending.assess.results import Assessment

Note = dict[str, str]


def notes_of(assessment: Assessment) -> list[Note]:
    """Sentences in "en" and "zh"; each is there only when it applies."""
    return list(_notes(assessment))


def _notes(assessment: Assessment) -> Iterator[Note]:
    if assessment.target.get("demonstration"):
        yield _note(
            "The model is the demonstration model bundled with wending: very small, trained on "
            "synthetic dialogues, with planted defects in its JSON. Its figures say nothing about "
            "Qwen2.5-7B.",
            "被测的是 wending 自带的演示模型：规模很小，用合成对话训练，其 JSON 中有意植入了缺陷。"
            "这些数字不代表 Qwen2.5-7B。",
        )
    if assessment.lost_runs:
        yield _note(
            f"{assessment.lost_runs} runs failed because the endpoint broke off at the end; they are in "
            "runs.jsonl but count in no rate.",
            f"最后有 {assessment.lost_runs} 次运行因服务中断而失败；它们保留在 runs.jsonl 中，"
            "但不计入任何比率。",
        )
    if assessment.usage_missing:
        yield _note(
            "The endpoint gave no token counts (usage): events with content stand for tokens. If it "
            "sends several tokens in one event, tokens and tok/s are higher than shown.",
            "服务未返回 token 数（usage），故以含内容的事件数代替；若一个事件含多个 token，实际 token "
            "数与速度高于所示。",
        )
    if assessment.has_reasoning:
        yield _note(
            "The model reasons before it answers. The time to the first token is that to the first token of "
            "the answer, its reasoning included; tokens per second count all tokens from the first of the "
            "reasoning on, or only those of the answer where the endpoint does not stream the reasoning. The "
            "reasoning uses up the token limit of a request.",
            "该模型先推理后作答。首字时延指到答案首个 token 的时间，包含推理时间；每秒 token 数从推理的首个 "
            "token 算起，计入全部 token；若服务不以流式返回推理内容，则只计答案的 token。"
            "推理占用请求的 token 上限。",
        )
    if assessment.sent_again:
        yield _note(
            f"The endpoint had closed the connection that {assessment.sent_again} requests were sent on, "
            "without having announced it; they were sent again on a new one.",
            f"有 {assessment.sent_again} 个请求所用的连接已被服务关闭（事先未告知）；"
            "这些请求已在新连接上重发。",
        )
    if assessment.turned_away:
        yield _note(
            f"The endpoint turned {assessment.turned_away} requests away for the moment (HTTP 429 or 503 "
            "with Retry-After); they were sent again after the time that it named. Under load none is.",
            f"有 {assessment.turned_away} 个请求被服务暂时拒绝（HTTP 429 或 503，附 Retry-After），"
            "已按其给出的时间重发；负载测量中不重发。",
        )
    for field, message in assessment.refused_fields.items():
        if field == "max_tokens":
            yield _note(
                "The endpoint refused the request field max_tokens, so max_completion_tokens was sent: "
                f"{message}",
                f"服务拒绝了请求字段 max_tokens，因此改发 max_completion_tokens：{message}",
            )
            continue
        yield _note(
            f"The endpoint refused the request field {field}, so it was left out: {message}",
            f"服务拒绝了请求字段 {field}，因此未发送该字段：{message}",
        )
        if field == "seed":
            yield _note(
                "Without a seed the runs cannot be repeated exactly.", "没有随机种子，运行结果无法精确复现。"
            )
    if assessment.role_keeping_refusal is not None:
        message = assessment.role_keeping_refusal
        yield _note(
            f"The endpoint does not offer the role keeping that was asked about; it refused it: {message}",
            f"服务不提供所询问的角色保持；它拒绝了该请求：{message}",
        )
    elif assessment.role_keeping_records:
        yield _note(
            "An endpoint that does not know the fields of role keeping may ignore them without a word: equal "
            "curves with and without can mean that.",
            "不认识角色保持字段的服务可能直接忽略它；启用前后的曲线相同，原因也可能在此。",
        )
    for result in assessment.performance:
        if result.shorter_than_meant:
            yield _note(
                "The long request asks for more than 500 tokens, but the model's answers ended "
                "earlier; its figures are for answers of the length shown.",
                "长回答请求要求超过 500 个 token，但模型提前结束；其数据对应表中所示的实际长度。",
            )
        alone = result.capacity and next(iter(result.capacity.invalid_levels), None)
        if alone and alone.concurrency == 1 and not alone.confirmation:
            yield _note(
                f"The load generator was kept from running while one stream was measured "
                f"({result.request_type}: {alone.invalid}): its times of the first token are too long and "
                "its speeds too high or too low.",
                f"测量单路请求（{result.request_type}）时负载发生器未能及时运行（{chinese(alone.invalid)}）："
                "首字时延偏长，速度也不准确。",
            )
    if assessment.performance and assessment.target["kind"] != "endpoint":
        yield _note(
            "Server and measuring client ran on the same machine and shared its cores.",
            "服务端与测量客户端运行在同一台机器上，共用处理器核心。",
        )


def _note(english: str, chinese: str) -> Note:
    return {"en": english, "zh": chinese}
