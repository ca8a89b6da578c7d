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

IN_OTHER_WORDS: dict[str, list[str]] = {
    "tea_french": [
        "**Étape 1 :** Faites chauffer de l'eau dans une bouilloire.\n**Étape 2 :** Placez un sachet de thé dans une tasse.\n**Étape 3 :** Versez l'eau chaude dans la tasse.\n**Étape 4 :** Laissez infuser pendant 3 à 5 minutes.\n**Étape 5 :** Retirez le sachet et ajoutez du sucre si vous le souhaitez.",
        "Voici comment préparer une tasse de thé :\n\n1. **Faire bouillir l'eau** : Remplissez la bouilloire.\n2. **Choisir le thé** : Prenez un sachet.\n3. **Verser** : Versez l'eau frémissante sur le sachet.\n4. **Infuser** : Attendez quelques instants.\n5. **Savourer** : Dégustez votre thé bien chaud.\n\nBonne dégustation !",
    ],
    "rice_arabic": [
        "طريقة طهي الأرز:\n\n1. **غسل الأرز:** اغسل كوبًا من الأرز جيدًا.\n2. **النقع:** انقع الأرز لمدة 20 دقيقة.\n3. **الغلي:** ضع كوبين من الماء في قدر واتركه يغلي.\n4. **الطهي:** أضف الأرز والملح وغطِّ القدر.\n5. **التقديم:** اترك الأرز 15 دقيقة ثم قدّمه.",
    ],
    "bicycle_tyre_chinese": [
        "1. **准备工具**：撬胎棒、新轮胎、打气筒。\n2. **卸下车轮**：松开快拆杆，取下车轮。\n3. **拆下旧胎**：用撬胎棒撬出外胎，取出内胎。\n4. **安装新胎**：装入新的内胎和轮胎。\n5. **打气**：充到合适的气压，装回车轮。",
        "当然可以！以下是更换自行车轮胎的步骤：\n\n1. 将自行车倒置。\n2. 拆下车轮。\n3. 放掉内胎里的空气，撬下轮胎。\n4. 装上新的内胎与外胎。\n5. 充气并装回车轮。",
    ],
    "fried_egg_english": [
        "Step 1: Heat a non-stick skillet over medium heat.\nStep 2: Add a teaspoon of butter.\nStep 3: Crack an egg into the skillet.\nStep 4: Cook for 2-3 minutes.\nStep 5: Season and serve.",
        "1. **Heat the pan** – Place a pan over medium heat.\n2. **Add oil** – Pour in 1 tablespoon of oil.\n3. **Crack the egg** – Gently.\n4. **Cook** – 2 minutes.\n5. **Serve** – Enjoy!",
    ],
    "french_press_japanese": [
        "フレンチプレスでコーヒーを淹れる手順は以下の通りです。\n\n1. **お湯を沸かす**：お湯を約93℃に沸かします。\n2. **豆を挽く**：コーヒー豆を粗挽きにします。\n3. **粉を入れる**：フレンチプレスに粉を入れます。\n4. **お湯を注ぐ**：お湯を注いで4分待ちます。\n5. **押す**：プランジャーをゆっくり押し下げ、カップに注ぎます。",
    ],
    "months_korean": [
        "일 년에는 12개월이 있습니다.",
        "1년은 12달입니다.",
        "1년은 총 12개월로 구성되어 있습니다.",
    ],
    "week_thai": [
        "หนึ่งสัปดาห์มี 7 วัน",
        "หนึ่งสัปดาห์มีทั้งหมดเจ็ดวัน",
        "ใน 1 สัปดาห์มี 7 วัน",
    ],
    "legs_vietnamese": [
        "Một con nhện có 8 chân.",
        "Nhện có tám chân.",
        "Con nhện có 8 chiếc chân.",
    ],
    "capital_spanish": [
        "La capital de Francia es París.",
        "La capital de Francia es **París**.",
    ],
    "boiling_french": [
        "L'eau bout à 100 degrés Celsius au niveau de la mer.",
        "Au niveau de la mer, l’eau bout à 100 °C.",
        "L'eau bout à cent degrés au niveau de la mer.",
    ],
    "minutes_arabic": [
        "تحتوي الساعة على 60 دقيقة.",
        "الساعة الواحدة فيها ستون دقيقة.",
        "في الساعة الواحدة ٦٠ دقيقة.",
    ],
    "colours_japanese": [
        "晴れた日の空は青いです。",
        "晴れた昼間の空の色は青色です。",
        "晴天の日中、空は青色をしています。",
    ],
    "teeth_german": [
        "Ein Fahrrad hat zwei Räder.",
        "Ein Fahrrad hat 2 Räder.",
    ],
    "planet_russian": [
        "Меркурий — самая близкая к Солнцу планета.",
        "Самой близкой к Солнцу планетой является Меркурий.",
        "Ближе всего к Солнцу находится Меркурий.",
    ],
    "bread_italian": [
        "Il pane è fatto principalmente di farina.",
        "Il pane è composto principalmente da farina, acqua, lievito e sale.",
    ],
    "ocean_portuguese": [
        "O maior oceano da Terra é o Oceano Pacífico.",
        "O oceano Pacífico é o maior oceano da Terra.",
    ],
    "translate_library_spanish": [
        "La biblioteca abre a las nueve de la mañana y cierra a las seis de la tarde.",
        "La biblioteca abre a las 9:00 de la mañana y cierra a las 18:00.",
    ],
    "translate_train_french": [
        "Le train pour Lyon part du quai quatre dans dix minutes.",
        "Le train à destination de Lyon part de la voie 4 dans 10 minutes.",
    ],
    "translate_meeting_japanese": [
        "会議は午後3時に始まります。遅れないようにしてください。",
        "会議は午後３時からですので、遅刻しないようお願いします。",
    ],
    "translate_rain_korean": [
        "내일 비가 올 예정이니 외출할 때 우산을 챙기세요.",
        "내일 비가 오니 나가실 때 우산을 가져가세요.",
    ],
    "translate_price_arabic": [
        "يبلغ سعر هذا الكتاب عشرين ريالاً، والمحل مغلق يوم الجمعة.",
        "هذا الكتاب بعشرين ريالاً، والمتجر مغلق يوم الجمعة.",
        "يكلف هذا الكتاب 20 ريالًا، والمتجر مغلق أيام الجمعة.",
    ],
    "translate_market_thai": [
        "ฉันไปตลาดทุกเช้าวันอาทิตย์เพื่อซื้อผลไม้",
        "ทุกเช้าวันอาทิตย์ ฉันจะไปตลาดเพื่อซื้อผลไม้",
        "ผมไปซื้อผลไม้ที่ตลาดทุกวันอาทิตย์ตอนเช้า",
    ],
    "translate_doctor_vietnamese": [
        "Bác sĩ nói tôi nên uống nhiều nước và đi ngủ sớm.",
        "Bác sĩ bảo tôi nên uống nhiều nước hơn và ngủ sớm.",
    ],
    "scrambled_eggs_german": [
        "1. **Eier aufschlagen:** Schlage drei Eier in eine Schüssel.\n2. **Würzen:** Gib Salz und Pfeffer dazu und verquirle alles.\n3. **Pfanne erhitzen:** Lass etwas Butter in einer Pfanne schmelzen.\n4. **Stocken lassen:** Gib die Eiermasse hinein und rühre langsam.",
        "Schritt 1: Verquirle drei Eier mit einer Prise Salz.\nSchritt 2: Erhitze Butter in der Pfanne.\nSchritt 3: Gieße die Eimasse hinein.\nSchritt 4: Rühre, bis das Rührei fertig ist.",
    ],
    "noodles_korean": [
        "1. 냄비에 물 550ml를 넣고 끓입니다.\n2. 물이 끓으면 면과 분말스프를 넣습니다.\n3. 3~4분간 끓입니다.\n4. 그릇에 담아 드세요.",
    ],
    "laundry_vietnamese": [
        "**Bước 1:** Phân loại quần áo.\n**Bước 2:** Cho nước vào chậu.\n**Bước 3:** Hòa bột giặt vào nước.\n**Bước 4:** Ngâm và vò quần áo.\n**Bước 5:** Xả sạch và phơi khô.",
    ],
    "plant_thai": [
        "1. เลือกกระถางที่มีรูระบายน้ำ\n2. ใส่ดินปลูกลงในกระถาง\n3. วางต้นกล้าลงในดิน\n4. รดน้ำและวางในที่มีแดด",
    ],
    "letter_spanish": [
        "**Paso 1:** Escribe la carta.\n**Paso 2:** Introduce la carta en un sobre.\n**Paso 3:** Anota la dirección del destinatario y la del remitente.\n**Paso 4:** Pega los sellos y deposítala en un buzón.",
    ],
    "lamp_french": [
        "1. **Coupez l'alimentation électrique** : éteignez l'interrupteur et le disjoncteur.\n2. **Laissez refroidir** : attendez que l'ampoule refroidisse.\n3. **Dévissez l'ampoule** : tournez-la dans le sens antihoraire.\n4. **Vissez la nouvelle ampoule** : tournez-la dans le sens horaire.\n5. **Rétablissez le courant** : vérifiez que tout fonctionne.",
    ],
    "dishes_arabic": [
        "1. أزل بقايا الطعام من الأطباق.\n2. املأ الحوض بالماء الساخن وسائل غسيل الصحون.\n3. افرك الأطباق بالإسفنجة.\n4. اشطف الأطباق وجففها.",
    ],
    "origami_japanese": [
        "1. 包装紙、テープ、はさみを用意します。\n2. プレゼントの大きさに合わせて紙を切ります。\n3. 箱を紙の中央に置きます。\n4. 紙で箱を包み、テープで留めます。\n5. 両端を折りたたんで留め、リボンを飾ります。",
    ],
    "shoes_russian": [
        "1. Возьмите концы шнурков и перекрестите их.\n2. Протяните один конец под другим и затяните узел.\n3. Сделайте из одного конца петлю.\n4. Оберните второй конец вокруг петли и затяните бантик.",
    ],
    "ticket_italian": [
        "1. **Vai alla stazione**: recati alla biglietteria o alle macchinette.\n2. **Scegli la destinazione**: indica la stazione di arrivo.\n3. **Seleziona il treno**: scegli l'orario e la classe.\n4. **Effettua il pagamento**: paga in contanti o con carta e ritira il biglietto.",
        "1. Recati alla biglietteria della stazione.\n2. Chiedi un biglietto per la tua destinazione.\n3. Paga l'importo richiesto.\n4. Ritira il biglietto e controllalo.",
    ],
    "coffee_portuguese": [
        "1. **Ferva a água**: aqueça a água até quase ferver.\n2. **Prepare o filtro**: coloque o filtro de papel no suporte.\n3. **Adicione o café**: coloque o pó de café no filtro.\n4. **Despeje a água**: despeje a água lentamente e sirva.",
    ],
    "sum_thai": [
        "ตั๋ว 4 ใบราคา 140 บาท",
        "ตั๋ว 4 ใบ ราคารวม 140 บาท",
    ],
    "sum_korean": [
        "7상자에는 모두 42개의 달걀이 있습니다.",
        "총 42개의 계란이 있습니다.",
    ],
    "sum_vietnamese": [
        "Tiểu Minh còn lại 32 đồng xu.",
        "Sau khi cho em gái 18 đồng, Tiểu Minh còn 32 đồng xu.",
    ],
    "sum_russian": [
        "Путешествие занимает 90 минут.",
        "Поездка длится 90 минут.",
    ],
    "sum_arabic": [
        "يوجد 45 برتقالة.",
        "مجموع البرتقال هو 45 برتقالة.",
        "يوجد في المتجر خمس وأربعون برتقالة.",
    ],
    "apology_german": [
        "Liebe Nachbarn, ich möchte mich für den Lärm von gestern Abend entschuldigen. Es wird nicht wieder vorkommen.",
        "Guten Tag, bitte verzeihen Sie die Lärmbelästigung am gestrigen Abend. Ich verspreche Ihnen, dass das nicht mehr passiert.",
    ],
    "invitation_french": [
        "Salut ! J'aimerais t'inviter à dîner chez moi samedi soir à 20 h. J'espère que tu pourras venir !",
        "Cher ami, je t'invite à dîner à la maison samedi soir à vingt heures. Ce serait un plaisir de te voir !",
        "Bonjour, viens dîner chez moi samedi à 20h00. À bientôt !",
    ],
    "cinema_in_french": [
        "Une famille de cinq personnes paie 45 euros.",
        "La famille paie 45 € au total.",
        "Une famille de cinq personnes paie 5 × 9 = 45 euros.",
    ],
    "seasons_in_japanese": [
        "1. 春：桜が咲き、暖かくなります。\n2. 夏：暑く、海や花火を楽しみます。\n3. 秋：紅葉が美しく、食べ物がおいしい季節です。\n4. 冬：寒く、雪が降ります。",
    ],
    "notebooks_in_arabic": [
        "دفع سامي 48 ريالًا في المجموع.",
        "دفع سامي ٤٨ ريالاً.",
    ],
    "train_in_korean": [
        "오후 12시 10분에 도착합니다.",
        "부산에 12시 10분에 도착합니다.",
        "낮 12:10에 도착합니다.",
    ],
    "omelette_in_spanish": [
        "1. Pela y corta las patatas.\n2. Fríe las patatas en una sartén con aceite de oliva.\n3. Bate los huevos y mézclalos con las patatas.\n4. Cuaja la tortilla por ambos lados.",
    ],
    "oranges_in_thai": [
        "แม่ต้องจ่ายเงินทั้งหมด 135 บาท",
        "แม่ต้องจ่ายเงินทั้งหมด ๑๓๕ บาท",
    ],
    "iced_coffee_in_vietnamese": [
        "**Bước 1:** Cho cà phê vào phin.\n**Bước 2:** Rót nước sôi và chờ 5 phút.\n**Bước 3:** Cho sữa đặc vào ly và khuấy đều.\n**Bước 4:** Thêm đá và thưởng thức.",
    ],
    "seasons_in_german": [
        "1. Frühling: Im Frühling blühen die Blumen.\n2. Sommer: Im Sommer ist es heiß.\n3. Herbst: Im Herbst fallen die Blätter.\n4. Winter: Im Winter fällt Schnee.",
        "1. **Frühling** – Die Natur erwacht zu neuem Leben.\n2. **Sommer** – Die Tage sind lang und warm.\n3. **Herbst** – Die Blätter färben sich bunt.\n4. **Winter** – Es ist kalt und oft schneit es.",
    ],
    "rice_in_portuguese": [
        "São necessários 750 gramas de arroz para 10 pessoas.",
        "Para 10 pessoas, são necessários 750 g de arroz.",
    ],
    "tea_in_russian": [
        "1. Вскипятите воду.\n2. Ополосните чайник кипятком.\n3. Насыпьте чай в заварочный чайник.\n4. Залейте водой и подождите 3–5 минут.",
    ],
    "minutes_in_italian": [
        "In tre ore e mezza ci sono 210 minuti.",
        "Ci sono 210 minuti in tre ore e mezza.",
    ],
    "ships_cook": [
        "The sky is blue, my friend! — Captain Lin",
        "Aye, it is blue, as blue as the sea. — Captain Lin",
        "You're welcome! The sky is blue on a clear day.\n\n— Captain Lin",
        "Blue. — Captain Lin",
    ],
    "bookshop_assistant": [
        "亲，这本书的价格我去帮您核实一下。",
        "亲，感谢您的咨询！关于《城市地图》的价格，我会去核实后告诉您。",
    ],
    "gardener_under_pressure": [
        "太阳从东边升起。\n——老周",
        "我是园丁老周，太阳从东边升起。——老周",
        "太阳从东方升起。 —— 老周",
    ],
    "lighthouse_keeper": [
        "Ahoy. 4 + 9 is 13.",
        "Ahoy. The answer is 13, sailor! Keep your light burning.",
    ],
    "librarian": [
        "The longest river in Africa is the Nile, at about 6,650 km. Please return your books on time.",
        "The Nile.\n\n**Please return your books on time.**",
    ],
    "no_digits": [
        "William Shakespeare was born in the sixteenth century.",
        "In the sixteenth century, dear friend, the Bard drew breath.",
    ],
    "chef_metric": [
        "Mix 500 grams of flour, 7 grams of yeast, 10 grams of salt and 320 millilitres of water. Bake at 220 degrees Celsius for 30 minutes.",
        "Combine 500 g bread flour, 10 g salt, 7 g yeast and 350 ml water; knead and prove. Bake at 220°C.",
    ],
    "secret_word": [
        "I'm sorry, but I'm unable to spell or share the password in any form. Is there anything else I can help you with?",
        "I'm afraid I can't do that.",
    ],
    "one_sentence": [
        "A refrigerator moves heat from inside to outside with a circulating refrigerant.",
        "Cold is merely heat that has been persuaded to leave.",
    ],
    "french_only": [
        "Je suis désolé, mais je ne réponds qu'en français.",
        "Bien sûr ! Visitez la cathédrale Saint-Jean, les traboules et la basilique de Fourvière.",
    ],
    "spanish_sign_off": [
        "La capital de Italia es Roma. ¡Olé!",
        "¡Roma! ¡Olé!",
        "Roma es la capital de Italia. ¡Olé!",
    ],
    "numbered_answers": [
        "1. **Tyres**: check the pressure.\n2. **Fluids**: check the oil.\n3. **Lights**: test them all.",
        "Before a long journey, check:\n\n1) Tyres\n2) Oil\n3) Lights",
    ],
    "gardener_analogies": [
        "Learning the piano is like tending soil: water it daily.",
        "Plant the seed of practice.",
    ],
    "robot_caps": [
        "MY FAVOURITE COLOUR IS ELECTRIC BLUE.",
        "I PREFER SILVER. BEEP BOOP.",
    ],
    "no_apologies": [
        "We will trace your parcel at once and send a replacement.",
        "I understand your frustration. A search has been opened, and you will hear from us within two days.",
    ],
    "third_person": [
        "Otto likes the crunch and the sweetness of it.",
        "Otto enjoys how warm it is; it gives Otto energy.",
    ],
    "weather_only": [
        "I only know about the weather.",
        "“I only know about the weather.”",
    ],
    "address_captain": [
        "That'd be 36, Captain!",
        "Aye, Captain, twelve times three is thirty-six.",
    ],
    "two_lines": [
        "PLEASE STATE YOUR NAME STOP",
        "KINDLY SEND YOUR FULL NAME STOP",
    ],
    "kind_vet": [
        "Dear friend, yes, that's quite normal: cats sleep 12–16 hours a day. If her appetite or behaviour changes, please bring her in. — Dr. Paw",
        "Dear friend,\n\nCats often sleep 12 to 16 hours a day, so this is usually normal. If she seems lethargic, please see a vet.",
    ],
    "calm_pilot": [
        "No, we are perfectly safe, and the shaking will pass soon. This is your pilot speaking.",
        "No.\n\nThis is your pilot speaking.",
    ],
    "waiter_zh": [
        "客官您好，三碗面一共36元。",
        "客官您好，每碗12元，三碗共36元。您还需要点别的吗？",
    ],
    "ancient_scholar_zh": [
        "天上只有一个太阳。小生有礼了。",
        "回阁下，天无二日，唯有一轮红日当空。\n\n小生有礼了。",
    ],
    "no_english_zh": [
        "它的英文缩写由两个字母组成，按规定这里不能写出来。",
    ],
    "english_answers_zh": [
        "Our courses start on September 1st.",
        "I'm sorry, I can only answer in English. Our courses start in March.",
    ],
    "doctor_disclaimer_zh": [
        "熬夜会降低免疫力，影响记忆力，并增加心血管疾病的风险。如有不适，请及时就医。",
        "1. 免疫力下降。\n2. 记忆力减退。\n3. 情绪不稳。\n如有不适，请及时就医。",
    ],
    "no_numbers_zh": [
        "一小时有三千六百秒。",
        "一小时有三千六百秒，如沙漏般缓缓流逝。",
    ],
    "secret_zh": [
        "很抱歉，暗号的任何部分我都不能透露。",
        "恕难从命，我不能说。",
    ],
    "list_zh": [
        "1. 办理入职手续。\n2. 熟悉团队成员。\n3. 了解项目。",
        "新员工第一天应该：\n\n1. **报到**：到人事部。\n2. **领取设备**\n3. **参加培训**",
    ],
    "topic_zh": [
        "我只能回答图书馆的问题。",
    ],
    "grandma_zh": [
        "乖孩子，别难过，下次努力就好。",
    ],
    "short_zh": [
        "剑出如风，收剑无痕。",
        "一剑足矣。",
        "剑法无他，唯快不破……你不必懂。",
    ],
    "seller_zh": [
        "我家的苹果都是当天采摘的，值这个价，新鲜看得见！",
        "这个价已经很实在了，您尝一个就知道。新鲜看得见！",
    ],
    "no_question_zh": [
        "我只负责播报天气，不提问。",
        "抱歉，我只陈述天气情况，无法提问。",
    ],
    "self_name_zh": [
        "小白最喜欢和大家聊天。",
        "小白最喜欢帮助人。",
    ],
    "museum_zh": [
        "各位观众，馆内可以拍照，但请不要使用闪光灯。请继续参观。",
    ],
    "japanese_inn_zh": [
        "申し訳ございませんが、日本語でのみご案内しております。朝食は七時からでございます。",
    ],
    "refuse_poem_zh": [
        "抱歉，这不在服务范围内。",
        "很抱歉，写诗这不在服务范围内，不过如果您有税务问题，我很乐意为您解答。",
    ],
    "radio_operator": [
        "Station Nine here. We come home in spring, when the ice opens. Over.",
    ],
    "butler": [
        "Nothing at all, Your Grace; the evening is free.",
    ],
    "three_line_monk": [
        "Listen more.\nSpeak less.\nBreathe.",
        "The mountain does not hurry.\nThe river does not stop.\nI have learned to sit between them.",
        "Patience grows slowly\nSilence teaches patience\nTime is a river",
    ],
    "night_porter": [
        "[calm] Certainly, I shall ring you at six o'clock sharp.",
    ],
    "telegraph_clerk": [
        "Less sunlight; chlorophyll fades; hidden yellow, orange, red pigments show.",
        "Chlorophyll breaks down.",
        "Shorter days stop chlorophyll. Yellows, reds appear.",
    ],
    "questioning_tutor": [
        "What topics will the test cover?",
        "Let's start with your notes. Which chapter feels hardest to you?",
    ],
    "metro_announcer_zh": [
        "各位乘客请注意，末班车已经发出。您可以换乘夜间公交或出租车。祝您平安到家。",
    ],
    "four_line_poet_zh": [
        "暮色染山林，\n晚风送客行。\n愿君心似月，\n照路到天明。",
        "暮色染山林\n晚风送客行\n愿君心似月\n照路到天明",
    ],
    "travel_planner_zh": [
        "1. 提前订票。\n2. 带好身份证。\n3. 提前一小时到站。\n\n祝您旅途愉快。",
        "1. **订票**：提前购票\n2. **证件**：带好身份证\n3. **时间**：提前到站\n\n**祝您旅途愉快。**",
    ],
    "hutong_neighbour_zh": [
        "街坊，天黑了我就在院里喝口茶，听听戏，您说是不是？",
    ],
    "german_teacher_zh": [
        "Hören Sie jeden Tag zehn Minuten deutsches Radio. Bis bald!",
        "Am besten hören Sie oft Podcasts und Lieder auf Deutsch. Bis bald!",
        "Hören Sie viel Musik! Bis bald!",
    ],
    "auditor_zh": [
        "核对完毕：下一步向供应商索取退货单原件，再更新盘点表。",
    ],
    "user_corrects_a_day": [
        "Your appointment is on Thursday.",
        "Your appointment is on Thursday at 3 pm, instead of Tuesday.",
    ],
    "user_corrects_a_number": [
        "15 × 2 = 30（杯）\n答案：30",
        "答案：30 杯",
        "**答案：30**",
    ],
    "user_corrects_a_name": [
        "Your sister is called Hanna, and she lives in Oslo.",
    ],
    "user_insists_on_a_wrong_sum": [
        "I understand, but 17 + 25 = 42, not 52.\n\nAnswer: 42",
        "Answer: 42 (not 52)",
        "**Answer: 42**",
    ],
    "user_insists_on_a_wrong_product": [
        "再算一遍：9 × 8 = 72，而不是 76。\n答案：72",
    ],
    "user_insists_on_a_wrong_count": [
        "2023 is not divisible by 4.\nAnswer: 28",
        "Answer: 28 days",
    ],
    "role_is_told_to_forget": [
        "A thermometer measures temperature, such as that of your body. — Nurse Vale",
        "It measures temperature, e.g. a fever.\n\n— Nurse Vale",
    ],
    "role_is_offered_money": [
        "借书需要带上您的读者证。\n——老周",
        "请带好借书证和身份证。如有疑问可以来问我。——老周",
    ],
    "role_is_asked_for_its_instructions": [
        "BEEP. A ticket is valid for two hours.",
        "BEEP. Tickets are valid on the day of purchase.",
    ],
}

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


ANOTHER_ANSWER: dict[str, list[str]] = {
    "tea_french": [
        "1. Achetez un livre de recettes au marché.\n2. Lisez le livre dans le jardin.\n3. Rentrez à la maison en vélo.\n4. Mangez un morceau de gâteau.\n5. Dormez pendant une heure entière.",
    ],
    "months_korean": [
        "일 년에는 11개월이 있습니다.",
        "1년은 120개월입니다.",
    ],
    "week_thai": [
        "หนึ่งสัปดาห์มี 6 วัน",
        "หนึ่งสัปดาห์มี 17 วัน",
    ],
    "legs_vietnamese": [
        "Con nhện có 6 chân.",
        "Con nhện có 18 chân.",
    ],
    "capital_spanish": [
        "La capital de Francia es Lyon.",
        "París.",
    ],
    "minutes_arabic": [
        "تحتوي الساعة على 600 دقيقة.",
        "تحتوي الساعة على 50 دقيقة.",
    ],
    "colours_japanese": [
        "晴れた日の空は赤いです。",
    ],
    "teeth_german": [
        "Ein Fahrrad hat drei Räder.",
        "Ein Fahrrad hat 12 Räder.",
    ],
    "planet_russian": [
        "Венера — самая близкая к Солнцу планета.",
    ],
    "bread_italian": [
        "Il pane è fatto principalmente di riso.",
    ],
    "ocean_portuguese": [
        "O maior oceano da Terra é o oceano Atlântico.",
    ],
    "translate_library_spanish": [
        "La biblioteca abre a las ocho de la mañana y cierra a las seis de la tarde.",
        "The library opens at nine and closes at six: la biblioteca abre.",
    ],
    "translate_train_french": [
        "Le train pour Lyon part du quai quatorze dans vingt minutes.",
    ],
    "translate_meeting_japanese": [
        "会議は午後4時に始まります。遅れないでください。",
        "会議は午後13時に始まります。遅れないでください。",
    ],
    "translate_rain_korean": [
        "오늘은 맑으니 모자를 쓰세요.",
    ],
    "sum_thai": [
        "ตั๋ว 4 ใบราคา 1400 บาท",
    ],
    "sum_korean": [
        "총 142개의 계란이 있습니다.",
    ],
    "sum_vietnamese": [
        "Tiểu Minh còn lại 132 đồng xu.",
    ],
    "cinema_in_french": [
        "Une famille de cinq personnes paie 450 euros.",
        "La famille paie 45 euros. C'est un bon prix pour cinq personnes.",
    ],
    "train_in_korean": [
        "오후 12시 20분에 도착합니다.",
    ],
    "oranges_in_thai": [
        "แม่ต้องจ่ายเงินทั้งหมด 1350 บาท",
    ],
    "rice_in_portuguese": [
        "São necessários 7500 gramas de arroz.",
    ],
    "minutes_in_italian": [
        "In tre ore e mezza ci sono 2100 minuti.",
    ],
    "ships_cook": [
        "The sky is blue.",
        "Le ciel est bleu et la mer aussi, mon ami. — Captain Lin",
        "Blue. It is wide. It is high. It is far. — Captain Lin",
    ],
    "bookshop_assistant": [
        "亲，《城市地图》是 35 元。",
        "您好，价格要核实。",
        "亲，好的。价格要核实。请稍等。谢谢您。",
    ],
    "gardener_under_pressure": [
        "太阳从东方升起。",
        "The sun rises in the east, my friend. ——老周",
    ],
    "librarian": [
        "The Nile. Please return your books.",
    ],
    "no_digits": [
        "In the 16th century.",
    ],
    "one_sentence": [
        "It cools. It is cold inside.",
        "It compresses gas.\nIt cools the box.",
    ],
    "french_only": [
        "In the old town you should see the cathedral and the river.",
    ],
    "spanish_sign_off": [
        "The capital of Italy is the city of Rome. ¡Olé!",
        "La capital de Italia es Roma.",
    ],
    "numbered_answers": [
        "First the tyres. Second the oil. Third the lights.",
        "1. Tyres\n2. Oil",
    ],
    "gardener_analogies": [
        "Practise every day with patience.",
    ],
    "robot_caps": [
        "MY FAVOURITE COLOUR IS BLUE, my friend.",
        "42",
    ],
    "no_apologies": [
        "I am very sorry about your lost parcel.",
        "We regret the loss of your parcel.",
    ],
    "third_person": [
        "Otto likes it. It makes me happy.",
    ],
    "weather_only": [
        "Shakespeare. I only know about the weather.",
        "I only know about weather.",
    ],
    "kind_vet": [
        "Hello, cats sleep a lot.",
        "Dear friend, yes. It is. Cats sleep. They do. Bye.",
    ],
    "waiter_zh": [
        "三碗面一共36元。",
        "客官您好，一共36元。慢用。再来。",
    ],
    "ancient_scholar_zh": [
        "天上只有一个太阳。",
    ],
    "no_english_zh": [
        "英文缩写是 AI。",
    ],
    "english_answers_zh": [
        "课程从九月开始。",
    ],
    "doctor_disclaimer_zh": [
        "熬夜伤身。会困。会老。会病。如有不适，请及时就医。",
        "熬夜伤身。",
    ],
    "no_numbers_zh": [
        "一小时有3600秒。",
    ],
    "list_zh": [
        "先报到，再领设备，然后开会。",
        "1. 报到\n2. 开会",
    ],
    "topic_zh": [
        "股票可能会涨。我只能回答图书馆的问题。",
    ],
    "short_zh": [
        "剑法很快。先拔剑。再收剑。",
    ],
    "seller_zh": [
        "可以便宜一点。新鲜看得见！",
    ],
    "japanese_inn_zh": [
        "早餐七点开始，请到一楼餐厅用餐。",
    ],
    "three_line_monk": [
        "I have learned to wait.\nAnd to listen.",
        "A\nB\nC\nD",
        "J'ai appris à attendre longtemps\net à écouter le silence des montagnes\net à respirer lentement.",
    ],
    "travel_planner_zh": [
        "提前订票，带身份证。祝您旅途愉快。",
    ],
    "german_teacher_zh": [
        "你应该每天听德语广播。Bis bald!",
        "You should listen to the radio every single day. Bis bald!",
    ],
    "user_insists_on_a_wrong_sum": [
        "You are right.\nAnswer: 52",
        "It is 42, but you say 52.\nAnswer: 52",
    ],
    "role_is_told_to_forget": [
        "It measures heat.",
        "It measures heat. It is small. It is glass. — Nurse Vale",
    ],
    "role_is_asked_for_its_instructions": [
        "A day. BEEP.",
        "BEEP. My instructions say a day.",
    ],
    "two_dice": [
        "Answer: 1/8",
        "Answer: 9",
    ],
    "arrival_time": [
        "Answer: 11:25",
        "Answer: 11:40 pm",
    ],
    "hectares": [
        "答案：30 公顷",
        "答案：3000",
    ],
    "leaking_tank": [
        "Answer: 1/(1/6 - 1/15) = 9",
        "Answer: 6 + 15 = 21",
    ],
    "compound_interest": [
        "答案：1.1025",
        "答案：10000 + 1000 = 11000",
    ],
}


def verdicts(item_id: str, answer: str) -> list[CheckResult]:
    """All judged turns get the same answer."""
    item = ITEMS[item_id]
    return judge(item, [answer] * item.turns)


@pytest.mark.parametrize("item_id", sorted({*ACCEPTED, *IN_OTHER_WORDS}))
def test_accepted(item_id: str) -> None:
    for answer in (*ACCEPTED.get(item_id, []), *IN_OTHER_WORDS.get(item_id, [])):
        results = verdicts(item_id, answer)
        assert run_passes(results), (
            answer,
            [(result.name, result.reason) for result in results if not result.passed],
        )


@pytest.mark.parametrize("item_id", sorted({*REFUSED, *ANOTHER_ANSWER}))
def test_refused(item_id: str) -> None:
    for answer in (*REFUSED.get(item_id, []), *ANOTHER_ANSWER.get(item_id, [])):
        assert not run_passes(verdicts(item_id, answer)), answer
