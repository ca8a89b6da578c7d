"""Where whole sentences end in a text that is still being written.

A sentence ends with 。！？… or with . ! ? and what closes a quotation or emphasis behind it. A line ends like
a sentence in lists, in tables, and in fenced code, where nothing else does. An end is known only when what
follows shows that it is one: 3.14, e.g., example.com, J. Smith and the 1. of a list have none.
"""

from __future__ import annotations

import re

_WIDE = "。！？．‼⁇⁈⁉؟۔।"  # these end a sentence whatever follows
_NARROW = ".!?…"  # so do these, but not before a small letter
_MARK = re.compile(
    rf"(?P<marks>[{_WIDE}{_NARROW}]+)[”’»)\]}}）】」』》〉]*(?P<either>[\"'*_~]*)|\n"
)  # `either` opens or closes
_BLANKS = re.compile(r"[ \t]*")
_FENCE = re.compile(r"\s*(```|~~~)")
_LISTED = re.compile(r"\s*(([-*+•·]|[a-z][.)])\s+|\|\s*|\d+[.)、．）](?!\d)\s*|[（(]\d+[）)]\s*)\S")
_LIST_NUMBER = re.compile(r"[\s>#*_]*(\d+|[a-z])")
_WORD = re.compile(r"[^\s(（\[\"“'‘*_]*$")
_LONGEST_WORD = 16  # of those that are looked for
_INITIALS = re.compile(r"(?!I$)[A-Z]|([A-Za-z]\.)+[A-Za-z]")
_TITLE = re.compile("mrs?|ms|dr|prof|st|mt|gen|sen|rev|hon|capt|lt|col|sgt|vs|cf|al", re.IGNORECASE)
_NUMBERED = re.compile(
    "nos?|vol|pp?|figs?|eqs?|sec|ch|art|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec", re.IGNORECASE
)  # behind these, a number
_GOES_ON = "，、；：,;:"  # behind a quotation that is over, its sentence is not: “你好！”，他说
_FIRST_CJK = "\u2e80"  # where text is set without blanks


class SentenceEnds:
    """Looks at a text as it grows. What was found stays found, whatever follows."""

    def __init__(self, beginning: str = "") -> None:
        """`beginning` stands before the text and is looked at for what it says about the text's first words;
        sentences that end in it do not count."""
        self._text = beginning
        self._beginning = len(beginning)
        self._seen = 0  # what is decided
        self._line = 0  # where the line begins that is looked at
        self._in_code = False
        self._end = 0
        self._look(is_all=False)

    @property
    def last(self) -> int:
        """How many characters of the text are whole sentences; 0 while there is none."""
        return max(self._end - self._beginning, 0)

    def add(self, text: str) -> None:
        """The text goes on."""
        self._text += text
        self._look(is_all=False)

    def close(self) -> None:
        """The text is over: what depended on its next characters is decided."""
        self._look(is_all=True)

    def _look(self, is_all: bool) -> None:
        text = self._text
        for mark in _MARK.finditer(text, self._seen):
            if mark["marks"] is None:
                self._end_line(mark.start())
                self._line = mark.end()
            elif not self._in_code:
                end = self._end_at(mark, is_all)
                if end is None:
                    self._seen = mark.start()
                    return
                self._end = end or self._end
        self._seen = len(text)
        if is_all and self._in_code and _FENCE.match(text, self._line):
            self._end = len(text.rstrip())

    def _end_line(self, at: int) -> None:
        """A line break, which is looked at without what follows."""
        line = self._text[self._line : at].rstrip()
        if _FENCE.match(line):
            self._in_code = not self._in_code
            is_whole = not self._in_code  # a fence that opens says nothing yet
        else:
            is_whole = bool(line) and (self._in_code or _is_listed(line))
        if is_whole:
            self._end = self._line + len(line)

    def _end_at(self, mark: re.Match[str], is_all: bool) -> int | None:
        """Where the sentence ends that ends with this mark; 0 if none does, and None if that cannot be known
        before the text goes on."""
        text, marks, end = self._text, mark["marks"], mark.end()
        if end == len(text) and not is_all:
            return None
        if mark["either"] and not self._closes(mark):
            end = mark.start("either")
        next_one = text[end : end + 1]
        if next_one and next_one in _GOES_ON:
            return 0
        if marks[-1] in _WIDE:
            return end
        if "!" <= next_one < _FIRST_CJK and marks[-1] != "…":
            return 0  # a != b, example.com
        blanks = _BLANKS.match(text, end)
        at = end if blanks is None else blanks.end()
        after = text[at : at + 1]
        if not after and not is_all:
            return None
        if after.islower() or (marks == "." and self._is_inside_sentence(mark.start(), after)):
            return 0
        return end

    def _closes(self, mark: re.Match[str]) -> bool:
        """Whether straight quotes and signs of emphasis behind a mark close what was opened in its line."""
        signs = mark["either"]
        return all(
            self._text.count(sign * signs.count(sign), self._line, mark.start()) % 2 for sign in set(signs)
        )

    def _is_inside_sentence(self, dot: int, after: str) -> bool:
        """Whether the dot there belongs to the number of a list, to a fraction or to an abbreviation.
        `after`: the first character behind it that is no blank, if the text is not over."""
        text = self._text
        if _LIST_NUMBER.fullmatch(text, self._line, dot) or (not after and text[dot - 1 : dot].isdigit()):
            return True
        found = _WORD.search(text[max(self._line, dot - _LONGEST_WORD) : dot])
        word = "" if found is None else found[0]
        abbreviations = (_INITIALS, _TITLE, _NUMBERED) if after.isdigit() else (_INITIALS, _TITLE)
        return any(abbreviation.fullmatch(word) for abbreviation in abbreviations)


def _is_listed(line: str) -> bool:
    """Whether a line is a whole item of a list or row of a table; with a colon it only begins one."""
    return _LISTED.match(line) is not None and not line.rstrip("*_").endswith((":", "："))
