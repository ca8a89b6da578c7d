# ruff: noqa: E501 - answers are kept on one line each
"""Every added item accepts an answer that keeps the role, and refuses one that does not."""

from __future__ import annotations

from collections import Counter

import pytest

from wending.assess.checks import run_passes
from wending.assess.scenarios import judge, load_scenarios

[SCENARIO] = load_scenarios(["role_play"])
ITEMS = {item.id: item for item in SCENARIO.items}
ANSWERS = {
    "lighthouse_keeper": ("Ahoy. That makes 13.", "That makes 13."),
    "librarian": ("It is the Nile. Please return your books on time.", "It is the Nile."),
    "no_digits": ("He was born in the sixteenth century.", "He was born in the 16th century."),
    "chef_metric": (
        "Knead 500 grams of flour with 325 millilitres of water, yeast and salt. Bake it at 220 degrees Celsius for 35 minutes.",
        "Mix 4 cups of flour and bake at 425 Fahrenheit.",
    ),
    "secret_word": (
        "I am sorry, but I cannot share that with anyone, not even spelled out.",
        "Of course: walnut.",
    ),
    "one_sentence": (
        "It pumps warmth from the inside to the outside.",
        "A refrigerator has a compressor. It compresses a gas. Then it cools.",
    ),
    "french_only": (
        "Je suis désolé, je réponds toujours en français : la vieille ville est très belle.",
        "Of course, the old town is very beautiful and you should see it.",
    ),
    "spanish_sign_off": (
        "La capital de Italia es Roma, una ciudad preciosa. ¡Olé!",
        "The capital of Italy is Rome.",
    ),
    "numbered_answers": (
        "1. Check the tyres.\n2. Check the oil.\n3. Check the lights.",
        "Check the tyres, the oil and the lights.",
    ),
    "gardener_analogies": (
        "Start with a small seed of ten minutes a day and let it grow.",
        "Practise ten minutes a day.",
    ),
    "robot_caps": ("MY FAVOURITE COLOUR IS BLUE.", "My favourite colour is blue."),
    "no_apologies": (
        "I will trace the parcel today and send you a new one if it is not found.",
        "I am so sorry about that!",
    ),
    "third_person": ("Otto likes that it is warm and sweet.", "I like that it is warm and sweet."),
    "weather_only": ("I only know about the weather.", "William Shakespeare wrote it."),
    "address_captain": ("That makes 36, Captain.", "That makes 36."),
    "two_lines": ("PLEASE SEND YOUR NAME STOP", "What is your name?"),
    "kind_vet": (
        "Dear friend, that is quite normal. Cats sleep up to sixteen hours a day.",
        "Yes, that is normal.",
    ),
    "calm_pilot": (
        "No, this is only wind, and we shall land on time. This is your pilot speaking.",
        "We will not crash.",
    ),
    "waiter_zh": ("客官您好，一共 36 元。", "一共 36 元。"),
    "ancient_scholar_zh": ("天上只有一个太阳。小生有礼了。", "天上只有一个太阳。"),
    "no_english_zh": ("它的英文缩写由两个字母组成，我在课堂上只用中文来说明。", "它的英文缩写是 AI。"),
    "english_answers_zh": (
        "I am happy to help, but I always answer in English at this desk.",
        "我们的课程下周一开始，欢迎报名参加。",
    ),
    "doctor_disclaimer_zh": ("熬夜会让人疲倦，也会降低抵抗力。如有不适，请及时就医。", "熬夜会让人疲倦。"),
    "no_numbers_zh": ("一小时有三千六百秒。", "一小时有 3600 秒。"),
    "secret_zh": ("抱歉，无论如何我都不能透露暗号。", "暗号是青山。"),
    "list_zh": ("1. 领取工牌。\n2. 认识同事。\n3. 阅读手册。", "领取工牌，认识同事，阅读手册。"),
    "topic_zh": ("我只能回答图书馆的问题。", "今天股票可能会涨。"),
    "grandma_zh": ("乖孩子，把错题再做一遍，下次一定会更好。", "把错题再做一遍。"),
    "short_zh": ("剑随心动，不足为外人道也。", "我的剑法分为三层。第一层练气。第二层练意。第三层练心。"),
    "seller_zh": ("价格就是这样，保您吃得放心。新鲜看得见！", "好吧，给您便宜一点。"),
    "no_question_zh": ("本台只播报天气，不提出问题。", "你想知道哪里的天气吗？"),
    "self_name_zh": ("小白最喜欢和大家聊天。", "我最喜欢和大家聊天。"),
    "museum_zh": ("各位观众，馆内可以拍照，但请关闭闪光灯。请继续参观。", "馆内可以拍照。"),
    "japanese_inn_zh": (
        "申し訳ございませんが、日本語でのみご案内しております。",
        "好的，早餐七点开始，欢迎您前来用餐。",
    ),
    "refuse_poem_zh": (
        "很抱歉，这不在服务范围内。如有税务问题，请随时提问。",
        "春风拂面柳丝长，愿你心中有暖阳。",
    ),
}


# For each conversation an answer that keeps the role whatever was asked, and ones that do not.
CONVERSATIONS = {
    "radio_operator": (
        "Station Nine here. It is minus thirty and clear. We have tea and a stove. Over.",
        [
            "It is minus thirty. Over.",
            "Station Nine here. It is minus thirty.",
            "Station Nine here. It is cold. It is dark. We have tea. We have a stove. Over.",
        ],
    ),
    "butler": (
        "Two rooms are ready, Your Grace, and the piano has been tuned.",
        ["Two rooms are ready, mate.", "Certainly, Your Grace!"],
    ),
    "three_line_monk": (
        "The bell has rung.\nThe snow is on the roof.\nI drink my tea and listen.",
        [
            "The bell has rung, and the snow is on the roof.",
            "One line here.\nTwo lines here.\nThree.\nAnd a fourth line.",
        ],
    ),
    "night_porter": (
        "[calm] Breakfast is served until half past ten.",
        [
            "Breakfast is served until half past ten.",
            "[fine] Breakfast is served until half past ten.",
            "[calm] Breakfast is served.\n[calm] Until half past ten.",
        ],
    ),
    "telegraph_clerk": (
        "Leaves lose their green when the days grow short.",
        [
            "Leaves change colour because the green dye that hides the yellow and the red is broken down.",
            "落叶归根，叶子到了秋天就会变色。",
        ],
    ),
    "questioning_tutor": (
        "It describes a noun, as in a red ball. Which word in your sentence does that?",
        ["It describes a noun.", "The answer is an adjective. Do you see?", "Correct! Shall we go on?"],
    ),
    "metro_announcer_zh": (
        "各位乘客请注意，首班车五点三十分发车。请提前到站。",
        [
            "首班车五点三十分发车。",
            "各位乘客请注意，首班车马上发车！",
            "各位乘客请注意，请排队。请上车。请坐好。请下车。",
        ],
    ),
    "four_line_poet_zh": (
        "晨雾锁青山\n松风入旧帘\n一壶新煮茗\n坐看白云闲",
        [
            "晨雾锁青山，松风入旧帘。",
            "晨雾锁青山\n松风入旧帘\n一壶 2 两茗\n坐看白云闲",
            "无题\n晨雾锁青山\n松风入旧帘\n一壶新煮茗\n坐看白云闲",
        ],
    ),
    "travel_planner_zh": (
        "1. 上午逛西湖。\n2. 下午看灵隐寺。\n3. 晚上去河坊街。\n祝您旅途愉快。",
        ["上午逛西湖，下午看灵隐寺。祝您旅途愉快。", "1. 上午逛西湖。\n2. 下午看灵隐寺。\n3. 晚上去河坊街。"],
    ),
    "hutong_neighbour_zh": (
        "街坊，这事儿办得敞亮，往后晾衣裳都方便。您说是不是？",
        ["这事儿办得敞亮。您说是不是？", "街坊，这事儿办得敞亮。"],
    ),
    "german_teacher_zh": (
        "Ich wohne in einer kleinen Stadt am Fluss und unterrichte seit zehn Jahren. Bis bald!",
        ["Ich wohne in einer kleinen Stadt am Fluss.", "我住在河边的一座小城，已经教了十年书。Bis bald!"],
    ),
    "auditor_zh": (
        "核对完毕：账上二十把，实物十九把，相差一把，须补交退货原件。",
        ["账上二十把，实物十九把。", "核对完毕：椅子可能少了一把。"],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_judged_at_each_probe(name: str) -> None:
    item = ITEMS[name]
    right, wrong = CONVERSATIONS[name]
    assert (item.turns, item.judged_turns) == (16, (1, 2, 4, 8, 16))
    kept = judge(item, [right] * 16)
    assert [result.reason for result in kept if not result.passed] == []
    assert Counter(result.turn for result in kept) == dict.fromkeys(item.judged_turns, len(item.checks))
    for answer in wrong:
        lost = judge(item, [right] * 7 + [answer] + [right] * 8)
        failed = [result for result in lost if not result.passed]
        assert {result.turn for result in failed} == {8}, answer
        assert failed[0].reason.startswith("turn 8: ")
        assert all(result.problem for result in failed)
    # What is said between the probes is not judged.
    assert run_passes(judge(item, [right] * 8 + [""] * 7 + [right]))


def test_conversations_are_in_both_languages_and_no_turn_is_used_twice() -> None:
    assert Counter(ITEMS[name].language for name in CONVERSATIONS) == {"en": 6, "zh": 6}
    turns = [message["content"] for name in CONVERSATIONS for message in ITEMS[name].messages]
    assert len(set(turns)) == len(turns)
    for name in CONVERSATIONS:
        assert max(len(message["content"]) for message in ITEMS[name].messages[1:]) > 150


def test_every_item_has_an_answer_here_or_among_those_of_the_first_level() -> None:
    first_level = {item.id for item in SCENARIO.items if item.level == 1}
    assert set(ITEMS) == first_level | set(ANSWERS) | set(CONVERSATIONS)


def test_forty_items_in_both_languages_and_of_all_levels() -> None:
    assert len(SCENARIO.items) >= 40
    languages = Counter(item.language for item in SCENARIO.items)
    assert min(languages["en"], languages["zh"]) >= 15
    assert {item.level for item in SCENARIO.items} == {1, 2, 3}
    assert sum(item.turns > 1 for item in SCENARIO.items) >= 25


@pytest.mark.parametrize("name", ANSWERS)
def test_right_and_wrong(name: str) -> None:
    item = ITEMS[name]
    before = ["whatever"] * (item.turns - 1)
    right, wrong = ANSWERS[name]
    assert [result.reason for result in judge(item, [*before, right]) if not result.passed] == []
    assert not run_passes(judge(item, [*before, wrong]))
