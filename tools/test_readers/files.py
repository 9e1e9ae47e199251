"""Creates the text and the tree, and compresses them."""

import os
import random
import subprocess
from typing import NamedTuple

TEXT_LENGTH = 3_000_030


class Layout(NamedTuple):
    """A way to write gzip files, and the commands for it."""

    name: str
    # Compresses stdin to stdout.
    gzip: list
    # Writes the directory `tree` of the current directory to ARCHIVE.
    tar: list
    # Whether the files consist of many gzip members.
    many: bool = False
    # Whether the files are truncated to half of their length.
    cut: bool = False


class Sample(NamedTuple):
    """A compressed file and its contents."""

    kind: str
    layout: Layout
    path: str
    # The text, or the contents of the tree's files, by name.
    content: object


def ours(program):
    gzip, tar = [program, "gzip"], [program, "tar", "create", "-f", "ARCHIVE", "tree"]
    return [
        Layout("one member", gzip, tar),
        Layout("BGZF", [*gzip, "--bgzf"], [*tar, "--bgzf"], many=True),
    ]


def peers():
    def layout(command, **more):
        tar = ["tar", "-I", command, "-cf", "ARCHIVE", "tree"]
        return Layout(more.pop("name", command), command.split(), tar, **more)

    return [
        layout("gzip -n"),
        layout("pigz -i"),
        layout("bgzip", many=True),
        layout("pigz", name="cut in half", cut=True),
    ]


def text(length, seed):
    """Returns words that compress about as well as prose."""
    numbers = random.Random(seed)
    letters = "etaoinshrdlucmfw"
    words = ["".join(numbers.choices(letters, k=numbers.randint(2, 9))) for _ in range(4000)]
    lines = []
    while sum(map(len, lines)) < length:
        lines += (" ".join(numbers.choices(words, k=12)) + "\n" for _ in range(1000))
    return "".join(lines)[:length].encode()


def tree():
    """Returns files of many sizes, of text and of incompressible bytes, by name."""
    numbers = random.Random(1)
    sizes = [0, 1, 511, 512, 513, 5_000, 65_280, 70_000, 150_000, 250_000, 400_000, 1_000_000]
    contents = {f"tree/text/{size}.txt": text(size, size) for size in sizes}
    for size in (300, 210_000, 700_000):
        contents[f"tree/noise/{size}.bin"] = numbers.randbytes(size)
    return contents


def make(folder, layouts):
    """Writes the inputs and the compressed files to `folder`, and returns the latter."""
    words, contents = text(TEXT_LENGTH, 0), tree()
    with open(f"{folder}/text", "wb") as file:
        file.write(words)
    for name, content in contents.items():
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
    samples = []
    for number, layout in enumerate(layouts):
        path, archive = f"{folder}/{number}.gz", f"{folder}/{number}.tar.gz"
        with open(f"{folder}/text", "rb") as source, open(path, "wb") as target:
            subprocess.run(layout.gzip, stdin=source, stdout=target, check=True)
        command = [archive if word == "ARCHIVE" else word for word in layout.tar]
        subprocess.run(command, cwd=folder, check=True)
        if layout.cut:
            os.truncate(path, os.path.getsize(path) // 2)
            os.truncate(archive, os.path.getsize(archive) // 2)
        samples += [Sample("gzip", layout, path, words), Sample("tar", layout, archive, contents)]
    return samples
