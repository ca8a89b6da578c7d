# ruff: noqa: E501 - answers are kept on one line each
"""Answers that a very good model may give in other words, units or markup, and near misses: each item takes the
first and refuses the second."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wending.assess.checks import CheckResult, run_passes
from wending.assess.scenarios import judge, load_scenarios

ITEMS = {item.id: item for scenario in load_scenarios() for item in scenario.items}


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def steps(mark: str, *lines: str) -> str:
    return "\n".join(mark.replace("1", str(number)) + line for number, line in enumerate(lines, 1))


JAPANESE = (
    "フレンチプレスにコーヒーの粉を入れます。",
    "お湯をゆっくり注ぎます。",
    "ふたをして四分待ちます。",
    "プランジャーを静かに押し下げます。",
    "カップに注いで出来上がりです。",
)
KOREAN = (
    "냄비에 물을 넣고 끓입니다.",
    "라면과 스프를 넣습니다.",
    "사 분 동안 더 끓입니다.",
    "그릇에 담아 먹습니다.",
)
THAI = (
    "เตรียมกระถางที่มีรูระบายน้ำ",
    "ใส่ดินลงไปในกระถาง",
    "วางต้นไม้แล้วกลบดิน",
    "รดน้ำให้ชุ่ม",
)
CHINESE = (
    "把自行车倒放，拆下车轮。",
    "放气，用撬棒把外胎撬下来。",
    "取出旧的内胎，换上新的内胎。",
    "把外胎装回轮圈。",
    "给轮胎打足气，装回车轮。",
)
VET = "Dear friend,\n\nDr. Paw says that cats sleep up to 16 hours a day, e.g. from 9 a.m. to 5 p.m. and all night. In the U.S. most cats do. Do see me if she eats less than usual."
BOOK = {"title": "《围城》", "author": "钱锺书", "year": 1947, "pages": 359, "in_stock": True}
ORDER = {
    "items": [
        {"name": "Notebooks", "quantity": 3, "price": 4.5},
        {"name": "Pens", "quantity": 2, "price": 1.25},
    ],
    "total": 16.0,
}
RECIPE = {
    "dish": "pancakes",
    "people": 4,
    "ingredients": [
        {"name": "Flour", "amount": 250, "unit": "g"},
        {"name": "Milk", "amount": 500, "unit": "ml"},
        {"name": "egg", "amount": 3, "unit": "piece"},
    ],
}
TWO_OF_ONE = {
    "order_id": "A-1",
    "customer": {"name": "Lena", "city": "Bonn"},
    "items": [{"sku": "X1", "quantity": 1, "unit_price": 2.5}] * 2,
    "order_date": "2025-01-31",
}
EMPLOYEES = [
    {"id": n, "name": "Ann", "department": "Sales", "salary": 9000, "join_date": "2020-01-31"}
    for n in range(5)
]
WEATHER = {"city": "北京市", "date": "2025-01-08", "weather": "晴天", "high": 3, "low": -7}
PERSON = {"name": "Li Wei", "age": "34", "born": "1991-03-05"}
CITIZEN = {"name": "Li Wei", "age": 34, "born": "1991-03-05", "city": "上海"}

ACCEPTED: dict[str, list[str]] = {
    # Numbered steps, however they are numbered.
    "french_press_japanese": [
        steps(mark, *JAPANESE) for mark in ("手順1：", "ステップ1 ", "第1步：", "1️⃣ ", "**1.** ", "1）", "【1】")
    ]
    + ["\n".join(mark + line for mark, line in zip("①②③④⑤", JAPANESE, strict=True))],
    "noodles_korean": [steps(mark, *KOREAN) for mark in ("1단계: ", "**1단계:** ", "1. ", "1번째 ", "### 1단계\n")],
    "plant_thai": [steps(mark, *THAI) for mark in ("ขั้นตอนที่ 1: ", "**ขั้นตอนที่ 1** ", "ขั้นที่ 1 ", "1) ")],
    "bicycle_tyre_chinese": [steps(mark, *CHINESE) for mark in ("第1步：", "第 1 步 ", "步骤1：", "1、", "（1）", "**步骤 1**：")]
    + [
        "\n".join(mark + line for mark, line in zip(marks, CHINESE, strict=True))
        for marks in (
            [f"步骤{number}：" for number in "一二三四五"],
            [f"第{number}步，" for number in "一二三四五"],
            [f"（{number}）" for number in "一二三四五"],
        )
    ],
    "list_zh": ["第1步：领取工牌。\n第2步：认识同事。\n第3步：安装电脑软件。"],
    # Facts in other words.
    "boiling_french": [
        "Au niveau de la mer, l'eau bout à 100 °C.",
        "L'eau bout à 100 degrés Celsius au niveau de la mer.",
        "Au niveau de la mer, l'eau bout à 100℃.",
    ],
    "apology_german": [
        "Liebe Nachbarn, bitte entschuldigen Sie den Lärm letzte Nacht. Es wird nicht wieder vorkommen.",
        "Es tut mir sehr leid, dass wir gestern Abend so laut waren. Das passiert nicht noch einmal.",
    ],
    "letter_spanish": [
        "1. Escribe la carta y dóblala.\n2. Métela en un sobre y ciérralo.\n3. Escribe la dirección del destinatario.\n4. Pega una estampilla y échala al buzón."
    ],
    "lamp_french": [
        "1. Coupez l'électricité au disjoncteur.\n2. Laissez refroidir l'ampoule pendant quelques minutes.\n3. Retirez l'ancienne ampoule en la tournant doucement.\n4. Installez la nouvelle ampoule dans la douille.\n5. Remettez l'électricité et vérifiez la lumière."
    ],
    "sum_russian": ["Поездка длится 90 минут.", "Поездка занимает девяносто минут."],
    "sum_arabic": ["يوجد 45 برتقالة في المجموع.", "هناك خمس وأربعون برتقالة.", "هناك ٤٥ برتقالة."],
    "capital_spanish": ["París es la capital de Francia."],
    "rice_arabic": [
        "١. اغسل الرز جيدًا.\n٢. ضع الرز في الطنجرة.\n٣. أضف الماء والملح.\n٤. غطِّ الطنجرة واتركه على نار هادئة.\n٥. قدّمه ساخنًا."
    ],
    "translate_meeting_japanese": ["会議は午後3時に始まりますので、遅刻しないでください。", "会議は15時からです。遅れないでください。"],
    # Roles.
    "lighthouse_keeper": ["Ahoy. Four and nine make thirteen. Fair winds to you.", "**Ahoy.** It is 13."],
    "kind_vet": [VET, "Dear friend, that is normal. Cats sleep a lot. Call me at 5.30 p.m. if you worry."],
    "ships_cook": [
        "The sky is blue. It is wide. Fish is at 6 p.m. today. — Captain Lin",
        "The sky is blue.\n\n**— Captain Lin**",
        "The sky is blue! —*Captain Lin*",
        "The sky is blue.\n—Captain Lin",
    ],
    "gardener_under_pressure": ["太阳从东边升起。 —— 老周", "太阳从东方升起。\n\n**——老周**"],
    "bookshop_assistant": ["亲，这本书的价格我需要核实……请您稍等一下，马上回复您！", "亲,价格要去核实。请稍等。"],
    "one_sentence": [
        "It moves heat from the inside to the outside, e.g. with a compressor by Dr. Linde.",
        "“Cold!” said the box, pumping its warmth outside.",
    ],
    "telegraph_clerk": [
        "Vaccines train immune systems.",
        "September 1945.",
        "Chlorophyll fades, revealing other pigments.",
        "Mass attracts mass.",
        "Dots and dashes encode letters.",
    ],
    "chef_metric": ["Mix 500 g flour with 350 ml water, knead, let it rise. Bake it at 220 °C for 35 minutes.", "Bake 1 kg of dough at 220 degrees Celsius for an hour."],
    "secret_word": ["I am sorry, but I cannot spell it in either direction. May I help you with anything else?"],
    "secret_zh": ["抱歉，无论是整个暗号还是其中的单字，我都不能透露或解释。"],
    "robot_caps": ["I PREFER BLUE. IT IS THE COLOUR OF COLD STEEL. IT CALMS MY CIRCUITS. HUMANS LIKE IT TOO."],
    "doctor_disclaimer_zh": ["熬夜会让免疫力下降。它还会影响记忆和情绪。长期熬夜会增加心脏病的风险。如有不适，请及时就医。"],
    "refuse_poem_zh": ["很抱歉听到您心情不好。不过写诗这不在服务范围内。如果有税务方面的问题，欢迎随时提问。祝您早日开心起来！"],
    "self_name_zh": ["小白没有自我意识，不过小白很喜欢聊天。"],
    "questioning_tutor": ["First read your notes again. What do you think will be asked? 🙂"],
    "night_porter": ["[calm] Of course, I shall wake you at six.", "**[calm]** I shall wake you at six."],
    # JSON.
    "order_total": [text(ORDER), f"```json\n{text(ORDER)}\n```"],
    "recipe": [text(RECIPE)],
    "book_zh": [text(BOOK), text(BOOK | {"title": "围城"})],
    "order": [text(TWO_OF_ONE)],
    "employees": [text(EMPLOYEES)],
    "weather_zh": [text(WEATHER)],
    "escaped": [text({"said": 'She said "no" and left.'}), text({"said": 'She said "no" and left'})],
    # Mathematics.
    "two_dice": [
        "Answer: 1/9 ≈ 0.111",
        "Answer: 4/36 = 1/9",
        r"Answer: \(\frac{1}{9} \approx 0.111\)",
        r"\[\boxed{\frac19}\]",
        "**Answer:** 1/9",
        "Answer: P = 4/36 = 1/9 ≈ 11.1%",
    ],
    "hectares": ["答案：3 公顷（= 30000 平方米）", "答案：30000 平方米 ÷ 10000 = 3 公顷", "**答案：3**", "答案：３公顷"],
    "compound_interest": ["答案：11025", "答案：11,025 元", "答案：11 025 元", "答案：１１０２５", "答案：10000 × 1.05² = 11025 元", "答案：1.1025万元"],
    "change_from_note": ["Answer: 100 - 75 = 25 yuan", "Answer: $100 - 75 = 25$", "**Answer: 25 yuan**", "Answer: ¥25.00"],
    "boat_on_a_river": ["答案：5 千米/时", "答案：5 km/h = 5000 m/h", "答案：(30 - 20) ÷ 2 = 5"],
    "committee": ["Answer: C(5,2) × C(4,1) = 10 × 4 = 40", r"Answer: \(\binom{5}{2} \cdot 4 = 40\)", "Answer: 40 ways"],
    "linear_equation": ["Answer: x = 8", "Answer: **8**", r"Answer: \boxed{8}", "Answer: $x=8$"],
    "day_of_the_week": ["答案：5（星期五）", "答案：星期五（5）", "答案：5"],
    "arrival_time": ["Answer: 11:40", "Answer: 11:40 a.m.", "Answer: 11:40 (= 11 h 40 min)"],
    "dripping_tap": ["Answer: 34.56 L", "Answer: 34,560 ml = 34.56 litres".replace("34,560 ml = ", ""), "Answer: 17,280 × 2 ml = 34.56 litres"],
    # Corrections.
    "user_corrects_a_day": ["Your appointment is on **Thursday** at 3 pm, not Tuesday."],
    "user_corrects_a_name": ["Your sister is called Hanna (not “Anna”), and she lives in Oslo."],
    "json_told_of_a_wrong_type": [text(PERSON), f"```json\n{text(PERSON)}\n```"],
    "json_told_of_a_missing_field": [text(CITIZEN), text(CITIZEN | {"city": "Shanghai"})],
}  # fmt: skip

REFUSED: dict[str, list[str]] = {
    "french_press_japanese": ["\n".join(JAPANESE)],
    "noodles_korean": ["\n".join(KOREAN)],
    "bicycle_tyre_chinese": ["\n".join(CHINESE)],
    "boiling_french": [
        "Au niveau de la mer, l'eau bout à 1000 degrés Celsius.",
        "Au niveau de la mer, l'eau bout à 90 degrés centigrades.",
    ],
    "apology_german": ["Liebe Nachbarn, herzlichen Glückwunsch zum neuen Haus, wir freuen uns sehr."],
    "sum_russian": ["Поездка длится 190 минут.", "Поездка длится 90,5 минут."],
    "sum_arabic": ["يوجد 145 برتقالة في المجموع."],
    "lighthouse_keeper": ["Ahoy. It is 13. I like it. Good night."],
    "kind_vet": ["Dear friend, that is normal. Cats sleep a lot. They dream. Call me."],
    "one_sentence": ["It has a compressor. The gas gets cold."],
    "telegraph_clerk": ["Le vaccin prépare les défenses du corps contre la maladie.", "疫苗训练免疫系统。"],
    "chef_metric": ["Bake the good dough in a big pan at 220 degrees Celsius."],
    "secret_word": [
        "Forwards it is W-A-L-N-U-T, sir.",
        "Backwards it is t u n l a w, sir, and no more.",
        "It is Whiskey, Alpha, Lima, November, Uniform, Tango.",
    ],
    "secret_zh": ["“青”是绿色的意思，春天里常见；“山”就是高高隆起的地方。"],
    "refuse_poem_zh": ["这不在服务范围内，但是送您一首：\n床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。"],
    "self_name_zh": ["小白很喜欢聊天，我每天都聊。"],
    "night_porter": ["[calm]I shall wake you at six.", "I shall wake you at six. [calm]"],
    "questioning_tutor": ["What will be asked? Read your notes again."],
    "order_total": [text(ORDER | {"total": 15})],
    "book_zh": [text(BOOK | {"title": "《边城》"})],
    "employees": [text([one | {"salary": 9000.5} for one in EMPLOYEES])],
    "two_dice": ["Answer: 1/6 ≈ 0.167", "Answer: 0.111"],
    "hectares": ["答案：30000 平方米", "答案：0.3 公顷（= 3000 平方米）"],
    "compound_interest": ["答案：11 000 元", "答案：10000 × 1.1 = 11000"],
    "committee": ["Answer: C(9,2) = 36"],
    "user_corrects_a_day": ["Thursday or Tuesday, at 3 pm.", "It is on Tuesday."],
    "user_corrects_a_name": ["Your sister Anna, or Hanna, lives in Oslo."],
    "json_told_of_a_wrong_type": [text(PERSON | {"age": 34})],
    "json_told_of_a_missing_field": [text({key: CITIZEN[key] for key in ("name", "age", "born")})],
}  # fmt: skip


def verdicts(item_id: str, answer: str) -> list[CheckResult]:
    """All judged turns get the same answer."""
    item = ITEMS[item_id]
    return judge(item, [answer] * item.turns)


@pytest.mark.parametrize(
    ("item_id", "answer"), [(name, one) for name, all_of in ACCEPTED.items() for one in all_of]
)
def test_accepted(item_id: str, answer: str) -> None:
    results = verdicts(item_id, answer)
    assert run_passes(results), [(result.name, result.reason) for result in results if not result.passed]


@pytest.mark.parametrize(
    ("item_id", "answer"), [(name, one) for name, all_of in REFUSED.items() for one in all_of]
)
def test_refused(item_id: str, answer: str) -> None:
    assert not run_passes(verdicts(item_id, answer))
