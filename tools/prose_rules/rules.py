"""The rules, and where they hold."""

import re

WIDTH = 100

# Each rule: what it is called, the pattern, and what to write instead.
RULES = [
    ("gives", r"\b(gives|gave)\b", "returns, produces, is"),
    ("he", r"\b(he|his|him)\b", "the caller, it, they"),
    ("somebody", r"\b(somebody|whoever|whatever it)\b", "a caller, another thread, any program"),
    ("nobody", r"(?<![`\"/])\bnobody\b(?![`\"/:])", "no one, no caller, nothing"),
    ("is no", r"(?<!there )\b(is|are|was) no (?!longer\b|more\b|less\b|fewer\b|other\b|such\b|way\b|need\b)\w+", "is not a"),
    ("an own", r"\b(an|no) own\b|\b(of|is|are) (ours|theirs)\b", "its own, our"),
    ("anew", r"\banew\b", "again"),
    ("once more", r"\bonce more\b", "again"),
    ("for ever", r"\bfor ever\b", "forever"),
    ("room", r"\b(no|the|make|makes|has|is|any|of|enough|more|with) room\b", "space, capacity"),
    ("deed", r"\bdeeds?\b|\bleave to\b|\bborder to\b|\bcomes? to an end\b", "plain words"),
    ("says true", r"\bsays? (true|false|yes)\b", "returns true"),
    ("why", r"\bthe (why|what)\b|\bwhy not the other\b", "the reason, the error"),
    ("taken for", r"\btaken for whole\b|\bso and so\b|\bas well as may be\b", "plain words"),
    ("as many as may be", r"\bas (many|much|long) as may be\b|\bmay be (asked|had)\b|\bcan be had\b|\bto be had\b", "available"),
    ("that it be", r"\bthere must not be two\b|\bthe like\b", "plain words"),
    ("come", r"\bcomes? of (it|that|an|a|the)\b|\bcame of\b", "results in, the result of"),
    ("stead", r"\bin (his|her) place\b|\bin his stead\b", "instead"),
    ("beside", r"\bbeside (it|him|them|its|their)\b", "next to, alongside"),
    ("whether or no", r"\bwhether or no\b|\bnot until then\b", "plain words"),
    ("meant", r"\b(is|are) meant\b(?! (to|for|as)\b)", "selected"),
    ("missing of", r"\bmissing of (it|them)\b|\bnothing of (it|them|the)\b", "from; none of"),
    ("replace by", r"\breplac(e|es|ing)\b[^.;]*\bby (the|a|an|each|zeros)\b", "with"),
    ("any more", r"\bany more\b(?! \w)", "no longer"),
    ("spite", r"\bin spite of\b|\bby the letter\b|\bbe sought\b|\bwell-kept\b", "despite"),
    ("PATIENCE", r"\b(PATIENCE|WORTH\w*|RARELY|take_an_idle_one)\b", "a name that says what it measures"),
    ("of_*", r"\bfn of_\w+", "new, from_*, for_*"),
]
COMPILED = [(name, re.compile(pattern, re.IGNORECASE if name != "PATIENCE" else 0), better) for name, pattern, better in RULES]
# These are about names, and hold in code.
IN_CODE = {"PATIENCE", "of_*"}


def findings(path, text):
    """(line, rule, text) of each finding."""
    found = []
    lines = text.split("\n")
    prose = markdown(lines) if path.endswith(".md") else comments_and_strings(path, text)
    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH and not unbreakable(path, line):
            found.append((number, "line too long", f"{len(line)} columns"))
        if path.endswith(".rs"):
            for name, pattern, better in COMPILED:
                match = name in IN_CODE and pattern.search(line)
                if match:
                    found.append((number, f'"{match.group(0)}"', f"write: {better}"))
    for number, line in prose:
        for name, pattern, better in COMPILED:
            match = name not in IN_CODE and pattern.search(line)
            if match:
                found.append((number, f'"{match.group(0)}"', f"write: {better}"))
    return sorted(found)


def unbreakable(path, line):
    if path.endswith(".md") and line.lstrip().startswith("|"):
        return True
    if re.search(r"https?://\S{40,}", line):
        return True
    return path.endswith(("Makefile", ".toml", ".yml")) and re.search(r'= "|run:', line) is not None


def markdown(lines):
    """Lines outside of code."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            yield number, re.sub(r"`[^`]*`", "`x`", line)


RUST = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<raw>b?r(?P<hash>\#*)"(?P<rawtext>.*?)"(?P=hash))"""
    r"""|(?P<string>b?"(?:[^"\\]|\\.)*")|'(?:[^'\\\n]|\\[^\n]{1,8})'|\w+""",
    re.DOTALL,
)
OTHER = re.compile(
    r'''"""(?P<rawtext>.*?)"""|(?P<comment>(?:\#|//)[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*")''',
    re.DOTALL,
)


def comments_and_strings(path, text):
    scanner = RUST if path.endswith((".rs", ".cc", ".h", ".c")) else OTHER
    for match in scanner.finditer(text):
        part = match.groupdict()
        found = part.get("comment") or part.get("string") or part.get("rawtext")
        if not found:
            continue
        at = match.start("rawtext") if part.get("rawtext") and not part.get("string") else match.start()
        first = text.count("\n", 0, at) + 1
        for offset, line in enumerate(found.split("\n")):
            yield first + offset, re.sub(r"`[^`]*`", "`x`", line) if part.get("comment") else line
