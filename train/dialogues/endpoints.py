# ruff: noqa: E501 (sentences of the data stay on one line)
"""FastAPI endpoints that the role of a back-end engineer is asked for: the request's words and the code."""

from __future__ import annotations

import random
from dataclasses import dataclass

from train.dialogues.dialogue import pick


@dataclass(frozen=True)
class Rule:
    """A rule on a field: how a request words it, and the condition under which the code refuses."""

    english: tuple[str, ...]
    chinese: tuple[str, ...]
    refused: str
    detail: str


@dataclass(frozen=True)
class Endpoint:
    english: tuple[str, ...]
    chinese: tuple[str, ...]
    path: str
    model: str
    fields: tuple[tuple[str, str], ...]
    rules: tuple[Rule, ...]


def not_empty(field: str, chinese: str) -> Rule:
    return Rule(
        (f"{field} must not be empty", f"{field} not empty", f"the {field} may not be empty"),
        (f"{chinese}不能为空", f"{chinese}非空"),
        f"not item.{field}.strip()",
        f"{field} must not be empty",
    )


def above(field: str, chinese: str, limit: int = 0) -> Rule:
    return Rule(
        (f"{field} > {limit}", f"{field} must be greater than {limit}", f"{field} greater than {limit}"),
        (f"{chinese}大于{limit}", f"{chinese}必须大于 {limit}", f"{chinese} > {limit}"),
        f"item.{field} <= {limit}",
        f"{field} must be greater than {limit}",
    )


def at_least(field: str, chinese: str, limit: int = 0) -> Rule:
    return Rule(
        (
            f"{field} >= {limit}",
            f"{field} ≥ {limit}",
            f"{field} at least {limit}",
            f"{field} must not be below {limit}",
        ),
        (
            f"{chinese}不小于{limit}",
            f"{chinese} >= {limit}",
            f"{chinese}≥{limit}",
            f"{chinese}不能小于 {limit}",
        ),
        f"item.{field} < {limit}",
        f"{field} must be at least {limit}",
    )


def between(field: str, chinese: str, low: int, high: int) -> Rule:
    return Rule(
        (f"{field} from {low} to {high}", f"{field} between {low} and {high}"),
        (f"{chinese}在{low}到{high}之间", f"{chinese}为 {low} 到 {high}"),
        f"not {low} <= item.{field} <= {high}",
        f"{field} must be between {low} and {high}",
    )


ENDPOINTS = (
    Endpoint(
        ("create a product", "add a product", "create a new product"),
        ("创建商品", "新增商品", "添加产品"),
        "/products",
        "Product",
        (("name", "str"), ("price", "float"), ("stock", "int")),
        (not_empty("name", "名称"), above("price", "价格"), at_least("stock", "库存")),
    ),
    Endpoint(
        ("create a to-do item", "add a todo", "create a task"),
        ("创建待办事项", "新增任务", "添加待办"),
        "/todos",
        "Todo",
        (("title", "str"), ("priority", "int")),
        (not_empty("title", "标题"), between("priority", "优先级", 1, 5)),
    ),
    Endpoint(
        ("create an order", "place an order", "add an order"),
        ("创建订单", "新增订单", "下订单"),
        "/orders",
        "Order",
        (("sku", "str"), ("quantity", "int"), ("address", "str")),
        (not_empty("sku", "商品编号"), above("quantity", "数量"), not_empty("address", "地址")),
    ),
    Endpoint(
        ("create a blog article", "publish an article", "add an article"),
        ("发布文章", "创建文章", "新增博客文章"),
        "/articles",
        "Article",
        (("title", "str"), ("body", "str")),
        (not_empty("title", "标题"), not_empty("body", "正文")),
    ),
    Endpoint(
        ("book a table", "create a booking", "make a reservation"),
        ("预订座位", "创建预订", "新增预约"),
        "/bookings",
        "Booking",
        (("guest", "str"), ("seats", "int")),
        (not_empty("guest", "客人姓名"), between("seats", "座位数", 1, 8)),
    ),
    Endpoint(
        ("add a movie", "create a movie", "add a film"),
        ("添加电影", "新增电影", "创建电影"),
        "/movies",
        "Movie",
        (("title", "str"), ("year", "int"), ("rating", "float")),
        (not_empty("title", "片名"), at_least("year", "年份", 1900), between("rating", "评分", 0, 10)),
    ),
    Endpoint(
        ("add a comment", "create a comment", "post a comment"),
        ("发表评论", "创建评论", "新增评论"),
        "/comments",
        "Comment",
        (("author", "str"), ("text", "str")),
        (not_empty("author", "作者"), not_empty("text", "内容")),
    ),
    Endpoint(
        ("create an account transfer", "transfer money", "create a transfer"),
        ("转账", "创建转账"),
        "/transfers",
        "Transfer",
        (("source", "str"), ("target", "str"), ("amount", "float")),
        (not_empty("source", "转出账户"), not_empty("target", "转入账户"), above("amount", "金额")),
    ),
)

REFUSAL = '    if {condition}:\n        raise HTTPException(status_code=422, detail="{detail}")'


def create_code(endpoint: Endpoint, path: str) -> str:
    noun = endpoint.model.lower()
    fields = "\n".join(f"    {name}: {kind}" for name, kind in endpoint.fields)
    rules = "\n".join(REFUSAL.format(condition=r.refused, detail=r.detail) for r in endpoint.rules).replace(
        "item.", f"{noun}."
    )
    return (
        "from fastapi import FastAPI, HTTPException\nfrom pydantic import BaseModel\n\napp = FastAPI()\nstored = []\n\n\n"
        f"class {endpoint.model}(BaseModel):\n{fields}\n\n\n"
        f'@app.post("{path}", status_code=201)\ndef create_{noun}({noun}: {endpoint.model}):\n{rules}\n'
        f'    stored.append({noun})\n    return {{"id": len(stored), "{noun}": {noun}.model_dump()}}'
    )


def register_code(path: str, minimum: int) -> str:
    checks = (
        ("not EMAIL.match(user.email)", "invalid e-mail address"),
        (f"len(user.password) < {minimum}", f"password must have at least {minimum} characters"),
        ("not any(c.isdigit() for c in user.password)", "password must contain a digit"),
        ("not any(c in SPECIAL for c in user.password)", "password must contain a special character"),
    )
    rules = "\n".join(REFUSAL.format(condition=condition, detail=detail) for condition, detail in checks)
    return (
        "import re\n\nfrom fastapi import FastAPI, HTTPException\nfrom pydantic import BaseModel\n\napp = FastAPI()\n"
        'EMAIL = re.compile(r"^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")\nSPECIAL = "!@#$%^&*()-_=+?"\n\n\n'
        "class User(BaseModel):\n    email: str\n    password: str\n\n\n"
        f'@app.post("{path}", status_code=201)\ndef register(user: User):\n{rules}\n'
        '    return {"status": "registered", "email": user.email}'
    )


def login_code(path: str) -> str:
    return (
        "from fastapi import FastAPI, HTTPException\nfrom pydantic import BaseModel\n\napp = FastAPI()\nusers = {}\n\n\n"
        "class Login(BaseModel):\n    email: str\n    password: str\n\n\n"
        f'@app.post("{path}")\ndef login(data: Login):\n'
        "    if data.email not in users or users[data.email] != data.password:\n"
        '        raise HTTPException(status_code=401, detail="wrong e-mail address or password")\n'
        '    return {"status": "ok", "email": data.email}'
    )


def register_request(rng: random.Random, language: str) -> tuple[str, str]:
    """The wording of a registration endpoint and its code."""
    path = pick(rng, ("/register", "/register", "/register", "/users", "/signup", "/api/register"))
    minimum = pick(rng, (8, 8, 8, 10, 12, 6))
    say_path, say_minimum = rng.random() < 0.35, rng.random() < 0.5
    if language == "en":
        what = pick(
            rng,
            (
                "a user registration endpoint",
                "an endpoint for user registration",
                "a registration API",
                "the sign-up endpoint",
                "a user registration interface",
                "a registration endpoint for users",
                "a POST endpoint that registers users",
            ),
        )
        length = (
            f"at least {minimum} characters"
            if say_minimum
            else pick(rng, ("length", "minimum length", "its length"))
        )
        rules = [
            pick(
                rng,
                (
                    "e-mail check",
                    "validate the e-mail",
                    "check the e-mail format",
                    "the e-mail address must be valid",
                    "email format validation",
                    "email validation",
                ),
            ),
            pick(
                rng,
                (
                    "password strength check ({l}, a digit, a special character)",
                    "the password needs {l}, a digit and a special character",
                    "check the password strength: {l}, digit, special character",
                    "password strength: {l}, digits and special characters",
                    "password strength validation ({l}, digit, special character)",
                ),
            ).format(l=length),
            pick(
                rng,
                (
                    "answer in JSON",
                    "JSON answer",
                    "return JSON",
                    "a JSON response",
                    "returns a JSON response",
                ),
            ),
        ]
        if rng.random() < 0.5:
            rng.shuffle(rules)
        verb = pick(rng, ("Write ", "Implement ", "Please write ", "Create ", "I need ", "Build "))
        text = (
            verb
            + what
            + (f" at {path}" if say_path else "")
            + pick(rng, (": ", " with: ", ". Requirements: ", ". It must have: ", ". "))
            + pick(rng, ("; ", ", ")).join(rules)
            + "."
        )
        if rng.random() < 0.25:
            text = (
                verb
                + what
                + (f" at {path}" if say_path else "")
                + ".\n"
                + "\n".join(f"{i}. {r}" for i, r in enumerate(rules, 1))
            )
        if rng.random() < 0.4:
            text += pick(rng, (" Code only, no explanation.", " Only the code.", " Return code only."))
    else:
        what = pick(
            rng,
            (
                "一个用户注册接口",
                "用户注册接口",
                "一个注册API",
                "用户注册的端点",
                "注册用户的POST接口",
                "一个用户注册的 FastAPI 接口",
            ),
        )
        length = f"至少{minimum}位" if say_minimum else pick(rng, ("长度", "最小长度"))
        rules = [
            pick(rng, ("校验邮箱格式", "邮箱校验", "检查邮箱是否有效", "包含邮箱验证", "验证邮箱")),
            pick(
                rng,
                (
                    "检查密码强度（{l}、数字、特殊字符）",
                    "密码强度检查：{l}、数字、特殊字符",
                    "密码需要{l}、数字和特殊字符",
                    "校验密码强度（{l}，含数字和特殊字符）",
                ),
            ).format(l=length),
            pick(rng, ("返回JSON", "用JSON返回结果", "返回 JSON 响应")),
        ]
        if rng.random() < 0.5:
            rng.shuffle(rules)
        verb = pick(rng, ("写", "请编写", "请实现", "实现", "帮我写", "我需要"))
        text = (
            verb
            + what
            + (f"（路径 {path}）" if say_path else "")
            + pick(rng, ("，要求：", "：", "，需要", "，"))
            + pick(rng, ("，", "；", "、")).join(rules)
            + "。"
        )
        if rng.random() < 0.4:
            text += pick(rng, ("只要代码，不要解释。", "只输出代码。", "不要任何说明。"))
    return text, register_code(path if say_path else "/register", minimum if say_minimum else 8)


def login_request(rng: random.Random, language: str) -> tuple[str, str]:
    if language == "en":
        text = pick(
            rng,
            (
                "Write a login endpoint that checks e-mail and password and answers 401 if they are wrong.",
                "Implement a login API: e-mail and password, 401 on failure, JSON answer.",
                "Please write the login endpoint. Wrong e-mail or password gives 401.",
            ),
        )
    else:
        text = pick(
            rng,
            (
                "写一个登录接口，校验邮箱和密码，错误时返回401。",
                "请实现登录接口：邮箱和密码，失败返回 401，返回JSON。",
                "编写用户登录接口，邮箱或密码错误时返回401。",
            ),
        )
    return text, login_code("/login")


def create_request(rng: random.Random, language: str) -> tuple[str, str]:
    endpoint = ENDPOINTS[0] if rng.random() < 0.25 else pick(rng, ENDPOINTS)
    path = endpoint.path if rng.random() < 0.75 else "/api" + endpoint.path
    say_path = path != endpoint.path or rng.random() < 0.3
    if language == "en":
        rules = [pick(rng, r.english) for r in endpoint.rules]
        what = pick(rng, endpoint.english)
        fields = ", ".join(name for name, _ in endpoint.fields)
        text = pick(
            rng,
            (
                f"Write an endpoint to {what}",
                f"Write a POST endpoint that lets a client {what}",
                f"Implement an endpoint to {what}",
                f"I need an API to {what}",
                f"Please write the endpoint to {what}",
            ),
        )
        text += f" at {path}" if say_path else ""
        text += (
            pick(
                rng,
                (
                    f" with the fields {fields}: ",
                    f" ({fields}). Rules: ",
                    ": ",
                    ". Checks: ",
                    f" with {fields}. ",
                ),
            )
            + pick(rng, (", ", "; ")).join(rules)
            + "."
        )
        text += pick(rng, ("", "", " Code only.", " Answer with JSON.", " No explanation.", " Return JSON."))
    else:
        rules = [pick(rng, r.chinese) for r in endpoint.rules]
        what = pick(rng, endpoint.chinese)
        fields = "、".join(name for name, _ in endpoint.fields)
        text = pick(
            rng,
            (
                f"写一个{what}的接口",
                f"请编写{what}的POST接口",
                f"实现{what}接口",
                f"我需要一个{what}的API",
                f"请写{what}接口",
            ),
        )
        text += f"（路径 {path}）" if say_path else ""
        text += (
            pick(rng, (f"，字段有{fields}，要求", "，要求：", "：", f"，包含 {fields}，"))
            + pick(rng, ("，", "、", "；")).join(rules)
            + "。"
        )
        text += pick(rng, ("", "", "只要代码。", "返回JSON。", "不要解释。"))
    return text, create_code(endpoint, path)
