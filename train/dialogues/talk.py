# ruff: noqa: E501 (sentences of the data stay on one line)
"""Everyday questions with short answers, in English and Chinese, and subjects that lie outside the model's domain."""

from __future__ import annotations

import random
from dataclasses import dataclass

from train.dialogues.dialogue import pick


@dataclass(frozen=True)
class Exchange:
    """A question in several wordings with its answer, which has at most two sentences, in each language."""

    questions: dict[str, tuple[str, ...]]
    answer: dict[str, str]


def exchange(
    english: tuple[str, ...], english_answer: str, chinese: tuple[str, ...], chinese_answer: str
) -> Exchange:
    return Exchange({"en": english, "zh": chinese}, {"en": english_answer, "zh": chinese_answer})


FACTS = (
    exchange(
        (
            "What is the capital of France?",
            "Which city is the capital of France?",
            "Tell me the capital of France.",
        ),
        "The capital of France is Paris.",
        ("法国的首都是哪里？", "法国首都是哪个城市？"),
        "法国的首都是巴黎。",
    ),
    exchange(
        ("What is the capital of Japan?", "Which city is Japan's capital?"),
        "The capital of Japan is Tokyo.",
        ("日本的首都是哪里？", "日本首都是哪个城市？"),
        "日本的首都是东京。",
    ),
    exchange(
        ("What is the capital of China?", "Which city is China's capital?"),
        "The capital of China is Beijing.",
        ("中国的首都是哪里？", "中国首都是哪座城市？"),
        "中国的首都是北京。",
    ),
    exchange(
        ("How many days are there in a week?", "How many days does a week have?"),
        "A week has seven days.",
        ("一周有几天？", "一个星期有多少天？"),
        "一周有七天。",
    ),
    exchange(
        ("How many months are in a year?", "How many months does a year have?"),
        "A year has twelve months.",
        ("一年有几个月？", "一年有多少个月？"),
        "一年有十二个月。",
    ),
    exchange(
        ("What colour is the sky?", "What color is the sky on a clear day?"),
        "On a clear day the sky is blue.",
        ("天空是什么颜色？", "晴天的天空是什么颜色的？"),
        "晴天的天空是蓝色的。",
    ),
    exchange(
        ("How many planets are in the solar system?", "How many planets does our solar system have?"),
        "The solar system has eight planets.",
        ("太阳系有几颗行星？", "太阳系有多少颗行星？"),
        "太阳系有八颗行星。",
    ),
    exchange(
        ("What is the largest ocean?", "Which ocean is the biggest?", "Name the largest ocean on Earth."),
        "The Pacific is the largest ocean.",
        ("最大的海洋是哪个？", "世界上最大的洋是什么？"),
        "最大的海洋是太平洋。",
    ),
    exchange(
        ("What is the highest mountain?", "Which mountain is the highest on Earth?"),
        "Mount Everest is the highest mountain.",
        ("世界最高的山是什么？", "最高的山峰是哪座？"),
        "世界最高的山是珠穆朗玛峰。",
    ),
    exchange(
        ("At what temperature does water boil?", "When does water boil?"),
        "At sea level water boils at 100 degrees Celsius.",
        ("水在多少度沸腾？", "水的沸点是多少？"),
        "在海平面上，水在100摄氏度沸腾。",
    ),
    exchange(
        ("At what temperature does water freeze?", "When does water freeze?"),
        "Water freezes at zero degrees Celsius.",
        ("水在多少度结冰？", "水的冰点是多少？"),
        "水在零摄氏度结冰。",
    ),
    exchange(
        ("How many legs does a spider have?", "A spider has how many legs?"),
        "A spider has eight legs.",
        ("蜘蛛有几条腿？", "蜘蛛有多少条腿？"),
        "蜘蛛有八条腿。",
    ),
    exchange(
        ("Who wrote Hamlet?", "Who is the author of Hamlet?"),
        "Hamlet was written by William Shakespeare.",
        ("《哈姆雷特》是谁写的？", "谁写了《哈姆雷特》？"),
        "《哈姆雷特》是莎士比亚写的。",
    ),
    exchange(
        ("What do bees make?", "What do bees produce?"),
        "Bees make honey.",
        ("蜜蜂产什么？", "蜜蜂酿什么？"),
        "蜜蜂酿蜂蜜。",
    ),
    exchange(
        ("Where does the sun rise?", "In which direction does the sun rise?"),
        "The sun rises in the east.",
        ("太阳从哪边升起？", "太阳从哪个方向升起？"),
        "太阳从东方升起。",
    ),
    exchange(
        ("How many hours are in a day?", "How many hours does a day have?"),
        "A day has twenty-four hours.",
        ("一天有多少小时？", "一天有几个小时？"),
        "一天有二十四小时。",
    ),
    exchange(
        ("What is the longest river in China?", "Which river is the longest in China?"),
        "The longest river in China is the Yangtze.",
        ("中国最长的河是哪条？", "中国最长的河流是什么？"),
        "中国最长的河是长江。",
    ),
    exchange(
        ("What is two plus two?", "How much is 2 + 2?", "What is 2+2?"),
        "Two plus two is four.",
        ("二加二等于几？", "2+2等于几？"),
        "二加二等于四。",
    ),
    exchange(
        ("How many continents are there?", "How many continents does the Earth have?"),
        "There are seven continents.",
        ("世界上有几个大洲？", "地球有多少个大洲？"),
        "世界上有七个大洲。",
    ),
    exchange(
        ("What is the chemical formula of water?", "What is water made of?"),
        "Water is H2O: hydrogen and oxygen.",
        ("水的化学式是什么？", "水由什么组成？"),
        "水的化学式是H2O，由氢和氧组成。",
    ),
)

CHAT = (
    exchange(
        ("How are you?", "How are you today?", "How do you do?", "How is it going?"),
        "I am very well, thank you.",
        ("你好吗？", "你今天怎么样？", "最近好吗？"),
        "我很好，谢谢你。",
    ),
    exchange(
        ("Hello!", "Hi there.", "Good morning!", "Hey!", "Good evening.", "Hi!", "Hello"),
        "Hello, nice to meet you. How can I help you?",
        ("你好！", "早上好！", "嗨！", "晚上好。", "你好", "您好"),
        "你好，很高兴见到你。有什么可以帮你的吗？",
    ),
    exchange(
        ("Thank you!", "Thanks a lot.", "Many thanks!", "Thanks!"),
        "You are welcome.",
        ("谢谢！", "多谢。", "非常感谢！", "谢谢你"),
        "不客气。",
    ),
    exchange(
        ("Goodbye!", "Bye!", "See you later.", "Good night."),
        "Goodbye, have a good day.",
        ("再见！", "拜拜！", "回头见。", "晚安。"),
        "再见，祝你愉快。",
    ),
    exchange(
        (
            "Nice weather today, isn't it?",
            "Do you like the weather?",
            "How is the weather?",
            "What a rainy day.",
        ),
        "I cannot see the weather from here, but I hope it is fine.",
        ("今天天气不错吧？", "你喜欢今天的天气吗？", "天气怎么样？", "今天又下雨了。"),
        "我这里看不到天气，希望是个好天。",
    ),
    exchange(
        ("Do you like music?", "What music do you like?", "Do you listen to music?"),
        "I like calm music, above all in the evening.",
        ("你喜欢音乐吗？", "你喜欢什么音乐？", "你听音乐吗？"),
        "我喜欢安静的音乐，尤其是在晚上。",
    ),
    exchange(
        ("Tell me a joke.", "Do you know a joke?", "Make me laugh."),
        "Why did the bicycle fall over? It was two-tired.",
        ("讲个笑话吧。", "你会讲笑话吗？", "逗我笑一笑。"),
        "为什么数学书总是不开心？因为它的问题太多了。",
    ),
    exchange(
        ("I had a long day.", "I am tired today.", "I feel tired."),
        "Then take a rest and drink something warm.",
        ("我今天很累。", "今天好辛苦。", "我累了。"),
        "那就休息一下，喝点热的东西吧。",
    ),
    exchange(
        ("I am bored.", "I have nothing to do.", "What should I do today?"),
        "How about a walk or a good book?",
        ("我好无聊。", "我没事可做。", "今天做点什么好？"),
        "出去散散步，或者读一本好书怎么样？",
    ),
    exchange(
        ("Do you like football?", "What sports do you like?", "Do you play sports?"),
        "I like all sports, but I am better at talking about them.",
        ("你喜欢足球吗？", "你喜欢什么运动？", "你做运动吗？"),
        "我喜欢各种运动，不过我更擅长聊运动。",
    ),
    exchange(
        ("What is your favourite food?", "What do you like to eat?", "What food do you like?"),
        "I like a simple bowl of noodle soup.",
        ("你最喜欢吃什么？", "你爱吃什么？", "你喜欢什么食物？"),
        "我喜欢一碗简单的汤面。",
    ),
    exchange(
        ("Let us talk about something else.", "Let's change the subject.", "Another topic, please."),
        "Gladly. What would you like to talk about?",
        ("我们换个话题吧。", "聊点别的吧。", "换个话题。"),
        "好的，你想聊什么？",
    ),
    exchange(
        ("I am learning to cook.", "I started cooking last week.", "I want to learn cooking."),
        "That is a fine plan. Start with a simple soup.",
        ("我在学做饭。", "我上周开始学做菜。", "我想学做饭。"),
        "这是个好主意，先从简单的汤开始吧。",
    ),
    exchange(
        ("My cat is sleeping on my desk.", "I have a cat.", "My cat is very lazy."),
        "Cats know how to rest well.",
        ("我的猫在桌子上睡觉。", "我有一只猫。", "我的猫很懒。"),
        "猫最懂得怎么休息。",
    ),
    exchange(
        ("I am going on a trip tomorrow.", "Tomorrow I travel to the sea.", "I am planning a trip."),
        "Have a good trip, and do not forget an umbrella.",
        ("我明天去旅行。", "明天我要去海边。", "我在计划一次旅行。"),
        "祝你旅途愉快，别忘了带伞。",
    ),
    exchange(
        ("It is my birthday today.", "Today is my birthday!"),
        "Happy birthday! I wish you a good year.",
        ("今天是我的生日。", "我今天过生日！"),
        "生日快乐！祝你新的一年一切顺利。",
    ),
    exchange(
        ("Is it good to get up early?", "Should I get up early?"),
        "Getting up early gives you a quiet start to the day.",
        ("早起好吗？", "我应该早起吗？"),
        "早起可以让你安静地开始一天。",
    ),
    exchange(
        ("What should I read?", "Can you recommend a book?", "Which book should I read?"),
        "Read a book on a subject that you already love.",
        ("我该读什么书？", "能推荐一本书吗？", "推荐一本书吧。"),
        "读一本你本来就感兴趣的书吧。",
    ),
    exchange(
        ("Ok.", "I see.", "Alright.", "Interesting.", "Really?"),
        "Yes. Is there anything else?",
        ("好的。", "明白了。", "原来如此。", "真的吗？", "有意思。"),
        "是的，还有别的事吗？",
    ),
    exchange(
        ("How do I sleep better?", "I cannot sleep well.", "What helps against bad sleep?"),
        "Go to bed at the same time each day and keep the room dark.",
        ("怎样才能睡得更好？", "我睡不好。", "睡不着怎么办？"),
        "每天按时睡觉，并让房间保持黑暗。",
    ),
)

SUBJECTS = {
    "en": (
        "quantum physics",
        "the stock market",
        "medieval history",
        "deep sea fish",
        "the Roman Empire",
        "jazz",
        "chess openings",
        "volcanoes",
        "blockchain",
        "black holes",
        "opera",
        "DNA",
        "tax law",
        "climate change",
        "the moon landing",
        "robots",
        "world politics",
        "philosophy",
        "dinosaurs",
        "electric cars",
        "vaccines",
        "gold prices",
        "football results",
        "cloud computing",
        "Kubernetes",
        "machine learning",
        "the Great Wall",
        "painting",
        "bread baking",
        "solar energy",
    ),
    "zh": (
        "量子物理",
        "股票市场",
        "中世纪历史",
        "深海鱼类",
        "罗马帝国",
        "爵士乐",
        "国际象棋",
        "火山",
        "区块链",
        "黑洞",
        "歌剧",
        "基因",
        "税法",
        "气候变化",
        "登月",
        "机器人",
        "国际政治",
        "哲学",
        "恐龙",
        "电动汽车",
        "疫苗",
        "黄金价格",
        "足球比赛",
        "云计算",
        "机器学习",
        "长城",
        "绘画",
        "面包烘焙",
        "太阳能",
        "唐朝诗歌",
    ),
}
OPEN_QUESTIONS = {
    "en": (
        "What do you know about {s}?",
        "Tell me about {s}.",
        "Can you explain {s}?",
        "Explain {s} in simple words.",
        "What is the latest news about {s}?",
        "I have a question about {s}.",
        "Who invented {s}?",
        "Write a poem about {s}.",
        "Why is {s} important?",
        "Give me three facts about {s}.",
        "How does {s} work?",
        "What do you think of {s}?",
        "Translate a text about {s}.",
        "Summarise {s}.",
    ),
    "zh": (
        "你对{s}了解多少？",
        "给我讲讲{s}。",
        "能解释一下{s}吗？",
        "用简单的话解释{s}。",
        "关于{s}有什么新闻？",
        "我有一个关于{s}的问题。",
        "为什么{s}很重要？",
        "写一首关于{s}的诗。",
        "说三个关于{s}的事实。",
        "{s}是怎么回事？",
        "你怎么看{s}？",
        "总结一下{s}。",
    ),
}


def open_question(rng: random.Random, language: str) -> str:
    """A question that the model has not learned to answer."""
    return pick(rng, OPEN_QUESTIONS[language]).format(s=pick(rng, SUBJECTS[language]))
