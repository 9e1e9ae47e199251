"""The table in docs/archives.md."""

import re

DOCS = "docs/archives.md"
BEGIN = "<!-- The table is written by tools/test-readers --update. -->"
END = "<!-- The end of the table. -->"
NAMES = {"gzip": "gzip", "tar": "tar.gz"}


def rows(chosen, layouts, results):
    columns = [(kind, layout.name) for kind in NAMES for layout in layouts]
    lines = [
        line(["Reader", "version", *(f"{NAMES[kind]}, {layout}" for kind, layout in columns)]),
        line(["---"] * (2 + len(columns))),
    ]
    for reader, result in zip(chosen, results):
        outcomes = (result.outcomes.get(column, "") for column in columns)
        lines.append(line([reader.title(), reader.package.version(), *outcomes]))
    return lines


def line(cells):
    return "| " + " | ".join(cells) + " |"


def split():
    with open(DOCS, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(f"{BEGIN}\n")
    table, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise SystemExit(f"test-readers: {DOCS} lacks the markers around the table")
    return before + begin, table, end + after


def update(lines):
    before, _, after = split()
    with open(DOCS, "w", encoding="utf-8") as file:
        file.write(before + "".join(f"{line}\n" for line in lines) + after)


def is_current(lines):
    """Returns whether the docs have these results. Versions of readers are not compared."""
    _, table, _ = split()
    return list(map(without_version, table.splitlines())) == list(map(without_version, lines))


def without_version(row):
    # A `\\|` doesn't separate cells.
    cells = re.split(r"(?<!\\)\|", row)
    return cells[:2] + cells[3:]
