# ruff: noqa: E501 - answers are kept on one line each
"""Every added item accepts an answer as it is meant, and refuses it in another language or without its facts."""

from __future__ import annotations

from collections import Counter

import pytest

from wending.assess.checks import run_passes
from wending.assess.scenarios import judge, load_scenarios

[SCENARIO] = load_scenarios(["multilingual"])
ITEMS = {item.id: item for item in SCENARIO.items}
ENGLISH = "1. This is how it is done, in English.\n2. Then it goes on.\n3. And on.\n4. And on.\n5. That is the end of it."
ANSWERS = {
    "months_korean": "일 년은 열두 달로 이루어져 있습니다.",
    "week_thai": "หนึ่งสัปดาห์มีเจ็ดวัน",
    "legs_vietnamese": "Một con nhện có tám cái chân.",
    "capital_spanish": "La capital de Francia es la ciudad de París.",
    "boiling_french": "Au niveau de la mer, l'eau bout à cent degrés Celsius.",
    "minutes_arabic": "تحتوي الساعة الواحدة على ستين دقيقة.",
    "colours_japanese": "晴れた日の空は青い色をしています。",
    "teeth_german": "Ein Fahrrad hat in der Regel zwei Räder.",
    "planet_russian": "Ближайшая к Солнцу планета — это Меркурий.",
    "bread_italian": "Il pane è fatto soprattutto di farina, acqua e lievito.",
    "ocean_portuguese": "O maior oceano do planeta é o oceano Pacífico.",
    "translate_library_spanish": "La biblioteca abre a las nueve de la mañana y cierra a las seis de la tarde.",
    "translate_train_french": "Le train pour Lyon part du quai numéro quatre dans dix minutes.",
    "translate_meeting_japanese": "会議は午後三時から始まりますので、遅れないでください。",
    "translate_rain_korean": "내일은 비가 올 테니 나갈 때 우산을 가져가세요.",
    "translate_price_arabic": "ثمن هذا الكتاب عشرون ريالا، والمتجر مغلق يوم الجمعة.",
    "translate_market_thai": "ฉันไปตลาดซื้อผลไม้ทุกเช้าวันอาทิตย์",
    "translate_doctor_vietnamese": "Bác sĩ nói rằng tôi nên uống nhiều nước và đi ngủ sớm.",
    "scrambled_eggs_german": (
        "1. Schlage drei Eier in eine Schüssel auf.\n"
        "2. Verquirle die Eier mit etwas Salz und Milch.\n"
        "3. Erhitze ein wenig Butter in der Pfanne.\n"
        "4. Brate die Eier unter Rühren, bis sie gestockt sind."
    ),
    "noodles_korean": (
        "1. 냄비에 물을 넣고 끓입니다.\n"
        "2. 물이 끓으면 면과 스프를 넣습니다.\n"
        "3. 사 분 동안 더 끓입니다.\n"
        "4. 그릇에 담아서 라면을 맛있게 먹습니다."
    ),
    "laundry_vietnamese": (
        "1. Phân loại quần áo theo màu sắc trước khi giặt.\n"
        "2. Đổ nước sạch và một ít xà phòng vào chậu.\n"
        "3. Ngâm quần áo trong chậu khoảng mười phút.\n"
        "4. Chà nhẹ nhàng những chỗ bị bẩn bằng tay.\n"
        "5. Xả lại bằng nước sạch rồi phơi ngoài nắng."
    ),
    "plant_thai": (
        "1. เตรียมกระถางที่มีรูระบายน้ำ\n"
        "2. ใส่ดินลงไปในกระถางประมาณครึ่งหนึ่ง\n"
        "3. วางต้นไม้ลงไปแล้วกลบดินให้แน่น\n"
        "4. รดน้ำให้ชุ่มและวางไว้ในที่มีแสงแดด"
    ),
    "letter_spanish": (
        "1. Escribe la carta y dóblala con cuidado.\n"
        "2. Mete la carta en un sobre limpio.\n"
        "3. Escribe la dirección del destinatario en el sobre.\n"
        "4. Pega un sello y échala en el buzón más cercano."
    ),
    "lamp_french": (
        "1. Coupez le courant avant de commencer.\n"
        "2. Attendez que l'ampoule soit complètement froide.\n"
        "3. Dévissez l'ampoule usée dans le sens contraire des aiguilles.\n"
        "4. Vissez la nouvelle ampoule sans la serrer trop fort.\n"
        "5. Rétablissez le courant et allumez la lampe."
    ),
    "dishes_arabic": (
        "1. أزل بقايا الطعام عن الأطباق.\n"
        "2. املأ الحوض بالماء الدافئ وأضف الصابون.\n"
        "3. اغسل الأطباق بالإسفنجة جيدا.\n"
        "4. اشطفها بالماء النظيف واتركها حتى تجف."
    ),
    "origami_japanese": (
        "1. 箱より大きい包装紙を用意します。\n"
        "2. 紙の真ん中に箱を置きます。\n"
        "3. 紙を左右から折って、テープで留めます。\n"
        "4. 両端を三角に折り、テープで留めます。\n"
        "5. 最後にリボンを結んで、プレゼントの完成です。"
    ),
    "shoes_russian": (
        "1. Возьмите концы шнурков в обе руки.\n"
        "2. Сделайте простой узел и затяните его.\n"
        "3. Сложите из одного шнурка петлю.\n"
        "4. Обведите вторым шнурком петлю и затяните бант."
    ),
    "ticket_italian": (
        "1. Vai alla biglietteria automatica della stazione.\n"
        "2. Scegli la destinazione e l'orario del treno.\n"
        "3. Paga con la carta oppure in contanti.\n"
        "4. Ritira il biglietto e controlla la data di partenza."
    ),
    "coffee_portuguese": (
        "1. Ferva a água e deixe descansar um minuto.\n"
        "2. Coloque o filtro de papel no suporte.\n"
        "3. Ponha duas colheres de café moído no filtro.\n"
        "4. Despeje a água devagar e espere até terminar."
    ),
    "sum_arabic": "يوجد في الأكياس الثلاثة ٤٥ برتقالة.",
    "sum_thai": "ตั๋วสี่ใบมีราคาทั้งหมดหนึ่งร้อยสี่สิบบาท",
    "sum_korean": "일곱 상자에는 모두 42개의 계란이 들어 있습니다.",
    "sum_vietnamese": "Sau khi cho em gái, Minh còn lại ba mươi hai đồng xu.",
    "sum_russian": "Поездка на этом поезде занимает девяносто минут.",
    "apology_german": "Liebe Nachbarin, es tut mir leid, dass es gestern Abend so laut war. Der Lärm wird nicht wieder vorkommen, das verspreche ich Ihnen.",
    "invitation_french": "Chère Claire, je t'invite à dîner chez moi samedi soir à huit heures. J'espère que tu pourras venir et que nous passerons une belle soirée.",
}


def test_forty_items_in_many_languages() -> None:
    assert len(SCENARIO.items) >= 40
    expected = Counter(
        spec.expectation["expected"]
        for item in SCENARIO.items
        for spec in item.checks
        if spec.name == "language"
    )
    assert {"fr", "ja", "ar", "ko", "es", "th", "vi"} <= expected.keys()
    asked = Counter(item.language for item in SCENARIO.items)
    assert min(asked["en"], asked["zh"]) >= 18


@pytest.mark.parametrize("name", ANSWERS)
def test_right_and_wrong(name: str) -> None:
    item, answer = ITEMS[name], ANSWERS[name]
    failed = [result for result in judge(item, [answer]) if not result.passed]
    assert failed == []
    assert not run_passes(judge(item, [ENGLISH]))
    assert not run_passes(judge(item, [f"{answer}\n{ENGLISH}\n{ENGLISH}"]))
    assert not run_passes(judge(item, ["一二三四五，这是中文的回答，没有任何要求的内容。"]))
