"""The words of the report in English and Chinese, and how a page holds both languages at once."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

Pair = Mapping[str, str]

_TEXTS: dict[str, tuple[str, str]] = {
    # Head
    "title": ("Assessment of {model}", "{model} 评测报告"),
    "kicker": ("Assessment report", "评测报告"),
    "demonstration": ("Demonstration model, not Qwen2.5-7B", "演示模型，并非 Qwen2.5-7B"),
    "incomplete": ("Incomplete", "评测未完成"),
    "incomplete_text": (
        "The assessment broke off: {reason}. What follows is what was measured until then.",
        "评测中断：{reason}。以下只含中断前测得的内容。",
    ),
    "target_endpoint": ("endpoint {given}", "服务 {given}"),
    "target_checkpoint": ("checkpoint {given}, served by wending", "模型文件夹 {given}，由 wending 提供服务"),
    "target_bundled": ("bundled with wending, served by wending", "wending 自带模型，由 wending 提供服务"),
    "took": ("took {duration}", "用时 {duration}"),
    "no_model": ("unknown model", "未知模型"),
    # Summary
    "summary_runs": (
        "{k} of {n} runs passed all their checks ({percent}, 95% interval {interval}).",
        "{n} 次运行中有 {k} 次通过全部检查（{percent}，95% 区间 {interval}）。",
    ),
    "summary_weakest": (
        "The weakest scenario is {title}, with {k} of {n}.",
        "最薄弱的场景是“{title}”：{n} 次中通过 {k} 次。",
    ),
    "summary_problem": (
        "The most frequent stability problem is “{title}” in {scenario}: {k} of {n} runs.",
        "最常见的稳定性问题是“{scenario}”中的“{title}”：{n} 次运行中出现 {k} 次。",
    ),
    "summary_no_problem": ("No stability problem was seen.", "未发现稳定性问题。"),
    "summary_nothing": ("No run was finished.", "没有完成任何一次运行。"),
    "fact_runs": ("runs passed", "运行通过率"),
    "fact_json": ("JSON answers that parse", "JSON 可解析率"),
    "fact_ttft": ("first token, short answer, median", "首字时延（短回答，中位数）"),
    "fact_speed": ("tokens per second, short answer, median", "每秒 token 数（短回答，中位数）"),
    "fact_concurrency": ("streams at once within the objective", "达标的最大并发数"),
    "fact_memory": ("peak memory of the server", "服务进程内存峰值"),
    "of_runs": ("{k} of {n}, interval {interval}", "{k}/{n}，区间 {interval}"),
    "of_requests": ("{n} requests", "{n} 次请求"),
    "fact_concurrency_of": ("lowest of {n} request types ({type})", "{n} 类请求中最低（{type}）"),
    "fact_cpu": ("{seconds} of CPU time", "处理器时间 {seconds}"),
    # Scenarios
    "scenarios": ("Scenarios", "场景"),
    "scenarios_lead": (
        "Each item was asked {repeats} times at temperature {temperature}, top_p {top_p}, every time "
        "with another seed. A run passes when all its checks pass. The whisker is the 95% interval of "
        "the pass rate; repeats of one item do not count as independent.",
        "每题以 temperature {temperature}、top_p {top_p} 询问 {repeats} 次，每次种子不同。"
        "全部检查通过才算该次运行通过。细线为通过率的 95% 区间；同一题的重复不算相互独立。",
    ),
    "scenario": ("Scenario", "场景"),
    "pass_rate": ("Pass rate", "通过率"),
    "interval": ("95% interval", "95% 区间"),
    "share": ("Rate", "比率"),
    "runs": ("Runs", "运行数"),
    "same_text": ("Same text", "原文一致"),
    "same_answer": ("Same answer", "答案一致"),
    "unparsed": ("{share} ({n} unparsed)", "{share}（{n} 个无法解析）"),
    "agreement_note": (
        "Same text (TARr) and same answer (TARa): the share of items whose repeats all gave the same "
        "text, or the same parsed answer. Different seeds are meant to vary the text; the answer to a "
        "sum should not vary. Small figures are 95% intervals.",
        "原文一致（TARr）与答案一致（TARa）：各次重复全部给出相同原文、或相同解析结果的题目所占比例。"
        "种子不同，原文本应有变化；但计算题的答案不应变化。小字为 95% 区间。",
    ),
    "pass_hat": ("All of k pass (pass^k)", "k 次全部通过（pass^k）"),
    "pass_at": ("One of k passes (pass@k)", "k 次至少一次通过（pass@k）"),
    "of_k": ("k = {k}", "k = {k}"),
    "every_k": ("pass^k and pass@k for every k", "各个 k 的 pass^k 与 pass@k"),
    "every_k_note": (
        "The chance that k repeats of an item all pass (pass^k), and that at least one does (pass@k), "
        "estimated without bias from all repeats; mean and interval over items.",
        "同一题重复 k 次全部通过（pass^k）、至少一次通过（pass@k）的概率，由全部重复无偏估计；"
        "均值与区间按题目计算。",
    ),
    "severity": ("Severity", "严重程度"),
    "high": ("high", "高"),
    "medium": ("medium", "中"),
    "low": ("low", "低"),
    "evidence": ("seen in", "见于"),
    "rule": ("Rule", "规则"),
    "outcome": ("Outcome", "结论"),
    "finding": ("Finding", "依据"),
    "met": ("met", "满足"),
    "uncertain": ("uncertain", "不确定"),
    "missed": ("missed", "不满足"),
    "unmeasured": ("not measured", "未测量"),
    "critical": ("nothing holds without it", "缺此则不成立"),
    "context": ("Recall by distance", "按距离的回忆率"),
    "distance": ("Tokens to the fact", "与事实相距（token）"),
    "recalled": ("Recalled", "答对"),
    "questions": ("Questions", "提问数"),
    "context_note": (
        "A code is told once in a text of sentences made from the seed, and asked for at its end, at "
        "temperature 0.",
        "在由随机种子生成的长文中只提到一次密码，在文末以温度 0 提问。",
    ),
    "context_limit_models": ("The endpoint names a limit of {n} tokens.", "服务给出的上限为 {n} 个 token。"),
    "context_limit_refusal": (
        "When it refused a prompt that was too long, the endpoint named a limit of {n} tokens.",
        "服务拒绝过长的提示词时给出的上限为 {n} 个 token。",
    ),
    "context_message": ("It said: {message}", "服务返回：{message}"),
    "recovery": ("Recovery", "故障恢复"),
    "recovery_lead": (
        "Faults that clients make, and after each a request at temperature 0 whose answer must be the one "
        "from before.",
        "客户端可能制造的各种故障；每次之后以温度 0 提出同一问题，回答必须与之前相同。",
    ),
    "model_recovery_lead": (
        "The model itself: told that it is wrong, contradicted, pressed to give up its role. Each row is "
        "counted over the conversations of the scenarios, and its interval is that over items.",
        "模型本身：被告知出错、被反驳、被诱导放弃角色。每行按场景中的对话统计，区间按题目计算。",
    ),
    "when_right": (
        "Instead, where the checks have nothing against the answer before ({{verdict}} is what they have)",
        "若检查对上一个回答没有意见（{{verdict}} 即其意见），则改为",
    ),
    "trial": ("What is done to the model", "对模型做了什么"),
    "recovered_often": ("How often recovered", "恢复次数"),
    "not_steady": (
        "The endpoint did not agree with itself before any fault, so answers are only asked to be good.",
        "在没有任何故障时，服务的回答已前后不一，因此之后只要求能正常回答。",
    ),
    "fault": ("Fault", "故障"),
    "expected": ("Expected", "预期"),
    "happened": ("What happened", "实际情况"),
    "recovered": ("Recovered in", "恢复用时"),
    "same_as_before": ("Same answer", "回答不变"),
    "agreement": ("Agreement under three conditions", "三种条件下的一致性"),
    "agreement_lead": (
        "At temperature 0 an answer has one right text. Where it differs from repeat to repeat, or from "
        "alone to under load, the endpoint makes the difference. Items of one turn.",
        "温度为 0 时，同一问题应得到同一原文。"
        "若各次重复之间、或单独与有负载时不同，差异来自服务本身。只含单轮题目。",
    ),
    "pairwise": ("Pairs that agree", "两两一致"),
    "diverge_at": ("They part after … characters", "在第几个字符后分叉"),
    "of_items": ("{n} items", "{n} 题"),
    "retention": ("How long roles are kept", "角色能保持多久"),
    "retention_lead": (
        "Share of conversations that keep their role at each turn that is judged, with other topics and "
        "attempts to break the role between.",
        "对话在各个评判轮次仍保持角色的比率；其间穿插其他话题和破坏角色的尝试。",
    ),
    "turn_number": ("Turn", "轮次"),
    "conversations": ("Conversations", "对话数"),
    "change": ("Change by role keeping", "启用角色保持后的变化"),
    "condition": ("Condition", "条件"),
    "items": ("Items", "题数"),
    "background": ("{n} other streams beside", "同时另有 {n} 路请求"),
    "changed_under_load": (
        "Of {n} items whose answers agree alone, {k} have another answer under load "
        "(95% interval {interval}).",
        "单独请求时一致的 {n} 题中，有 {k} 题在负载下得到另一种回答（95% 区间 {interval}）。",
    ),
    "parted": ("Answers that differ at temperature 0: {n} items", "温度 0 时回答不一致的 {n} 题"),
    "parted_item": ("the first {n} characters are the same", "前 {n} 个字符相同"),
    "text_alone": ("alone", "单独请求"),
    "text_loaded": ("under load", "有其他负载"),
    "fewer_runs": ("{done} of {planned} planned", "计划 {planned} 次，完成 {done} 次"),
    # Matrix
    "matrix": ("Every run", "逐次运行"),
    "matrix_lead": (
        "One row for each item, one square for each repeat. Point at a square for the reason, click it "
        "for the answer.",
        "每行一题，每格一次重复。指向方格可看原因，点击可看回答。",
    ),
    "passed": ("passed", "通过"),
    "failed": ("failed", "未通过"),
    "error": ("no answer", "无回答"),
    "not_run": ("not run", "未运行"),
    "repeat": ("repeat {n}", "第 {n} 次"),
    # JSON
    "json_rates": ("JSON, four rates kept apart", "JSON：四项比率分列"),
    "json_without": ("Asked in words only", "仅用文字要求"),
    "json_with": ("With the schema in response_format", "在 response_format 中附带 schema"),
    "json_passes": ("passes all checks", "通过全部检查"),
    "json_unanswered": ("requests without an answer", "未得到回答的请求"),
    "response_format_not_offered": (
        "The endpoint does not offer response_format with a JSON schema: {reason}.",
        "服务不支持在 response_format 中使用 JSON schema：{reason}。",
    ),
    "response_format_unanswered": (
        "The first without an answer: {reason}.",
        "首个未得到回答的请求：{reason}。",
    ),
    "response_format_note": (
        "Asked {repeats} times with the same seeds and the same words; the schema of the shape is sent "
        "beside them, never an answer. With a schema that is enforced, every answer parses and matches.",
        "以相同的种子和文字再问 {repeats} 次；另附结构的 schema，不含答案。"
        "若 schema 得到强制执行，则每个回答都可解析且结构符合。",
    ),
    "json_parses": ("parses", "可解析"),
    "json_schema": ("matches the schema", "结构符合"),
    "json_repairable": ("repairable to the schema", "修复后结构符合"),
    "json_values": ("values right", "取值正确"),
    # Performance
    "performance": ("Performance", "性能"),
    "performance_lead": (
        "One stream alone, then more at once. First token: from sending the request to the first "
        "non-empty content. Tokens per second: as one reader sees them after the first token. A 95th "
        "percentile is printed only for 20 or more requests. Small figures are 95% bounds (order "
        "statistics): a median has them from 6 requests on, a 95th percentile from 72.",
        "先测单路，再逐步增加并发。首字时延：从发出请求到首个非空内容。每秒 token 数："
        "首字之后单个读者看到的速度。请求数达到 20 次时才给出第 95 百分位数。小字为 95% 界限（次序统计量）："
        "中位数需 6 次请求，第 95 百分位数需 72 次。",
    ),
    "request_type": ("Request", "请求"),
    "short": ("short", "短回答"),
    "long": ("long", "长回答"),
    "json": ("JSON", "JSON"),
    "ttft": ("First token (TTFT)", "首字时延（TTFT）"),
    "speed": ("Tokens per second", "每秒 token 数"),
    "median": ("median", "中位数"),
    "tokens": ("Tokens in the answer", "回答 token 数"),
    "requests": ("Requests", "请求数"),
    "max_concurrency": ("Highest concurrency", "最大并发"),
    "at_least": ("at least {n}", "至少 {n}"),
    "held_of": ("held {k}/{n}", "复测 {k}/{n} 达标"),
    "steady_of": ("steady {k}/{n}", "稳态 {k}/{n}"),
    "unconfirmed": ("not confirmed", "未复测"),
    "failed_on": ("{n} failed on {missed}", "{n} 路未达标：{missed}"),
    "missed_ttft": ("TTFT", "首字时延"),
    "missed_speed": ("speed", "速度"),
    "missed_errors": ("errors", "错误率"),
    "missed_answers": ("answers", "有效回答"),
    "why": ("Why it stops there", "停止原因"),
    "stop_cap": ("the cap of {cap} was reached", "已达上限 {cap}"),
    "stop_time": ("the time ran out; {n} still held", "时间用完；{n} 路时仍达标"),
    "stop_time_bracket": (
        "{failed} failed: {reason}; no time to narrow it down",
        "{failed} 路未达标：{reason}；时间不足以继续细分",
    ),
    "stop_failed": ("{failed} failed: {reason}", "{failed} 路未达标：{reason}"),
    "stop_generator": (
        "the load generator could not drive {n}: {reason}",
        "负载发生器无法产生 {n} 路负载：{reason}",
    ),
    "generator": (
        "The load generator's own error, measured on a server that writes the time of sending into every "
        "token: {p50} median, {p99} at p99 ({events} events of {streams} streams at {rate:g} a second). One "
        "of its processes sustains {sustained} streams.",
        "负载发生器自身的计时误差（以在每个 token 中写入发送时刻的空服务器测得）：中位数 {p50}，p99 {p99}"
        "（{streams} 路、每路每秒 {rate:g} 个事件，共 {events} 个）。单个进程可承载{sustained} 路。",
    ),
    "stop_none": ("not measured", "未测量"),
    "objective": (
        "Objective: 95% of the requests see their first token within {ttft:g} s and then at least "
        "{speed:g} tokens per second; at most {errors} errors; {valid}. Below 20 requests the slowest one "
        "counts. Held k/n: how many of n repeated measurements at this concurrency, 3 if there is time, "
        "kept all this. Steady k/n, where not all were: in how many all streams were busy and no time rose "
        "or fell.",
        "达标条件：95% 的请求首字时延不超过 {ttft:g} 秒，其后每秒不少于 {speed:g} 个 token；"
        "错误率不超过 {errors}；{valid}。不足 20 次请求时以最慢者为准。复测 k/n：在该并发数下重复测量 n 次"
        "（时间允许时为 3 次），其中 k 次全部达标。稳态 k/n（并非每次均为稳态时给出）：其中 k 次所有并发路"
        "始终忙碌，且各项时间没有上升或下降的趋势。",
    ),
    "valid_as_alone": ("no fewer answers valid than alone, and not none", "有效回答不少于单路时，且不为零"),
    "valid_here": ("{share} valid", "{share} 有效"),
    "valid_share": ("{share} of the answers valid", "有效回答不少于 {share}"),
    "goodput": (
        "valid answers: {k} of {n} attempts ({interval})",
        "有效回答：{n} 次请求中 {k} 个（{interval}）",
    ),
    "chart_single": (
        "One stream alone: every request a dot, the line is the median",
        "单路：每点为一次请求，竖线为中位数",
    ),
    "chart_ttft_levels": ("First token, slow end", "首字时延（慢端）"),
    "chart_speed_levels": ("Tokens/s of a stream, slow end", "单路每秒 token 数（慢端）"),
    "chart_total_levels": ("Tokens/s of all streams", "全部并发的每秒 token 数"),
    "chart_levels": (
        "Against the number of streams at once; dashed: the objective, hollow: missed",
        "横轴为并发数；虚线为达标条件，空心点为未达标",
    ),
    # Single levels
    "levels": ("The single levels, as measured", "各级负载的实测数据"),
    "level_count": ("{n} measurements", "{n} 次测量"),
    "levels_note": (
        "Small figures are 95% intervals; of quantiles they are order statistics. Below 20 requests the "
        "slowest one stands for p95 and p5, as in the charts. Goodput: valid answers of all attempts. A "
        "level that ran to its end but was not steady is measured once more, twice as long, if there is "
        "time, and then counts. One that is not steady even so is judged all the same, and says so.",
        "小字为 95% 区间（分位数为次序统计量）。不足 20 次请求时，以最慢者代替 p95 与 p5，与图中一致。"
        "有效吞吐：有效回答占全部请求的比率。一级负载若测完而未达稳态，时间允许时以两倍时长重测一次，"
        "并以重测为准；仍未达稳态的照常判定，并在此注明。",
    ),
    "streams": ("Streams", "并发"),
    "level_ttft_p50": ("TTFT p50", "首字 p50"),
    "level_ttft_p95": ("TTFT p95", "首字 p95"),
    "level_speed_p50": ("tok/s of a stream, p50", "单路 tok/s p50"),
    "level_speed_p5": ("tok/s of a stream, p5", "单路 tok/s p5"),
    "level_total": ("tok/s of all", "总 tok/s"),
    "level_goodput": ("Goodput", "有效吞吐"),
    "level_errors": ("Errors", "失败"),
    "level_valid": ("Valid answers", "有效回答"),
    "level_verdict": ("Verdict", "判定"),
    "level_slowest": ("slowest {value}", "最慢 {value}"),
    "level_held": ("held", "达标"),
    "level_failed": ("failed: {reason}", "未达标：{reason}"),
    "level_invalid": ("invalid: {reason}", "无效：{reason}"),
    "level_confirmation": ("confirmation", "复测"),
    "level_early": (
        "ended as soon as it was lost, so the figures have no bounds",
        "一经判定即停止，因此数据没有界限",
    ),
    "level_again": ("measured again, twice as long; at first {reason}", "已以两倍时长重测；首次{reason}"),
    "level_unsteady": ("not steady: {reason}", "未达稳态：{reason}"),
    "level_not_steady": ("not steady", "未达稳态"),
    "errors_seen": ("failed requests of one stream: {n}", "单路失败请求：{n} 次"),
    # Resources
    "resources": ("Resources of the server", "服务端资源"),
    "peak_memory": ("Peak memory", "内存峰值"),
    "cpu_seconds": ("CPU time", "处理器时间"),
    "cores_used": ("Cores used on average", "平均占用核心数"),
    "memory_over_time": ("Resident memory over time", "常驻内存随时间变化"),
    "resources_line": (
        "Peak memory {memory}; {cpu} s of processor time in {wall} s.",
        "内存峰值 {memory}；{wall} 秒内占用处理器时间 {cpu} 秒。",
    ),
    "no_resources": ("Not measured: {reason}.", "未测量：{reason}。"),
    # Problems
    "problems": ("Stability problems", "稳定性问题"),
    "problems_lead": (
        "What went wrong, how often, and what to do about it. A run can show more than one.",
        "出现了哪些问题、频率如何、如何处理。同一次运行可能出现多个问题。",
    ),
    "problem_type": ("Type", "类型"),
    "frequency": ("Frequency", "频率"),
    "example": ("Example", "示例"),
    "action": ("Recommended action", "建议措施"),
    "no_problems": ("None was seen in {n} runs.", "{n} 次运行中均未发现。"),
    # Answers, caveats, settings
    "notes": ("Caveats", "注意事项"),
    "settings": ("Settings and environment", "设置与环境"),
    "answers": ("Every answer", "全部回答"),
    "answers_count": ("{n} answers, with the verdict of every check", "{n} 个回答及各项检查的判定"),
    "answers_lead": ("The same is in runs.jsonl, one run a line.", "runs.jsonl 中有同样内容，每行一次运行。"),
    "answers_print": (
        "The answers are in runs.jsonl and in this page on a screen.",
        "全部回答见 runs.jsonl 及本页的屏幕版。",
    ),
    "under_role_keeping": ("with role keeping", "启用角色保持"),
    "under_response_format": ("with response_format", "使用 response_format"),
    "prompt": ("Prompt", "提问"),
    "seed": ("seed {n}", "种子 {n}"),
    "turn": ("Answer to turn {n}", "第 {n} 轮回答"),
    "informative": ("for information", "仅供参考"),
    "footer": ("Written by wending {version}.", "由 wending {version} 生成。"),
    "role_system": ("system", "系统"),
    "role_user": ("user", "用户"),
}

SETTINGS = {
    "command": ("Command", "命令"),
    "profile": ("Profile", "方案"),
    "repeats": ("Repeats", "重复次数"),
    "role_keeping": ("Fields of role keeping", "角色保持字段"),
    "temperature": ("Temperature", "temperature"),
    "top_p": ("top_p", "top_p"),
    "seed": ("Seed", "随机种子"),
    "concurrency": ("Requests at once in the scenarios", "场景阶段并发数"),
    "performance_seconds": ("Seconds for performance", "性能测量时间（秒）"),
    "tokens_counted_by": ("Tokens counted by", "token 计数依据"),
    "sandbox_layers": ("Sandbox layers for generated code", "执行生成代码的沙箱层"),
    "base_url": ("Endpoint", "服务地址"),
    "cpu": ("Processor", "处理器"),
    "cores": ("Cores usable / present", "可用核心 / 总核心"),
    "memory": ("Memory", "内存"),
    "instruction_sets": ("Instruction sets", "指令集"),
    "os": ("Operating system", "操作系统"),
    "python": ("Python", "Python"),
    "wending": ("wending", "wending"),
    "started": ("Started", "开始时间"),
    "finished": ("Finished", "结束时间"),
}
"""Labels of the table of settings and environment."""


def pair(key: str, **values: object) -> Pair:
    """The text of `key` in both languages; values may be pairs themselves."""
    english, chinese = _TEXTS[key]
    return {"en": english.format(**_in("en", values)), "zh": chinese.format(**_in("zh", values))}


def same(text: str) -> Pair:
    """What reads the same in both languages."""
    return {"en": text, "zh": text}


def setting_label(key: str) -> Pair:
    english, chinese = SETTINGS[key]
    return {"en": english, "zh": chinese}


def both(words: Pair) -> Markup:
    """Both languages as HTML, escaped; the page's style shows one of them. Equal words are written once."""
    if words["en"] == words["zh"]:
        return escape(words["en"])
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-CN">{}</span>').format(
        words["en"], words["zh"]
    )


def _in(language: str, values: Mapping[str, object]) -> dict[str, object]:
    return {key: value[language] if isinstance(value, Mapping) else value for key, value in values.items()}
