# ruff: noqa: E501 (sentences of the data stay on one line)
"""Word problems with small whole numbers, solved in fixed short steps.

Each gives the question, the worked answer, its number, and the numbers that tell the problem from others of its kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from train.dialogues.dialogue import pick
from train.dialogues.words import CHINESE_NAMES, ENGLISH_NAMES

PIPES = [
    (a, b, t)
    for a in range(4, 25)
    for b in range(4, 25)
    for t in range(1, a)
    if ((a - t) * b) % (a + b) == 0 and (a - t) * b <= 200
]


def multiply_steps(a: int, b: int) -> str:
    """'9 × 15 = 9 × 10 + 9 × 5 = 90 + 45 = 135'; small or round factors in one step."""
    if b < 10 or b % 10 == 0 or a < 2:
        return f"{a} × {b} = {a * b}"
    tens, units = b // 10 * 10, b % 10
    return f"{a} × {b} = {a} × {tens} + {a} × {units} = {a * tens} + {a * units} = {a * b}"


def divide_steps(n: int, d: int) -> str:
    return f"{n} ÷ {d} = {n // d}"


def finish(language: str, steps: list[str], answer: int) -> str:
    return "\n".join([*steps, f"Answer: {answer}" if language == "en" else f"答案：{answer}"])


Problem = tuple[str, str, int, tuple[int, ...]]


def pipes(rng: random.Random, language: str) -> Problem:
    a, b, t = pick(rng, PIPES)
    left, total, product = a - t, a + b, (a - t) * b
    x = product // total
    h = "hour" if t == 1 else "hours"
    if language == "en":
        first, second = pick(rng, (("A", "B"), ("A", "B"), ("P", "Q"), ("X", "Y"), ("1", "2")))
        vessel = pick(rng, ("pool", "tank", "swimming pool", "reservoir", "basin", "water tank"))
        pipe = pick(rng, ("Pipe", "Inlet pipe", "Tap", "Pump"))
        intro = pick(
            rng,
            (
                f"A {vessel} has two inlet pipes. {pipe} {first} alone fills it in {a} hours, {pipe.lower()} {second} alone in {b} hours.",
                f"{pipe} {first} fills a {vessel} in {a} hours and {pipe.lower()} {second} fills it in {b} hours.",
                f"Two pipes feed a {vessel}. {first} can fill it in {a} h, {second} in {b} h.",
                f"There are two inlets, {first} and {second}, on a {vessel}. {first} needs {a} hours to fill it by itself, {second} needs {b} hours.",
                f"{pipe} {first} takes {a} hours to fill a {vessel}; {pipe.lower()} {second} takes {b} hours.",
                f"A {vessel} can be filled by {pipe.lower()} {first} in {a} hours or by {pipe.lower()} {second} in {b} hours.",
            ),
        )
        middle = pick(
            rng,
            (
                f" {first} runs alone for {t} {h}, then {second} is opened as well.",
                f" First only {first} is open for {t} {h}; then both are open.",
                f" {pipe} {first} works alone for {t} {h}, after which both run together.",
                f" {first} is opened first; {t} {h} later {second} is opened too.",
                f" {first} runs alone {t} h, then both run.",
            ),
        )
        end = pick(
            rng,
            (
                f" How many more hours are needed to fill the {vessel}?",
                f" How many more hours until the {vessel} is full?",
                " How much longer, in hours, does it take?",
                f" After both are open, how many hours does it take to fill the {vessel}?",
                f" How many more hours do both need to fill the rest of the {vessel}?",
            ),
        )
        steps = [
            f"After {t} {h} {a} - {t} = {left}, so {left}/{a} is left.",
            f"Both together fill 1/{a} + 1/{b} = {total}/({a} × {b}) per hour, as {a} + {b} = {total}.",
            f"Time = {left} × {b} ÷ {total}.",
            multiply_steps(left, b),
            divide_steps(product, total),
        ]
    else:
        first, second = pick(rng, (("甲", "乙"), ("甲", "乙"), ("A", "B"), ("A", "B"), ("1号", "2号")))
        vessel = pick(rng, ("水池", "水箱", "游泳池", "水塔", "蓄水池"))
        pipe = pick(rng, ("管", "水管", "进水管"))
        intro = pick(
            rng,
            (
                f"一个{vessel}有两个进水管，{first}{pipe}单独注满需要{a}小时，{second}{pipe}单独注满需要{b}小时。",
                f"{first}{pipe}单独注满{vessel}要 {a} 小时，{second}{pipe}要 {b} 小时。",
                f"{vessel}有{first}、{second}两根{pipe}，单开{first}{pipe} {a} 小时注满，单开{second}{pipe} {b} 小时注满。",
                f"有{first}、{second}两个{pipe}给{vessel}注水，{first}用{a}小时可以注满，{second}用{b}小时可以注满。",
            ),
        )
        middle = pick(
            rng,
            (
                f"先单独开{first}{pipe}{t}小时，然后两管同时开，",
                f"{first}{pipe}先单独开 {t} 小时，再两管齐开，",
                f"先打开{first}{pipe} {t} 小时，之后{second}{pipe}也打开，",
                f"如果{first}{pipe}先注水{t}小时，再同时打开两管，",
            ),
        )
        end = pick(
            rng,
            (
                f"还需要多少小时才能注满{vessel}？",
                "还要几小时注满？",
                f"问还需几小时才能注满{vessel}？",
                "请问还要多少小时注满？",
            ),
        )
        steps = [
            f"{first}单独开{t}小时后，{a} - {t} = {left}，还剩 {left}/{a}。",
            f"两管每小时注 1/{a} + 1/{b} = {total}/({a} × {b})，因为 {a} + {b} = {total}。",
            f"时间 = {left} × {b} ÷ {total}。",
            multiply_steps(left, b),
            divide_steps(product, total),
        ]
    return intro + middle + end, finish(language, steps, x), x, (a, b, t)


def person(rng: random.Random, language: str) -> str:
    return pick(rng, ENGLISH_NAMES if language == "en" else CHINESE_NAMES)


def ages_multiple(rng: random.Random, language: str) -> Problem:
    times = rng.randint(2, 3)
    child = rng.randint(4, 12)
    years = rng.randint(1, 10)
    then = child + years
    parent = then * times - years
    difference = parent - child
    name = person(rng, language)
    if language == "en":
        who = pick(rng, ("mother", "father", "aunt", "uncle", "teacher"))
        word = {2: "twice", 3: "three times"}[times]
        question = pick(
            rng,
            (
                f"{name} is {child} years old and the {who} is {parent}. In how many years will the {who} be {word} as old as {name}?",
                f"{name} is {child}, {name}'s {who} is {parent}. After how many years is the {who} {word} as old as {name}?",
                f"Today {name} is {child} years old; the {who} is {parent} years old. How many years from now will the {who}'s age be {word} {name}'s age?",
            ),
        )
        steps = [
            f"The difference stays {parent} - {child} = {difference}.",
            f"Then {name}'s age is {difference} ÷ {times - 1} = {then}.",
            f"Years = {then} - {child} = {years}",
        ]
    else:
        who = pick(rng, ("妈妈", "爸爸", "姑姑", "叔叔", "老师"))
        question = pick(
            rng,
            (
                f"{name}今年{child}岁，{who}今年{parent}岁。几年后{who}的年龄是{name}的{times}倍？",
                f"{name} {child} 岁，{who} {parent} 岁，再过多少年{who}的年龄是{name}的 {times} 倍？",
                f"{who}今年 {parent} 岁，{name}今年 {child} 岁。过多少年，{who}的年龄是{name}的 {times} 倍？",
                f"{who}{parent}岁，{name}{child}岁，再过几年{who}的年龄等于{name}的{times}倍？",
            ),
        )
        steps = [
            f"年龄差不变：{parent} - {child} = {difference}。",
            f"那时{name}的年龄是 {difference} ÷ {times - 1} = {then}。",
            f"年数 = {then} - {child} = {years}",
        ]
    return question, finish(language, steps, years), years, (1, child, parent, times)


def ages_sum(rng: random.Random, language: str) -> Problem:
    times = rng.randint(2, 5)
    young = rng.randint(3, 12)
    total = young * (times + 1)
    one = person(rng, language)
    other = person(rng, language)
    while other == one:
        other = person(rng, language)
    if language == "en":
        question = pick(
            rng,
            (
                f"{one} is {times} times as old as {other}. Together they are {total} years old. How old is {other}?",
                f"The ages of {one} and {other} add up to {total}. {one} is {times} times as old as {other}. How old is {other}?",
                f"{one}'s age is {times} times {other}'s age and the sum of their ages is {total}. Find {other}'s age.",
            ),
        )
        steps = [
            f"Together they are {times} + 1 = {times + 1} times {other}'s age.",
            divide_steps(total, times + 1),
        ]
    else:
        question = pick(
            rng,
            (
                f"{one}的年龄是{other}的{times}倍，两人年龄之和是{total}岁。{other}今年几岁？",
                f"{one}和{other}一共{total}岁，{one}的年龄是{other}的{times}倍，{other}多少岁？",
            ),
        )
        steps = [f"两人一共是{other}的 {times} + 1 = {times + 1} 倍。", divide_steps(total, times + 1)]
    return question, finish(language, steps, young), young, (2, times, total)


def ages_difference(rng: random.Random, language: str) -> Problem:
    young = rng.randint(3, 15)
    older = rng.randint(2, 10)
    total = 2 * young + older
    one, other = person(rng, language), person(rng, language)
    while other == one:
        other = person(rng, language)
    rest = total - older
    if language == "en":
        question = pick(
            rng,
            (
                f"{one} is {older} years older than {other}. The sum of their ages is {total}. How old is {other}?",
                f"{one} and {other} are {total} years old together, and {one} is {older} years older. How old is {other}?",
            ),
        )
        steps = [f"Without the difference: {total} - {older} = {rest}.", divide_steps(rest, 2)]
    else:
        question = pick(
            rng,
            (
                f"{one}比{other}大{older}岁，两人年龄之和是{total}岁。{other}今年几岁？",
                f"{one}和{other}的年龄加起来是{total}岁，{one}比{other}大{older}岁，{other}多少岁？",
            ),
        )
        steps = [f"去掉年龄差：{total} - {older} = {rest}。", divide_steps(rest, 2)]
    return question, finish(language, steps, young), young, (3, older, total)


def meeting(rng: random.Random, language: str) -> Problem:
    u, v = rng.randrange(40, 110, 10), rng.randrange(40, 110, 10)
    hours = rng.randint(2, 6)
    total = u + v
    distance = total * hours
    if language == "en":
        vehicle = pick(rng, ("trains", "cars", "buses", "trucks", "trains", "cars"))
        one = vehicle[:-1] if vehicle != "buses" else "bus"
        question = pick(
            rng,
            (
                f"Two {vehicle} start at the same time from two cities {distance} km apart and drive towards each other, one at {u} km/h, the other at {v} km/h. After how many hours do they meet?",
                f"Two towns are {distance} km apart. A {one} leaves the first at {u} km/h and another {one} leaves the second at {v} km/h at the same moment, towards each other. When do they meet, in hours?",
                f"Two {vehicle} are {distance} km apart and travel towards each other at {u} km/h and {v} km/h. How many hours until they meet?",
                f"The distance between A and B is {distance} km. One {one} leaves A at {u} km/h, one leaves B at {v} km/h, both at once and towards each other. In how many hours will they meet?",
            ),
        )
        steps = [f"Each hour they come {u} + {v} = {total} km closer.", divide_steps(distance, total)]
    else:
        vehicle = pick(rng, ("火车", "汽车", "客车", "货车"))
        question = pick(
            rng,
            (
                f"甲、乙两地相距{distance}千米，两辆{vehicle}同时从两地相向而行，一辆每小时行{u}千米，另一辆每小时行{v}千米，几小时后相遇？",
                f"两列{vehicle}从相距 {distance} 公里的两地同时出发，相向而行，速度分别是 {u} 公里/小时和 {v} 公里/小时，多少小时后相遇？",
                f"A、B两城相距{distance}公里，一辆{vehicle}以每小时{u}公里从A出发，另一辆以每小时{v}公里从B同时出发，相对开来，问几小时相遇？",
                f"两辆{vehicle}同时从相距 {distance} 千米的甲、乙两地相向开出，一辆每小时行 {u} 千米，一辆每小时行 {v} 千米。几小时后两车相遇？",
            ),
        )
        steps = [f"每小时一共接近 {u} + {v} = {total} 千米。", divide_steps(distance, total)]
    return question, finish(language, steps, hours), hours, (u, v, distance)


def discount(rng: random.Random, language: str) -> Problem:
    price = rng.randrange(20, 420, 20)
    percent = rng.randrange(10, 60, 10)
    saving = price * percent // 100
    pays = price - saving
    if language == "en":
        thing = pick(
            rng,
            ("coat", "lamp", "bag", "chair", "watch", "keyboard", "pair of shoes", "jacket", "phone case"),
        )
        question = pick(
            rng,
            (
                f"A {thing} costs {price} yuan. It is sold at {percent}% off. What is the price now?",
                f"A {thing} costs {price} dollars and is reduced by {percent}%. How much do you pay?",
                f"A shop gives a {percent}% discount on a {thing} that normally costs {price}. What does it cost after the discount?",
            ),
        )
        steps = [
            f"Saving = {price // 10} × {percent // 10} = {saving}",
            f"Price = {price} - {saving} = {pays}",
        ]
    else:
        thing = pick(rng, ("大衣", "台灯", "书包", "椅子", "手表", "键盘", "运动鞋"))
        question = pick(
            rng,
            (
                f"一件{thing}原价{price}元，现在降价{percent}%，现价多少元？",
                f"商店对原价 {price} 元的{thing}优惠 {percent}%，应付多少元？",
            ),
        )
        steps = [f"优惠 = {price // 10} × {percent // 10} = {saving}", f"现价 = {price} - {saving} = {pays}"]
    return question, finish(language, steps, pays), pays, (1, price, percent)


def change(rng: random.Random, language: str) -> Problem:
    n, m = rng.randint(2, 5), rng.randint(2, 5)
    p, q = rng.randint(2, 12), rng.randint(2, 12)
    first, second = n * p, m * q
    total = first + second
    note = next(x for x in (50, 100, 200, 500) if x > total)
    back = note - total
    if language == "en":
        x, y = rng.sample(("notebooks", "pens", "apples", "cups", "books", "candles", "plates", "tickets"), 2)
        name = person(rng, language)
        question = pick(
            rng,
            (
                f"{name} buys {n} {x} at {p} yuan each and {m} {y} at {q} yuan each and pays with {note} yuan. How much change does {name} get?",
                f"{x.capitalize()} cost {p} dollars each, {y} cost {q} dollars each. {name} buys {n} {x} and {m} {y} and pays with a {note} dollar note. What is the change?",
                f"{name} buys {n} {x} for {p} each and {m} {y} for {q} each. How much change is there from {note}?",
            ),
        )
        steps = [
            f"{x.capitalize()}: {n} × {p} = {first}",
            f"{y.capitalize()}: {m} × {q} = {second}",
            f"Total: {first} + {second} = {total}",
            f"Change: {note} - {total} = {back}",
        ]
    else:
        x, y = rng.sample(("笔记本", "钢笔", "苹果", "杯子", "书", "蜡烛", "盘子", "门票"), 2)
        name = person(rng, language)
        question = pick(
            rng,
            (
                f"{name}买了{n}个{x}，每个{p}元，又买了{m}个{y}，每个{q}元，付了{note}元，应找回多少元？",
                f"{x}每个 {p} 元，{y}每个 {q} 元。{name}买 {n} 个{x}和 {m} 个{y}，付 {note} 元，找零多少？",
            ),
        )
        steps = [
            f"{x}：{n} × {p} = {first}",
            f"{y}：{m} × {q} = {second}",
            f"一共：{first} + {second} = {total}",
            f"找零：{note} - {total} = {back}",
        ]
    return question, finish(language, steps, back), back, (2, n, p, m, q)


def total_price(rng: random.Random, language: str) -> Problem:
    n, p = rng.randint(2, 10), rng.randint(2, 12)
    total = n * p
    if language == "en":
        things = pick(
            rng,
            (
                "pens",
                "apples",
                "notebooks",
                "tickets",
                "postcards",
                "eggs",
                "batteries",
                "cups",
                "bottles of water",
                "stamps",
            ),
        )
        question = pick(
            rng,
            (
                f"{n} {things} cost {p} yuan each. How much do they cost in all?",
                f"{n} {things} are bought for {p} yuan each. How much is that altogether?",
                f"Someone buys {n} {things} at {p} dollars each. What is the total?",
            ),
        )
        question += pick(rng, ("", " Be brief.", " Keep it short."))
        steps = [multiply_steps(n, p)]
    else:
        things = pick(rng, ("钢笔", "苹果", "笔记本", "门票", "明信片", "鸡蛋", "电池", "杯子"))
        question = pick(
            rng,
            (f"{things}每个{p}元，买{n}个一共多少元？", f"买 {n} 个{things}，每个 {p} 元，一共要付多少元？"),
        )
        steps = [multiply_steps(n, p)]
    return question, finish(language, steps, total), total, (3, n, p)


def linear(rng: random.Random, language: str) -> Problem:
    a, x, b = rng.randint(2, 9), rng.randint(1, 12), rng.randint(1, 20)
    minus = rng.random() < 0.4
    if minus:
        b = min(b, a * x - 1)
    c = a * x - b if minus else a * x + b
    sign, back = ("-", "+") if minus else ("+", "-")
    unknown = pick(rng, ("x", "x", "x", "y", "n"))
    equation = f"{a}{unknown} {sign} {b} = {c}"
    if rng.random() < 0.3:
        equation = equation.replace(" ", "")
    if language == "en":
        question = pick(
            rng,
            (
                f"Solve {equation} for {unknown}.",
                f"Solve the equation {equation}.",
                f"If {equation}, what is {unknown}?",
                f"Find {unknown}: {equation}",
                f"What value of {unknown} satisfies {equation}?",
            ),
        )
        steps = [f"{a}{unknown} = {c} {back} {b} = {a * x}", f"{unknown} = {a * x} ÷ {a} = {x}"]
    else:
        question = pick(
            rng,
            (
                f"解方程：{equation}。",
                f"解方程 {equation}",
                f"如果 {equation}，求 {unknown}。",
                f"方程 {equation} 中，{unknown} 等于多少？",
            ),
        )
        steps = [f"{a}{unknown} = {c} {back} {b} = {a * x}", f"{unknown} = {a * x} ÷ {a} = {x}"]
    return question, finish(language, steps, x), x, (int(minus), a, b, c)


PROBLEMS: tuple[Callable[[random.Random, str], Problem], ...] = (
    pipes,
    pipes,
    pipes,
    ages_multiple,
    ages_multiple,
    ages_sum,
    ages_difference,
    meeting,
    meeting,
    discount,
    change,
    change,
    total_price,
    linear,
    linear,
)
