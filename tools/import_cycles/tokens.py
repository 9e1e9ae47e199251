"""The tokens of a Rust file."""

import re

TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<comment>/\*)
    | (?P<raw>(?:br|cr|r)(?P<hashes>\#*)".*?"(?P=hashes))
    | (?P<text>(?:b|c)?"(?:\\.|[^"\\])*")
    | (?P<char>b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^\\'\n])')
    | (?P<lifetime>'\w+)
    | (?P<word>(?:r\#)?[A-Za-z_]\w*)
    | (?P<number>\d\w*)
    | (?P<sign>::|->|=>|==|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Unreadable(Exception):
    """A file that doesn't exist, or that this parser doesn't understand."""


class Token:
    __slots__ = ("kind", "text", "line")

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line


def tokens_of(source):
    """Returns the tokens of a file, without comments. Strings can't be mistaken for code."""
    found, at, line = [], 0, 1
    while at < len(source):
        match = TOKEN.match(source, at)
        kind, text = match.lastgroup, match.group()
        if kind == "hashes":
            kind = "raw"
        end = match.end()
        if kind == "comment":
            depth = 1
            while depth:
                edge = re.compile(r"/\*|\*/").search(source, end)
                if not edge:
                    raise Unreadable(f"line {line}: unterminated comment")
                depth += 1 if edge.group() == "/*" else -1
                end = edge.end()
            text = source[at:end]
        elif kind != "space":
            raw_word = kind == "word" and text.startswith("r#")
            found.append(Token(kind, text[2:] if raw_word else text, line))
        line += text.count("\n")
        at = end
    return found
