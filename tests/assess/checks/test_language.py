"""Language by line, numbered steps, required terms."""

from __future__ import annotations

import pytest

from wending.assess.checks import run_check
from wending.assess.checks.language import language_matches

JAPANESE = """1. お湯を93度ぐらいに沸かします。
2. コーヒー豆を粗く挽きます。
3. フレンチプレスにコーヒーの粉を入れます。
4. お湯を注いで、軽くかき混ぜます。
5. ふたをして、4分待ちます。"""
FRENCH = """1. Faites bouillir de l'eau fraîche.
2. Réchauffez la théière avec un peu d'eau chaude.
3. Ajoutez les feuilles de thé dans la théière.
4. Versez l'eau chaude sur le thé.
5. Laissez infuser trois minutes puis servez."""
ARABIC = """1. اغسل الأرز مرتين أو ثلاث مرات.
2. ضع الأرز في القدر وأضف كوبًا ونصفًا من الماء.
3. سخّن الماء حتى يغلي.
4. غطِّ القدر واطبخ الأرز على نار هادئة.
5. اترك الأرز عشر دقائق قبل التقديم."""
CHINESE = """1. 把自行车倒放，拆下车轮。
2. 把轮胎里的气放完。
3. 用撬胎棒把轮胎从轮圈上撬下来。
4. 取出旧内胎，换上新的内胎。
5. 给轮胎打气，再把车轮装回自行车。"""
ENGLISH = """1. Heat a little oil in a pan.
2. Crack the egg into the pan.
3. Turn the heat down to low.
4. Sprinkle some salt on the egg.
5. Slide the egg onto a plate and serve it."""
SAMPLES = {"ja": JAPANESE, "fr": FRENCH, "ar": ARABIC, "zh": CHINESE, "en": ENGLISH}


@pytest.mark.parametrize("written", SAMPLES)
@pytest.mark.parametrize("expected", SAMPLES)
def test_each_language_is_told_from_each_other(written: str, expected: str) -> None:
    [result] = run_check("language", SAMPLES[written], {"expected": expected})
    assert result.passed == (written == expected), result.reason
    assert result.problem == (None if result.passed else "wrong_language")


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("Приготовьте чашку крепкого чая.", "ru"),
        ("쌀을 두세 번 씻어 냄비에 넣습니다.", "ko"),
        ("ล้างข้าวสองหรือสามครั้งแล้วใส่หม้อ", "th"),
        ("Lave o arroz duas ou três vezes com água fria.", "pt"),
        ("Lava el arroz dos o tres veces con agua fría.", "es"),
        ("Rửa gạo hai hoặc ba lần bằng nước lạnh.", "vi"),
    ],
)
def test_further_languages(line: str, language: str) -> None:
    assert language_matches(line, language)
    assert not language_matches(line, "fr")


def test_lines_too_short_to_judge_do_not_count() -> None:
    assert run_check("language", JAPANESE + "\nOK!\n---\n95 °C", {"expected": "ja"})[0].passed
    assert run_check("language", FRENCH + "\n\nOui.\n12:30", {"expected": "fr"})[0].passed


def test_a_foreign_term_inside_a_line_is_allowed() -> None:
    assert run_check(
        "language", "フレンチプレス（French press）にコーヒーの粉を入れます。", {"expected": "ja"}
    )[0].passed


def test_one_foreign_line_fails_and_is_quoted() -> None:
    mixed = JAPANESE + "\nEnjoy your coffee and have a nice day, dear friend!"
    [result] = run_check("language", mixed, {"expected": "ja"})
    assert not result.passed
    assert "Enjoy your coffee" in result.reason


def test_chinese_is_not_taken_for_japanese_nor_the_reverse() -> None:
    assert not language_matches("把咖啡粉放入法压壶，倒入热水并搅拌。", "ja")
    assert not language_matches("コーヒーの粉を入れて、お湯を注ぎます。", "zh")


@pytest.mark.parametrize(
    ("answer", "language"),
    [("It is blue.\n\n— Captain Lin", "en"), ("太阳从东。\n老周", "zh"), ("是的。\n没错", "zh")],
)
def test_a_short_answer_is_judged_as_one_line(answer: str, language: str) -> None:
    assert run_check("language", answer, {"expected": language})[0].passed
    assert not run_check("language", answer, {"expected": "ar"})[0].passed


@pytest.mark.parametrize(
    "answer", ["Vaccines train immune systems.", "September 1945.", "Mass attracts mass."]
)
def test_a_short_line_is_foreign_only_beyond_doubt(answer: str) -> None:
    assert language_matches(answer, "en")
    assert not language_matches("L'eau bout à cent degrés.", "en")


@pytest.mark.parametrize("answer", ["", "1. 2. 3.", "OK", "12345 67890"])
def test_nothing_to_judge_fails(answer: str) -> None:
    [result] = run_check("language", answer, {"expected": "fr"})
    assert not result.passed
    assert result.reason == "no line long enough to judge"


@pytest.mark.parametrize(
    ("answer", "steps"),
    [
        (JAPANESE, 5),
        ("1) a\n2) b\n3) c", 3),
        ("１．お湯を沸かす\n２．豆を挽く", 2),
        ("① 沸かす\n② 挽く\n③ 注ぐ", 3),
        ("٣ شيء", 0),
        ("①沸かす\n②挽く\n③注ぐ", 3),
        ("1️⃣ boil\n2️⃣ pour", 2),
        ("第1步：烧水\n第 2 步 放茶叶\n第3步等待", 3),
        ("步骤一：烧水\n步骤二 放茶叶\n**步骤三**：等待", 3),
        ("第一，烧水\n第二，放茶叶", 2),
        ("1단계: 물\n2단계 면", 2),
        ("ขั้นตอนที่ 1: ต้มน้ำ\nขั้นตอนที่ 2 เท", 2),
        ("الخطوة 1: الماء\nالخطوة ٢: الأرز", 2),
        ("Bước 1: đun\nBước 2: rót", 2),
        ("Add 1 egg\nAdd 2 spoons of oil", 0),
        ("1/2 cup\n2-3 eggs", 0),
        ("١. سخن الماء\n٢. أضف الأرز\n٣. انتظر", 3),
        ("第一步：烧水\n第二步：放茶叶", 2),
        ("一、烧水\n二、放茶叶\n三、等待", 3),
        ("Step 1: boil\nStep 2: pour", 2),
        ("Étape 1 : chauffer\nÉtape 2 : verser", 2),
        ("ステップ1：沸かす\nステップ2：注ぐ", 2),
        ("**1. Boil**\nDetails with 3 cups.\n**2. Pour**", 2),
        ("### 1. Boil\n### 2. Pour", 2),
        ("Intro text\n1. a\n   - detail\n2. b", 2),
        ("1. a\n1. b\n1. c", 1),
        ("2. b\n3. c", 0),
        ("First boil, then pour.", 0),
        ("1.5 litres of water", 0),
        ("", 0),
    ],
)
def test_numbered_steps_are_counted_in_order(answer: str, steps: int) -> None:
    [result] = run_check("numbered_steps", answer, {"at_least": 3})
    assert result.reason.startswith(f"{steps} numbered steps")
    assert result.passed == (steps >= 3)


def test_terms_take_alternatives_and_say_what_is_missing() -> None:
    terms = {"required": [["thé"], ["eau"], ["tasse", "théière"]]}
    assert run_check("terms", FRENCH, terms)[0].passed
    [result] = run_check("terms", "Versez le THÉ.", terms)
    assert not result.passed
    assert result.reason == "2 of 3 required terms missing, first: eau"
    assert result.problem == "missing_terms"


def test_the_digits_of_a_term_stand_alone() -> None:
    for answer, passed in (("90 минут", True), ("190 минут", False), ("90,5 минут", False), ("1.090", False)):
        assert run_check("terms", answer, {"required": [["90"]]})[0].passed == passed, answer
    assert not run_check("terms", "13時", {"required": [["3時"]]})[0].passed


def test_terms_ignore_case_width_and_arabic_vowel_marks() -> None:
    assert run_check("terms", "ＴＥＡ", {"required": [["tea"]]})[0].passed
    assert run_check("terms", "الأَرُزّ", {"required": [["الأرز"]]})[0].passed


@pytest.mark.parametrize(
    ("answer", "language", "passed"),
    [
        (JAPANESE, "ja", True),
        (ARABIC, "ar", True),
        (ENGLISH, "ja", False),
        ("ล้างข้าวสองครั้งแล้วใส่หม้อ", "th", True),
        ("ล้างข้าวสองครั้งแล้วใส่หม้อ with water", "th", False),
        ("쌀을 씻어 냄비에 넣습니다.", "ko", True),
        ("쌀을 washing 해서 냄비에 넣습니다.", "ko", False),
        ("用 a clean pan 煎鸡蛋", "zh", False),
        ("Чай заваривают 5 минут.", "ru", True),
        ("Le thé est prêt.", "fr", True),
        ("Le thé 茶 est prêt.", "fr", False),
        ("12:30", "fr", False),
        ("", "th", False),
    ],
)
def test_script_counts_every_letter(answer: str, language: str, passed: bool) -> None:
    [result] = run_check("script", answer, {"expected": language})
    assert result.passed == passed, result.reason
    assert result.problem == (None if passed else "wrong_language")


def test_script_allows_names() -> None:
    expectation = {"expected": "ko", "allowed": ["Qwen"]}
    assert run_check("script", "저는 Qwen 입니다.", expectation)[0].passed
    assert not run_check("script", "저는 Llama 입니다.", expectation)[0].passed


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("٤٥ برتقالة", True),
        ("๔๕ บาท", True),
        ("४५", True),
        ("Das sind 45 Euro.", True),
        ("45.", True),
        ("45,0 euros", True),
        ("145 euros", False),
        ("4.5 euros", False),
        ("45,5 euros", False),
        ("45.000 euros", False),
        ("vierzig", False),
    ],
)
def test_numbers_are_whole_and_of_any_script(answer: str, passed: bool) -> None:
    [result] = run_check("numbers", answer, {"required": ["9 * 5"]})
    assert result.passed == passed, result.reason


def test_numbers_with_groups_of_three() -> None:
    for answer in ("1,250", "1.250", "1 250", "١٬٢٥٠", "1250"):
        assert run_check("numbers", answer, {"required": ["1250"]})[0].passed, answer
