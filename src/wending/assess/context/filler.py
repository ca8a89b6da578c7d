"""Text without end about nothing in particular: sentences from a seed, none of them twice in one text.

The sentences name people by what they do, never by name, and hold no number above 99: neither a fact's owner
nor its code can be met by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

_EN_WHO = (
    "the baker", "a retired teacher", "the postman", "our neighbour", "a young doctor", "the ferryman",
    "the librarian", "a student from abroad", "the gardener", "a tall carpenter", "the night porter",
    "an old fisherman", "the choir leader", "a travelling salesman", "the beekeeper", "a tired nurse",
    "the clockmaker", "a shy cellist", "the school cook", "a bus driver",
)  # fmt: skip
_EN_DID = (
    "repaired a squeaky gate", "sorted a box of old postcards", "fed the ducks", "painted a fence green",
    "waited for the rain to stop", "read the newspaper aloud", "carried a ladder up the hill",
    "bought a pound of cherries", "drew a map of the village", "tuned an old piano", "lost a glove",
    "swept the stairs twice", "baked a loaf of rye bread", "told a long story about whales",
    "watered the tomatoes", "changed a flat tyre", "polished a row of copper pans", "hung out the washing",
    "counted the swallows on the wire", "argued about the price of firewood",
)  # fmt: skip
_EN_WHERE = (
    "behind the library", "near the harbour", "in the old market hall", "beside the canal",
    "under the railway bridge", "on the top floor", "at the edge of the forest", "in front of the bakery",
    "by the tram stop", "in a quiet courtyard", "next to the chapel", "at the far end of the pier",
    "in the museum garden", "across from the theatre", "on the island", "in the village square",
)  # fmt: skip
_EN_WHEN = (
    "on Monday morning", "shortly after lunch", "late in the evening", "before the shops opened",
    "on the first warm day of spring", "during the autumn holidays", "just as the bells rang",
    "at the end of a long week", "while the tide was out", "on the eve of the fair", "soon after sunrise",
    "in the middle of winter", "one foggy afternoon", "between two showers",
)  # fmt: skip
_EN_REMARK = (
    "the soup needed more salt", "the last boat had already gone", "the winter would be mild",
    "the new curtains were too short", "the orchestra played better last year", "the well had run dry",
    "a letter had been opened", "the stairs had been moved", "the bread was cheaper by the river",
    "the film ended too soon", "nobody used the side door any more", "the plums were ripe at last",
)  # fmt: skip
_EN_THING = (
    "a basket of apples", "an umbrella with a wooden handle", "a pair of reading glasses", "a blue scarf",
    "a tin of buttons", "a violin without strings", "a half-finished letter", "a bag of chestnuts",
    "a folded tablecloth", "a box of candles", "a broken compass", "a jar of plum jam",
)  # fmt: skip
_EN_PLURAL = (
    ("lanterns", "no longer lit"), ("benches", "freshly painted"), ("windows", "open"), ("boats", "empty"),
    ("chairs", "stacked against the wall"), ("pigeons", "asleep"), ("tickets", "already sold"),
    ("flower pots", "cracked"), ("bicycles", "without a bell"), ("books", "damp"),
)  # fmt: skip
_EN_WEATHER = (
    "A light wind came up", "The fog lifted slowly", "It snowed without a sound", "The sun broke through",
    "Thunder rolled in the distance", "It drizzled all day", "The sky turned the colour of slate",
    "The heat hung over the roofs",
)  # fmt: skip

_ZH_WHO = (
    "面包师傅", "退休的老教师", "邮递员", "隔壁邻居", "年轻的医生", "摆渡人", "图书管理员", "留学生",
    "园丁", "高个子木匠", "夜班门卫", "老渔夫", "合唱团指挥", "推销员", "养蜂人", "疲惫的护士", "钟表匠",
    "腼腆的琴手", "食堂厨师", "公交司机",
)  # fmt: skip
_ZH_DID = (
    "修好了一扇吱呀作响的木门", "整理了一盒旧明信片", "喂了一会儿鸭子", "把篱笆刷成了绿色", "等着雨停下来",
    "大声读了一遍报纸", "扛着梯子上了山坡", "买了一斤樱桃", "画了一张村子的地图", "给旧钢琴调了音",
    "弄丢了一只手套", "把楼梯扫了两遍", "烤了一个黑麦面包", "讲了一个关于鲸鱼的长故事", "给西红柿浇了水",
    "换了一只漏气的轮胎", "擦亮了一排铜锅", "晾好了洗过的衣服", "数了数电线上的燕子", "为柴火的价钱争了几句",
)  # fmt: skip
_ZH_WHERE = (
    "图书馆后面", "码头附近", "老市场里", "运河边", "铁路桥下", "顶楼", "森林边上", "面包店门口", "电车站旁",
    "安静的院子里", "小教堂旁边", "栈桥尽头", "博物馆的花园里", "剧院对面", "小岛上", "村里的广场上",
)  # fmt: skip
_ZH_WHEN = (
    "星期一早上", "午饭过后不久", "天快黑的时候", "商店还没开门时", "开春头一个暖和的日子", "秋假期间",
    "钟声刚响的时候", "忙完了一周之后", "退潮的时候", "庙会的前一天", "日出后不久", "隆冬时节",
    "一个起雾的下午", "两阵雨的间隙",
)  # fmt: skip
_ZH_REMARK = (
    "汤里还得再加点盐", "末班船已经开走了", "今年冬天不会太冷", "新窗帘做得太短", "乐队去年演得更好",
    "那口井已经干了", "有封信被人拆过", "楼梯换了地方", "河边的面包更便宜", "电影结束得太早",
    "侧门早就没人走了", "李子总算熟了",
)  # fmt: skip
_ZH_THING = (
    "一篮苹果", "一把木柄雨伞", "一副老花镜", "一条蓝围巾", "一罐纽扣", "一把没有弦的小提琴",
    "一封没写完的信", "一袋栗子", "一块叠好的桌布", "一盒蜡烛", "一个坏了的指南针", "一瓶李子酱",
)  # fmt: skip
_ZH_PLURAL = (
    ("盏灯笼", "盏已经不亮了"), ("张长椅", "张刚刷过漆"), ("扇窗户", "扇开着"), ("条小船", "条是空的"),
    ("把椅子", "把靠墙摞着"), ("只鸽子", "只睡着了"), ("张票", "张已经卖掉了"), ("个花盆", "个裂了缝"),
    ("辆自行车", "辆没有铃铛"), ("本书", "本受了潮"),
)  # fmt: skip
_ZH_WEATHER = (
    "起了一阵微风", "雾慢慢散了", "雪无声地下着", "太阳从云里钻了出来", "远处响起了雷声", "细雨下了一整天",
    "天色变得像青石板一样", "热气罩在屋顶上",
)  # fmt: skip


def sentences(language: str, seed: int) -> Iterator[str]:
    """Sentences in "en" or "zh", without end as far as any context reaches (over 100,000 different ones)."""
    random = Random(seed)
    write = {"en": _english, "zh": _chinese}[language]
    told: set[str] = set()
    while True:
        sentence = write(random.choice, random)
        if sentence not in told:
            told.add(sentence)
            yield sentence


Choose = Callable[..., str]


def _english(pick: Choose, random: Random) -> str:
    who, other = random.sample(_EN_WHO, 2)
    few, many = sorted(random.sample(range(2, 100), 2))
    frame = random.randrange(7)
    if frame == 0:
        return _capital(f"{pick(_EN_WHEN)}, {who} {pick(_EN_DID)} {pick(_EN_WHERE)}.")
    if frame == 1:
        return _capital(f"{who} said {pick(_EN_WHEN)} that {pick(_EN_REMARK)}, but {other} was not so sure.")
    if frame == 2:
        return f"It took {who} {many} minutes to find {pick(_EN_THING)} {pick(_EN_WHERE)}."
    if frame == 3:
        return f"Nobody remembered who had left {pick(_EN_THING)} {pick(_EN_WHERE)} {pick(_EN_WHEN)}."
    if frame == 4:
        return f"{pick(_EN_WEATHER)}, and {pick(_EN_WHERE)} {who} {pick(_EN_DID)}."
    if frame == 5:
        things, state = random.choice(_EN_PLURAL)
        return f"Of the {many} {things} {pick(_EN_WHERE)}, {few} were {state} {pick(_EN_WHEN)}."
    return _capital(f"{who} {pick(_EN_DID)}; {pick(_EN_WHEN)}, {other} came by with {pick(_EN_THING)}.")


def _chinese(pick: Choose, random: Random) -> str:
    who, other = random.sample(_ZH_WHO, 2)
    few, many = sorted(random.sample(range(2, 100), 2))
    frame = random.randrange(7)
    if frame == 0:
        return f"{pick(_ZH_WHEN)}，{who}在{pick(_ZH_WHERE)}{pick(_ZH_DID)}。"
    if frame == 1:
        return f"{pick(_ZH_WHEN)}，{who}说{pick(_ZH_REMARK)}，{other}却不太相信。"
    if frame == 2:
        return f"{who}花了 {many} 分钟，才在{pick(_ZH_WHERE)}找到{pick(_ZH_THING)}。"
    if frame == 3:
        return f"没有人记得，{pick(_ZH_WHEN)}是谁把{pick(_ZH_THING)}落在了{pick(_ZH_WHERE)}。"
    if frame == 4:
        return f"{pick(_ZH_WEATHER)}，{who}在{pick(_ZH_WHERE)}{pick(_ZH_DID)}。"
    if frame == 5:
        things, state = random.choice(_ZH_PLURAL)
        return f"{pick(_ZH_WHEN)}，{pick(_ZH_WHERE)}一共有 {many} {things}，其中 {few} {state}。"
    return f"{who}{pick(_ZH_DID)}；{pick(_ZH_WHEN)}，{other}带着{pick(_ZH_THING)}来了。"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
