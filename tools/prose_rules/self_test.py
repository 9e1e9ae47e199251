"""Samples that the rules must find, and samples that they must not."""

from .rules import findings

FOUND = [
    ("a.rs", "// It gives the length.\n", 1),
    ("a.rs", 'let x = "this is no number";\n', 1),
    ("a.rs", "let x = 1; // once more\n", 1),
    ("a.rs", "fn of_name() {}\n", 1),
    ("a.rs", "const PATIENCE: u32 = 1;\n", 1),
    ("a.rs", 'let x = "a \\\n    gives";\n', 2),
    ("a.rs", "// " + "x" * 98 + "\n", 1),
    ("a.md", "It gives.\n", 1),
    ("a.py", "x = 1  # whoever\n", 1),
    ("a.py", '"""Reads.\n\nIt gives.\n"""\n', 3),
]
PASSED = [
    ("a.rs", "let gives = 1;\n"),
    ("a.rs", "// Returns the length; there is no other.\n"),
    ("a.rs", "let c = '\"'; let gives = 2;\n"),
    ("a.rs", "let c = 'a'; // fine\nlet x: &'static str = f(gives);\n"),
    ("a.md", "```\ngives\n```\n"),
    ("a.md", "| " + "x " * 100 + "|\n"),
]


def self_test():
    for path, text, line in FOUND:
        found = findings(path, text)
        assert [number for number, _, _ in found] == [line], (text, found)
    for path, text in PASSED:
        assert not findings(path, text), (text, findings(path, text))
    print(f"{len(FOUND) + len(PASSED)} samples")
    return 0
