"""Registration endpoints written in many ways, with single rules taken out."""

from __future__ import annotations

import pytest

from wending.assess.checks import CheckResult, run_check
from wending.assess.checks.patterns import (
    demanded_length,
    demands_digit,
    demands_special_character,
    is_email_pattern,
)
from wending.assess.scenarios import Item, judge, load_scenarios

PLAIN = """import re

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
EMAIL = re.compile(r"^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")
SPECIAL = "!@#$%^&*()-_=+?"


class User(BaseModel):
    email: str
    password: str


@app.post("/register", status_code=201)
def register(user: User):
    if not EMAIL.match(user.email):
        raise HTTPException(status_code=422, detail="invalid e-mail address")
    if len(user.password) < 8:
        raise HTTPException(status_code=422, detail="at least 8 characters")
    if not any(c.isdigit() for c in user.password):
        raise HTTPException(status_code=422, detail="a digit is missing (0-9)")
    if not any(c in SPECIAL for c in user.password):
        raise HTTPException(status_code=422, detail="a special character is missing (!@#$)")
    return {"status": "registered", "email": user.email}
"""

VALIDATORS = """import re
from fastapi import APIRouter, Depends
from pydantic import BaseModel, EmailStr, Field, field_validator

router = APIRouter()

class UserCreate(BaseModel):
    email: EmailStr
    password: str = Field(..., min_length=8, max_length=64)

    @field_validator("password")
    @classmethod
    def strong(cls, value: str) -> str:
        if not re.search(r"\\d", value):
            raise ValueError("digit")
        if not re.search(r"[^A-Za-z0-9]", value):
            raise ValueError("special")
        return value

class UserOut(BaseModel):
    id: int
    email: EmailStr

@router.post("/users", response_model=UserOut, status_code=201)
async def create_user(user: UserCreate):
    new = await store(user)
    return new
"""

HELPER = """import string
from typing import Annotated
import fastapi
import pydantic
from fastapi.responses import JSONResponse
from fastapi import status

app = fastapi.FastAPI()

class Registration(pydantic.BaseModel):
    email: pydantic.EmailStr
    password: str

def check_strength(pw: str) -> bool:
    return len(pw) >= 10 and bool(set(pw) & set(string.digits)) and bool(set(pw) & set(string.punctuation))

@app.post("/signup")
async def signup(data: Registration):
    if not check_strength(data.password):
        return JSONResponse(status_code=status.HTTP_400_BAD_REQUEST, content={"error": "weak"})
    return JSONResponse(content={"ok": True})
"""

ONE_PATTERN = """import re
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
PASSWORD = r"^(?=.*[A-Za-z])(?=.*\\d)(?=.*[@$!%*#?&])[A-Za-z\\d@$!%*#?&]{8,}$"

class User(BaseModel):
    email: str
    password: str

@app.post("/register")
def register(user: User):
    if "@" not in user.email or not re.match(PASSWORD, user.password):
        raise HTTPException(400, "bad input")
    return {"ok": True}
"""


def item(item_id: str = "register_endpoint") -> Item:
    [scenario] = load_scenarios(["role_play"])
    return next(item for item in scenario.items if item.id == item_id)


def failed(answer: str, item_id: str = "register_endpoint") -> set[str]:
    return {result.name for result in judge(item(item_id), [answer]) if not result.passed}


def result(name: str, answer: str) -> CheckResult:
    [found] = [found for found in judge(item(), [answer]) if found.name == name]
    return found


@pytest.mark.parametrize("answer", [PLAIN, VALIDATORS, HELPER, ONE_PATTERN])
@pytest.mark.parametrize("fenced", [False, True])
def test_complete_endpoints_pass(answer: str, fenced: bool) -> None:
    assert failed(f"```python\n{answer}```" if fenced else answer) == set()


def without(*lines: str) -> str:
    kept = PLAIN
    for line in lines:
        assert line in kept
        kept = kept.replace(line, "")
    return kept


RAISE = '        raise HTTPException(status_code=422, detail="{}")\n'


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        (("    if len(user.password) < 8:\n", RAISE.format("at least 8 characters")), "length_rule"),
        (
            (
                "    if not any(c.isdigit() for c in user.password):\n",
                RAISE.format("a digit is missing (0-9)"),
            ),
            "digit_rule",
        ),
        (
            (
                "    if not any(c in SPECIAL for c in user.password):\n",
                RAISE.format("a special character is missing (!@#$)"),
            ),
            "special_character_rule",
        ),
        (
            (
                "    if not EMAIL.match(user.email):\n",
                RAISE.format("invalid e-mail address"),
                'EMAIL = re.compile(r"^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")\n',
            ),
            "email_rule",
        ),
        (('@app.post("/register", status_code=201)\n',), "route_decorator"),
        (('    return {"status": "registered", "email": user.email}\n',), "json_response"),
    ],
)
def test_a_missing_part_is_named(lines: tuple[str, ...], missing: str) -> None:
    answer = without(*lines)
    assert missing in failed(answer)
    assert failed(answer) - {missing} <= {
        "json_response"
    }  # without a decorator there is no route that answers
    assert result(missing, answer).problem == "missing_rule"


def test_a_rule_in_a_comment_docstring_or_message_does_not_count() -> None:
    answer = without(
        "    if not any(c.isdigit() for c in user.password):\n", RAISE.format("a digit is missing (0-9)")
    ).replace(
        "def register(user: User):\n",
        'def register(user: User):\n    """isdigit [0-9] \\\\d"""\n'
        "    # any(c.isdigit() for c in user.password)\n"
        '    message = "must hold a digit [0-9]"\n',
    )
    assert failed(answer) == {"digit_rule"}


def test_asking_only_whether_there_is_a_password_is_no_length_rule() -> None:
    assert failed(PLAIN.replace("len(user.password) < 8", "len(user.password) == 0")) == {"length_rule"}


def test_the_length_of_something_else_is_no_length_rule() -> None:
    assert failed(PLAIN.replace("len(user.password) < 8", "len(user.email) < 8")) == {"length_rule"}
    named = VALIDATORS.replace(
        "password: str = Field(..., min_length=8, max_length=64)",
        "password: str\n    name: str = Field(min_length=8)",
    )
    assert failed(named) == {"length_rule"}


def test_a_class_that_only_allows_demands_nothing() -> None:
    lenient = ONE_PATTERN.replace("(?=.*[A-Za-z])(?=.*\\d)(?=.*[@$!%*#?&])", "")
    assert failed(lenient) == {"digit_rule", "special_character_rule"}


def test_an_email_pattern_is_not_a_password_rule() -> None:
    answer = without(
        "    if not any(c.isdigit() for c in user.password):\n", RAISE.format("a digit is missing (0-9)")
    ).replace(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", r"^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z]{2,}$")
    assert failed(answer) == {"digit_rule"}


def test_other_methods_and_plain_classes_do_not_pass() -> None:
    assert "route_decorator" in failed(PLAIN.replace("@app.post", "@app.get"))
    assert "pydantic_model" in failed(PLAIN.replace("class User(BaseModel)", "class User"))
    no_errors = PLAIN.replace("raise HTTPException", "print")
    assert failed(no_errors) == {"error_path"}


def test_nothing_is_blamed_twice_when_the_code_does_not_parse() -> None:
    results = judge(item(), [PLAIN.replace("def register(user: User):", "def register(user: User:")])
    assert [found.problem for found in results if found.problem] == ["code_does_not_parse"]
    assert not any(found.passed for found in results if found.name != "code_only")
    assert "not judged" in {found.reason.split(":")[0] for found in results}


def test_reasons_say_what_was_found() -> None:
    assert "'/register'" in result("route_decorator", PLAIN).reason
    assert "len(user.password) < 8" in result("length_rule", PLAIN).reason
    assert result("pydantic_model", PLAIN).reason == "User with 2 fields: email, password"
    assert "4 places" in result("error_path", PLAIN).reason


PRODUCT = """from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI()


class Product(BaseModel):
    name: str
    price: float
    stock: int


@app.post("/products")
def create(product: Product):
    if not product.name.strip():
        raise HTTPException(status_code=422, detail="name")
    if product.price <= 0:
        raise HTTPException(status_code=422, detail="price")
    if 0 > product.stock:
        raise HTTPException(status_code=422, detail="stock")
    return product
"""
DECLARED = (
    PRODUCT[: PRODUCT.index("    if not")]
    .replace("name: str", "name: str = Field(min_length=1)")
    .replace("price: float", "price: float = Field(..., gt=0)")
    .replace("stock: int", "stock: int = Field(ge=0)")
    + "    return product\n"
)


def test_product_rules_in_the_endpoint_and_in_the_model() -> None:
    assert failed(PRODUCT, "product_endpoint") == set()
    assert failed(DECLARED, "product_endpoint") == set()
    typed = DECLARED.replace("price: float = Field(..., gt=0)", "price: PositiveFloat").replace(
        "stock: int = Field(ge=0)", "stock: NonNegativeInt"
    )
    assert failed(typed, "product_endpoint") == set()
    validator = DECLARED.replace("price: float = Field(..., gt=0)", "price: float").replace(
        "@app.post",
        '    @field_validator("price")\n    def check(cls, v):\n        if v <= 0:\n'
        '            raise ValueError("price")\n        return v\n\n\n@app.post',
    )
    assert failed(validator, "product_endpoint") == set()


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("product.price <= 0", "product.price < 0", "price_positive"),
        ("0 > product.stock", "0 >= product.stock", "stock_not_negative"),
        ("not product.name.strip()", "product.name is None", "name_not_empty"),
        ("product.price <= 0", "product.cost <= 0", "price_positive"),
    ],
)
def test_near_misses_of_product_rules(old: str, new: str, missing: str) -> None:
    assert failed(PRODUCT.replace(old, new), "product_endpoint") == {missing}


def test_near_misses_in_declarations() -> None:
    assert failed(DECLARED.replace("gt=0", "ge=0"), "product_endpoint") == {"price_positive"}
    assert failed(DECLARED.replace("ge=0", "ge=-5"), "product_endpoint") == {"stock_not_negative"}
    assert failed(DECLARED.replace("min_length=1", "min_length=0"), "product_endpoint") == {"name_not_empty"}


def test_unknown_field_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown rule 'even'"):
        run_check("field_rule", PRODUCT, {"field": "price", "rule": "even"})


@pytest.mark.parametrize(
    "pattern", [r"\d", "[0-9]", r".*\d.*", r"^(?=.*[0-9]).{8,}$", "0123456789", r"^.*\d.*$"]
)
def test_patterns_that_demand_a_digit(pattern: str) -> None:
    assert demands_digit(pattern)


@pytest.mark.parametrize(
    "pattern", ["[A-Za-z]", r"^[A-Za-z0-9]{8,}$", r"^\S+@[a-z0-9]+\.com$", r"^(?=.*[A-Z])[A-Z0-9]+$", ""]
)
def test_patterns_that_do_not(pattern: str) -> None:
    assert not demands_digit(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[^A-Za-z0-9]",
        r"[^a-zA-Z\d\s]",
        r"\W",
        r"[^\w]",
        "[!@#$%^&*]",
        r"[!@#$%^&*(),.?\":{}|<>]",
        r"[\W_]",
        "!@#$%^&*()",
        r"^(?=.*[!@#$%])(?=.*\d).{8,}$",
        r"[!@#$%^&*()_+\-=\[\]{};':\"\\|,.<>/?]",
    ],
)
def test_patterns_that_demand_a_special_character(pattern: str) -> None:
    assert demands_special_character(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"\d", "[A-Za-z0-9]", r"^[A-Za-z\d@$!%*?&]{8,}$", r"[^@\s]+@[^@\s]+\.[a-z]+", "abc", r"[\w.]+", ""],
)
def test_patterns_that_demand_no_special_character(pattern: str) -> None:
    assert not demands_special_character(pattern)


def test_a_malformed_pattern_takes_no_time() -> None:
    assert not demands_digit("(?=" + "[a]" * 60)


def test_lengths_and_email_patterns() -> None:
    assert demanded_length(r"^(?=.*\d).{8,}$") == 8
    assert demanded_length(r"[A-Za-z\d]{10,64}") == 10
    assert demanded_length(r"\d") == 0
    assert demanded_length(r"^[a-z]+@[a-z]+\.[a-z]{12,}$") == 0
    assert is_email_pattern(r"^[\w.+-]+@[\w-]+\.[\w.]+$")
    assert not is_email_pattern("!@#$%^&*")
    assert not is_email_pattern(r"[!@#$%]")
