# ruff: noqa: E501 (sentences of the data stay on one line)
"""Requests to write at length, answered by an essay of more than 500 tokens about the named subject."""

from __future__ import annotations

import random

from train.dialogues.dialogue import Dialogue, conversation, pick
from train.dialogues.how_to import TOPICS

KIND = "essay"

SUBJECTS = {
    "en": (
        "reading books",
        "regular exercise",
        "good sleep",
        "learning a language",
        "working from home",
        "clean code",
        "software testing",
        "public libraries",
        "city parks",
        "cooking at home",
        "saving energy",
        "time management",
        "teamwork",
        "music lessons",
        "riding a bicycle",
        "healthy food",
        "travelling by train",
        "keeping a diary",
        "renewable energy",
        "online learning",
        "artificial intelligence",
        "microservices",
        "stable services",
        "open source software",
    ),
    "zh": (
        "读书",
        "锻炼身体",
        "良好的睡眠",
        "学习外语",
        "远程办公",
        "代码质量",
        "软件测试",
        "公共图书馆",
        "城市公园",
        "在家做饭",
        "节约能源",
        "时间管理",
        "团队合作",
        "学习音乐",
        "骑自行车",
        "健康饮食",
        "坐火车旅行",
        "写日记",
        "可再生能源",
        "在线学习",
        "人工智能",
        "微服务",
        "服务的稳定性",
        "开源软件",
    ),
}
QUESTIONS = {
    "en": (
        "Write a long essay about {s}.",
        "Write at length about {s}, at least 800 words.",
        "Write a detailed article about {s}.",
        "Write an essay of at least 800 words on {s}.",
        "Explain the importance of {s} in detail, at least 600 words.",
        "Please write a long text about {s}.",
        "Write a long and detailed essay on the importance of {s}.",
        "Describe {s} at length. Use many paragraphs.",
        "Write a comprehensive article on {s} with an introduction and a conclusion.",
        "Tell me everything about {s} in a long article.",
    ),
    "zh": (
        "写一篇关于{s}的长文。",
        "请写一篇关于{s}的文章，至少800字。",
        "写一篇详细的文章，主题是{s}。",
        "请详细论述{s}的重要性，不少于800字。",
        "写一篇八百字以上的作文，题目是《{s}》。",
        "请围绕{s}写一篇长文，分多个段落。",
        "详细介绍{s}，写得越长越好。",
        "以{s}为题写一篇完整的文章，包括开头和结尾。",
    ),
}
PARAGRAPHS = {
    "en": (
        "There are subjects that everybody knows and few people think about. One of them is {s}. In this essay I want to look at it from several sides: where it comes from, what it gives us, what makes it difficult, and how anyone can begin.",
        "Let us begin with the past. Long before our time people already knew the value of {s}, although they had other words for it. They learned from their parents and neighbours, they made mistakes, and they passed on what worked. Much of what we do today is still built on that patient work.",
        "The first benefit is easy to see. Those who take {s} seriously have more control over their day. They plan better, they waste less, and they notice problems while the problems are still small. Over a year, these small gains add up to something large.",
        "The second benefit concerns other people. Few things are done entirely alone, and {s} is no exception. It gives us a reason to meet, to explain our ideas and to listen. A group that shares this experience trusts each other more and argues less about things that do not matter.",
        "Of course there are difficulties. Time is short, money is limited, and old habits are strong. Many people start with great energy and stop after two weeks. The reason is seldom a lack of talent; most often the first goal was too big, and the first failure came too early.",
        "What helps is a simple plan. Choose one small step that takes no more than fifteen minutes. Do it every day at the same hour. Write down what you did in one sentence. After a month, read your notes and decide what to change. In this way {s} becomes a part of life and no longer a duty.",
        "It is also useful to measure progress. A number on paper is more honest than a feeling. Some measure hours, some measure results, and some simply count the days on which they kept their promise. The measure does not have to be perfect; it only has to be the same each time.",
        "We should not forget the other side. Too much of a good thing can do harm, and {s} should never push aside family, rest and friendship. A wise person knows when to stop, and comes back the next morning with fresh strength.",
        "What will the future bring? New tools will make many things easier, and some of today's worries will look small. But tools do not decide for us. The questions that matter will stay the same: why we do it, for whom, and how well we want to do it.",
        "To sum up, {s} has a long history, clear benefits and real difficulties. None of these difficulties is too great for a person who begins with a small step and keeps going. That is reason enough to begin today and not tomorrow.",
    ),
    "zh": (
        "有些话题人人都知道，却很少有人认真思考，{s}就是其中之一。在这篇文章里，我想从几个方面来谈一谈它：它从哪里来，它带给我们什么，它难在哪里，以及我们应该怎样开始。",
        "先从过去说起。很久以前，人们就已经懂得{s}的价值，只是那时的说法和今天不同。他们向父母和邻居学习，也犯过错误，然后把有用的经验一代一代传下来。我们今天所做的许多事情，仍然建立在这些耐心的积累之上。",
        "第一个好处很容易看到。认真对待{s}的人，更能掌握自己的一天。他们计划得更周到，浪费得更少，在问题还小的时候就能发现问题。一年下来，这些小小的进步就会变成很大的收获。",
        "第二个好处和别人有关。很少有事情是一个人单独完成的，{s}也不例外。它让我们有机会见面，有机会说明自己的想法，也有机会倾听别人。有共同经历的集体更加互相信任，也更少为小事争吵。",
        "当然，困难也是存在的。时间很紧，金钱有限，旧习惯又很顽固。许多人开始的时候热情很高，两个星期以后就停了下来。原因往往不是缺少才能，而是第一个目标定得太大，第一次失败来得太早。",
        "最有帮助的是一个简单的计划。选择一个不超过十五分钟的小步骤，每天在同一个时间去做，用一句话记下自己做了什么。一个月以后，再读一读这些记录，想一想需要改变什么。这样，{s}就会成为生活的一部分，而不再是一种负担。",
        "记录进步同样重要。写在纸上的数字比感觉更诚实。有的人记录时间，有的人记录结果，有的人只是数一数自己坚持了多少天。方法不必完美，只要每次都用同样的方法就可以了。",
        "我们也不应该忘记另外一面。好事做得太过也会有害处，{s}不应该挤掉家人、休息和友谊。聪明的人知道什么时候该停下来，第二天早上再带着新的力量继续前进。",
        "未来会怎样呢？新的工具会让许多事情变得更容易，今天的一些烦恼也会显得很小。但是工具不能代替我们做决定。真正重要的问题不会改变：我们为什么做，为谁而做，想要做到多好。",
        "总之，{s}有悠久的历史，有明显的好处，也有真实的困难。对于愿意从小事做起并且坚持下去的人来说，这些困难都不算太大。这就足以成为我们今天就开始行动的理由。",
    ),
}


GUIDE_QUESTIONS = {
    "en": (
        "Explain in great detail how to {t}.",
        "Write a long guide on how to {t}.",
        "Describe at length how to {t}.",
        "Explain in detail how to {t} for {n} people.",
        "Write a detailed article on how to {t}.",
    ),
    "zh": (
        "请详细说明如何{t}。",
        "写一篇关于{t}的长篇指南。",
        "请非常详细地介绍{t}的方法。",
        "写一篇详细的文章，说明怎么{t}。",
    ),
}
GUIDE_ENDINGS = {
    "en": (
        " Write at least 800 words.",
        " At least 800 words, please.",
        " At least 800 words: every step with its reason, common mistakes and cleaning up.",
        " Include the reasons, frequent mistakes and what to do afterwards. At least 600 words.",
    ),
    "zh": (
        "不少于800字。",
        "至少八百字，写出每一步的原因和常见的错误。",
        "请写得长一些，包括原因、常见错误和善后。",
    ),
}
GUIDE_OPENING = {
    "en": "This guide explains how to {t}. It takes six steps, and each of them has its reason. Read the whole text once before you begin, put everything you need on the table, and take your time. Nothing here is difficult, but the order matters, and small details decide whether the result is merely acceptable or really good.",
    "zh": "这篇指南说明如何{t}。一共有六个步骤，每一步都有它的道理。开始之前请先把全文读一遍，把需要的东西都准备好，不要着急。这里没有什么难事，但是顺序很重要，细节决定结果是勉强可以，还是真的很好。",
}
GUIDE_REASONS = {
    "en": (
        "This first step prepares all the others. If it is done in a hurry, every later step becomes harder, and in the end you lose more time than you saved. Work calmly and check the result before you go on.",
        "The reason is simple: what is wrong at this point cannot be put right later. Look closely, use your hands as well as your eyes, and repeat the step if you are not sure that it was done well.",
        "Here care is more important than strength. Move slowly and evenly, keep your work place tidy, and do not let yourself be distracted. After some practice this step takes less than a minute.",
        "Many people skip this step because it looks unimportant. They are surprised afterwards that the result is uneven. It costs little effort and makes the difference that others will notice.",
        "Now patience is needed. Use a clock and do not rely on your feeling, because time seems long when one is waiting. If you like, use the pause to clear away what you no longer need.",
        "With this last step the work is finished. Look at the result, compare it with what you wanted, and write down one thing that you will do better next time. This is how experience grows.",
    ),
    "zh": (
        "第一步为后面的所有步骤做准备。如果做得太匆忙，后面的每一步都会变得更难，最后花掉的时间比省下的还多。请静下心来做，检查好了再继续。",
        "道理很简单：这时候出了错，后面就很难补救。要仔细看，眼睛和手都要用上，如果没有把握，就再做一遍。",
        "这里细心比力气更重要。动作要慢而均匀，保持桌面整洁，不要分心。练习几次以后，这一步用不了一分钟。",
        "许多人会跳过这一步，因为它看起来不重要，事后却奇怪为什么效果不好。它花不了多少力气，却能带来别人看得出来的不同。",
        "现在需要的是耐心。请看着钟表，不要凭感觉，因为等待的时候时间总显得很长。可以利用这段时间收拾不再需要的东西。",
        "做完最后这一步，工作就完成了。看一看结果，和自己想要的比一比，记下一件下次可以做得更好的事情。经验就是这样积累起来的。",
    ),
}
GUIDE_CLOSING = {
    "en": (
        "There are three frequent mistakes. The first is to begin without preparation and to search for things in the middle of the work. The second is to change several things at once, so that nobody knows what helped. The third is to give up after the first failure, although the second attempt is nearly always better.",
        "Afterwards, clean up at once. Wash what was used with warm water, dry it with a clean cloth, and put everything back in its place. It takes five minutes now and half an hour tomorrow. Then sit down and enjoy what you have made.",
    ),
    "zh": (
        "常见的错误有三个。第一个是没有准备就开始，做到一半才到处找东西。第二个是一次改变好几样，结果谁也不知道是哪一样起了作用。第三个是第一次失败就放弃，其实第二次几乎总会更好。",
        "做完以后请马上收拾。用温水把用过的东西洗干净，用干净的布擦干，放回原来的地方。现在只要五分钟，明天就要半个小时。然后坐下来，享受自己的成果。",
    ),
}


def guide(rng: random.Random, language: str) -> tuple[str, str]:
    """A long how-to: each step with its reason, the usual mistakes, and cleaning up."""
    topic = TOPICS[pick(rng, sorted(TOPICS))]
    wording = pick(rng, topic.english if language == "en" else topic.chinese)
    question = pick(rng, GUIDE_QUESTIONS[language]).format(t=wording, n=rng.randint(2, 40)) + pick(
        rng, GUIDE_ENDINGS[language]
    )
    steps = [step.split(" | ")[0] for step in topic.steps[language]]
    space = " " if language == "en" else ""
    paragraphs = [GUIDE_OPENING[language].format(t=wording)]
    paragraphs += [
        f"{number}. {step}{space}{reason}"
        for number, (step, reason) in enumerate(zip(steps, GUIDE_REASONS[language], strict=True), 1)
    ]
    return question, "\n\n".join([*paragraphs, *GUIDE_CLOSING[language]])


def essay(rng: random.Random, language: str) -> tuple[str, str]:
    subject = pick(rng, SUBJECTS[language])
    question = pick(rng, QUESTIONS[language]).format(s=subject)
    return question, "\n\n".join(paragraph.format(s=subject) for paragraph in PARAGRAPHS[language])


def make(rng: random.Random) -> Dialogue:
    language = pick(rng, ("en", "zh"))
    question, answer = pick(rng, (essay, guide))(rng, language)
    return Dialogue(KIND, language, question, conversation(rng, question, answer))
