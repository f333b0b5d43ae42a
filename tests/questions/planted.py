"""Leaks planted in texts that nobody leaked, and vignettes in three languages to plant them in.

Each planter takes a question's stem and options and gives what a training text might hold of it. They are seeded, so
that a table of recall can be printed again. `benchmarks/filtering.py` plants them in real benchmarks.
"""
# ruff: noqa: RUF001  (full-width digits and marks are meant)

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

Planter = Callable[[str, Mapping[str, str], random.Random], str]

_WORDS_OF_NUMBERS = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen",
)
_TENS = re.findall(r"\w+", "zero ten twenty thirty forty fifty sixty seventy eighty ninety")
_SYNONYMS = {
    "man": "gentleman", "woman": "lady", "presents": "comes in", "physician": "doctor", "shows": "reveals",
    "history": "record", "pain": "ache", "brought": "taken", "patient": "person", "emergency": "urgent",
    "complains": "tells", "examination": "exam", "likely": "probable", "following": "subsequent", "severe": "intense",
    "medical": "clinical", "because": "on account", "symptoms": "complaints", "fever": "pyrexia", "normal": "regular",
    "blood": "haematic", "reports": "mentions", "previously": "formerly", "temperature": "body heat",
}  # fmt: skip
_JOINED = "The patient has been reading about the question for some days and would like to understand what to do next."


def sentences(text: str) -> list[str]:
    """A text in sentences, the marks at their ends kept."""
    return [piece for piece in re.split(r"(?<=[.?!])\s+|(?<=[。？！])", text) if piece.strip()]


def verbatim(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    return stem


def options_appended(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    return stem + "\n" + "\n".join(f"{letter}. {text}" for letter, text in options.items())


def options_shuffled(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    texts = list(options.values())
    rng.shuffle(texts)
    return stem + "\n" + "\n".join(f"{letter}) {text}" for letter, text in zip(options, texts, strict=True))


def first_60_percent(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    return _part(stem, 0.0, 0.6)


def last_half(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    return _part(stem, 0.5, 1.0)


def _part(text: str, begin: float, end: float) -> str:
    """A part of a text by its words, or by its characters where it has no spaces."""
    words = text.split()
    if len(words) < len(text) / 12:
        return text[round(begin * len(text)) : round(end * len(text))]
    return " ".join(words[round(begin * len(words)) : round(end * len(words))])


def numbers_changed(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    return re.sub(r"\d+(?:\.\d+)?", lambda _: str(rng.randint(1, 299)), stem)


def numbers_as_words(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    """Digits in words (in English) or as full-width digits (elsewhere)."""
    if not stem.isascii() and len(re.findall(r"[\u3040-\u9fff]", stem)) > len(stem) / 4:
        return re.sub(r"\d+", lambda match: _chinese_number(int(match[0])), stem)
    return re.sub(r"\d+", lambda match: _english_number(int(match[0])), stem)


def full_width_digits(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    return stem.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})


def _english_number(value: int) -> str:
    if value < 20:
        return _WORDS_OF_NUMBERS[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return _TENS[tens] + (f"-{_WORDS_OF_NUMBERS[ones]}" if ones else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{_WORDS_OF_NUMBERS[hundreds]} hundred" + (f" {_english_number(rest)}" if rest else "")
    return " ".join(_WORDS_OF_NUMBERS[int(digit)] for digit in str(value))


def _chinese_number(value: int) -> str:
    digits = "零一二三四五六七八九"
    if value < 10:
        return digits[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")
    return "".join(digits[int(digit)] for digit in str(value))


def units_and_case(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    """Other units of measurement, their values too, and another case."""
    changes: list[tuple[str, Callable[[re.Match[str]], str]]] = [
        (r"(\d+(?:\.\d+)?)\s*°\s*C\s*\((?:[\d.]+)\s*°?\s*F\)", lambda m: f"{float(m[1]) * 1.8 + 32:.1f} degrees F"),
        (r"(\d+(?:\.\d+)?)\s*°\s*C\b", lambda m: f"{float(m[1]) * 1.8 + 32:.1f} °F"),
        (r"(\d+)/(\d+)\s*mm\s*Hg", lambda m: f"{int(m[1]) / 7.5:.1f}/{int(m[2]) / 7.5:.1f} kPa"),
        (r"(\d+(?:\.\d+)?)\s*mg/dL", lambda m: f"{float(m[1]) / 18:.2f} mmol/L"),
        (r"(\d+(?:\.\d+)?)\s*kg\b(?:\s*\([\d.]+\s*lbs?\))?", lambda m: f"{float(m[1]) * 2.2:.0f} lb"),
        (r"(\d+)\s*weeks?\b", lambda m: f"{int(m[1]) * 7} days"),
        (r"(\d+)公斤", lambda m: f"{int(m[1]) * 2}斤"),
        (r"(\d+)(?:周|週間)", lambda m: f"{int(m[1]) * 7}天"),
    ]
    for pattern, replacement in changes:
        stem = re.sub(pattern, replacement, stem)
    return stem.upper() if rng.random() < 0.5 else stem.swapcase()


def reordered(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    pieces = sentences(stem)
    rng.shuffle(pieces)
    return " ".join(pieces)


def words_dropped(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    words = stem.split()
    if len(words) < len(stem) / 12:
        return "".join(character for character in stem if rng.random() >= 0.12)
    return " ".join(word for word in words if rng.random() >= 0.12)


def reskinned(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
    """Synonyms, other numbers and another order together."""
    told = re.sub(r"[a-z]+", lambda match: _SYNONYMS.get(match[0], match[0]), stem)
    return reordered(numbers_changed(told, options, rng), options, rng)


def joined_with(others: Sequence[str]) -> Planter:
    """Two questions in one: this one and one of `others`, in either order."""

    def joined(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
        pair = [stem, rng.choice(others)]
        rng.shuffle(pair)
        return f"{pair[0]} {_JOINED} {pair[1]}"

    return joined


def inside(chains: Sequence[str]) -> Planter:
    """The question told in the middle of a long chain about another."""

    def within(stem: str, options: Mapping[str, str], rng: random.Random) -> str:
        pieces = sentences(rng.choice(chains))
        place = rng.randrange(len(pieces) + 1)
        return " ".join([*pieces[:place], stem, *pieces[place:]])

    return within


PLANTERS: dict[str, Planter] = {
    "verbatim": verbatim,
    "options appended": options_appended,
    "options shuffled": options_shuffled,
    "first 60 %": first_60_percent,
    "last half": last_half,
    "numbers changed": numbers_changed,
    "numbers as words": numbers_as_words,
    "full-width digits": full_width_digits,
    "units and case": units_and_case,
    "reordered": reordered,
    "12 % words dropped": words_dropped,
    "synonyms, numbers, order": reskinned,
}


def vignettes(language: str, count: int, seed: int) -> list[tuple[str, dict[str, str]]]:
    """Made-up case vignettes with options. They mean nothing; their words stand in ever other combinations."""
    rng = random.Random(f"{language} {seed}")
    return [_MAKERS[language](rng) for _ in range(count)]


def _words(text: str, mark: str | None = None) -> list[str]:
    return text.split(mark)


def _english(rng: random.Random) -> tuple[str, dict[str, str]]:
    def complaint() -> str:
        return f"{rng.choice(_HOW)} {rng.choice(_WHERE)} {rng.choice(_WHAT)}"

    who = f"A {rng.randint(2, 90)}-year-old {rng.choice(['man', 'woman', 'boy', 'girl'])}, a {rng.choice(_JOBS)},"
    first = f"{who} presents with {rng.randint(2, 9)} weeks of {complaint()} and {complaint()}."
    more = [
        f"{rng.choice(_SAYS)} {complaint()} {rng.choice(_WHEN)} {rng.choice(_DOING)} {rng.choice(_PLACES)}."
        for _ in range(rng.randint(9, 12))
    ]
    lab = (
        f"Temperature is {rng.randint(36, 40)}.{rng.randint(0, 9)}°C, blood pressure {rng.randint(90, 180)}/"
        f"{rng.randint(50, 110)} mm Hg and {rng.choice(_LAB)} {rng.randint(1, 300)} mg/dL."
    )
    asked = rng.choice(["is the most likely diagnosis", "is the most appropriate next step in management"])
    options = {letter: complaint() for letter in "ABCD"}
    return " ".join([first, *more, lab, f"Which of the following {asked}?"]), options


_JOBS = _words("baker welder gymnast guard farmer violinist diver nurse clerk potter")
_HOW = _words(
    "dull sudden burning recurrent painless worsening intermittent nightly mild throbbing migrating brief odd steady "
    "rising fading cyclic fleeting harsh deep"
)
_WHERE = _words(
    "chest knee ankle jaw neck thigh elbow scalp flank groin wrist calf eyelid palm heel shoulder temple hip tongue toe"
)
_WHAT = _words(
    "tightness swelling itching numbness oedema tremor stiffness rash ulcers cramps weakness redness scaling warmth "
    "pallor bruising twitching heaviness lumps sweating"
)
_SAYS = _words("He reports,Parents saw,Records mention,A cousin had,She denies,Inspection shows,Touch provokes", ",")
_WHEN = _words("before,right after,months after,ever since,during,in spite of,shortly before", ",")
_DOING = _words(
    "hiking fishing dancing sailing cooking painting gardening shopping camping fasting skiing cycling singing digging "
    "packing climbing moving knitting"
)
_PLACES = _words(
    "in Spain,at school,with cousins,near a lake,on ladders,by night,under water,in snow,at work,without shoes,on tour,"
    "in a barn,on antibiotics,after lunch,at altitude,in crowds",
    ",",
)
_LAB = _words("creatinine urate bilirubin calcium glucose ferritin cholesterol magnesium")


def _chinese(rng: random.Random) -> tuple[str, dict[str, str]]:
    def complaint() -> str:
        return f"{rng.choice(_ZH_HOW)}{rng.choice(_ZH_WHERE)}{rng.choice(_ZH_WHAT)}"

    first = f"患者{rng.choice('男女')}，{rng.randint(18, 89)}岁，因{complaint()}{rng.randint(2, 9)}周就诊。"
    more = [
        f"{rng.choice(_ZH_SAYS)}{rng.choice(_ZH_DOING)}{rng.choice(_ZH_WHEN)}{complaint()}。"
        for _ in range(rng.randint(6, 9))
    ]
    lab = f"体温{rng.randint(36, 40)}.{rng.randint(0, 9)}℃，体重{rng.randint(45, 99)}公斤，{rng.choice(_ZH_LAB)}"
    lab += f"{rng.randint(2, 300)}。"
    return "".join([first, *more, lab, "该患者最可能的诊断是什么？"]), {letter: complaint() for letter in "ABCD"}


_ZH_HOW = _words("反复,突发,渐重,夜间,轻微,单侧,烧灼样,间断,阵发,无痛,持续,偶发,剧烈,晨起,餐后,游走性,对称,局部", ",")
_ZH_WHERE = _words(
    "胸部 膝盖 脚踝 下颌 颈部 大腿 肘窝 头皮 腰背 腹股沟 手腕 小腿 眼睑 掌心 足跟 肩膀 太阳穴 髋部 舌尖 趾缝"
)
_ZH_WHAT = _words("闷胀 肿痛 瘙痒 麻木 水肿 震颤 僵硬 皮疹 溃疡 抽筋 无力 发红 脱屑 灼热 苍白 瘀斑 跳动 沉重 结节 出汗")
_ZH_SAYS = _words("家属发现 上月 去冬 邻居见其 病历载 自述 入院日 体检时 其姐称 同事说")
_ZH_DOING = _words(
    "登山 捕鱼 跳舞 航海 做饭 刷墙 浇花 逛街 露营 禁食 滑雪 骑车 唱歌 挖土 搬家 攀岩 飞行 拔牙 戒烟 熬夜"
)
_ZH_WHEN = _words("之前 之后 期间 数月后 次日 不久 以来")
_ZH_LAB = _words("肌酐 尿酸 胆红素 血钙 血糖 铁蛋白 胆固醇")


def _japanese(rng: random.Random) -> tuple[str, dict[str, str]]:
    def complaint() -> str:
        return f"{rng.choice(_JA_HOW)}{rng.choice(_JA_WHERE)}の{rng.choice(_JA_WHAT)}"

    def medicine() -> str:
        return "".join(rng.choice(_JA_SYLLABLES) for _ in range(3)) + rng.choice(["錠", "散", "点眼液", "軟膏"])

    sex = rng.choice(["男性", "女性"])
    first = f"{rng.randint(18, 89)}歳の{sex}。{complaint()}を主訴に{rng.randint(2, 9)}週間前から通院。"
    more = [
        f"{rng.choice(_JA_SAYS)}{rng.choice(_JA_PLACES)}で{rng.choice(_JA_DOING)}{rng.choice(_JA_WHEN)}{medicine()}を使い、"
        f"{complaint()}を認めた。"
        for _ in range(rng.randint(5, 7))
    ]
    lab = f"体温{rng.randint(36, 40)}.{rng.randint(0, 9)}℃、体重{rng.randint(45, 99)}kg、{rng.choice(_JA_LAB)}は"
    lab += f"{rng.randint(2, 300)}。"
    return "".join([first, *more, lab, "最も考えられる診断はどれか。"]), {letter: complaint() for letter in "ABCD"}


_JA_HOW = _words(
    "繰り返す 突然の 増悪する 夜間の 軽度な 片側の 焼ける様な 間欠的な 発作的な 無痛性の 持続する 激しい 早朝の 食後の"
)
_JA_WHERE = _words(
    "胸部 膝 足首 下顎 頸部 大腿 肘 頭皮 腰背部 鼠径部 手首 ふくらはぎ まぶた 手掌 かかと 肩 こめかみ 股関節 舌 足趾"
)
_JA_WHAT = _words(
    "圧迫感 腫れ かゆみ しびれ 浮腫 ふるえ こわばり 皮疹 潰瘍 けいれん 脱力 発赤 落屑 熱感 蒼白 紫斑 拍動 結節 発汗"
)
_JA_SAYS = _words("家族は 先月 昨冬 隣人は カルテ上 本人談で 入院日 健診で 姉は 同僚は")
_JA_PLACES = _words("札幌 仙台 金沢 奈良 神戸 高松 長崎 那覇 松本 盛岡 鳥取 宮崎 函館 川越 鎌倉 浜松 別府 熊本")
_JA_DOING = _words("登山 釣り 舞踊 航海 料理 塗装 庭仕事 買物 断食 自転車 合唱 穴掘り 引越 飛行 抜歯 禁煙 夜更かし")
_JA_WHEN = _words("の前に のあと の最中に の数月後 の翌日に 以来")
_JA_SYLLABLES = _words(
    "アム ベル コキ ダロ エス フリ ゲン ホパ イミ ケト ラン メト ノル オキ プラ リファ サル テマ ウロ ゾラ"
)
_JA_LAB = _words("クレアチニン 尿酸 ビリルビン カルシウム 血糖 フェリチン")

_MAKERS: dict[str, Callable[[random.Random], tuple[str, dict[str, str]]]] = {
    "en": _english,
    "zh": _chinese,
    "ja": _japanese,
}
