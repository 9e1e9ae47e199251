"""Runs a reader on the files and classifies the results."""

import os
import subprocess
import tempfile
from typing import NamedTuple

from . import readers
from .browser import TIMEOUT, browse
from .build import FOLDER


class Result(NamedTuple):
    # By kind and layout, such as ("tar", "BGZF").
    outcomes: dict
    problems: list


def all_of(reader, samples, server):
    """Runs the reader on each file that it supports."""
    result = Result({}, [])
    for sample in samples:
        command = getattr(reader, sample.kind)
        if command is None:
            continue
        outcome, error = one(reader, command, sample, server)
        expected = reader.expected(sample)
        by_chance = outcome == "ok" or outcome.endswith("bytes, no error")
        if expected == readers.CHANCE and by_chance:
            outcome = expected
        result.outcomes[sample.kind, sample.layout.name] = outcome
        right = outcome != "ok" if sample.layout.cut else outcome == expected
        if not right:
            wanted = "anything but ok" if sample.layout.cut else expected
            name = f"{reader.title()}: {sample.kind}, {sample.layout.name}"
            cause = f" ({error})" if error else ""
            result.problems.append(f"{name}: {outcome}, expected {wanted}{cause}")
    return result


def one(reader, command, sample, server):
    """Returns the result for one file, in a few words, and the reader's error."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, tempfile.TemporaryFile() as output:
        name = os.path.basename(sample.path).removesuffix(".gz")
        words = {
            "FILE": sample.path,
            "ENCODED": server.url(f"encoded/{name}"),
            "PLAIN": server.url(f"plain/{name}"),
        }
        command = [words.get(word, word) for word in command]
        if reader.package is readers.CHROMIUM:
            error = browse(*command, server, output)
        else:
            error = execute(command, folder, output)
        if error:
            return ("hangs" if error == "timeout" else "refuses"), error
        output.seek(0)
        if sample.kind == "gzip":
            return read_text(output.read(), sample.content)
        return read_tree(folder, sample.content)


def execute(command, folder, output):
    """Runs the command. Returns the error, or an empty string."""
    environment = os.environ | {"no_proxy": "127.0.0.1", "NODE_PATH": f"{FOLDER}/node_modules"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.PIPE, timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "timeout"
    if done.returncode == 0:
        return ""
    # Python prints the error last, the others print it first.
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [""]
    message = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return f"status {done.returncode}: {message}"


def read_text(content, expected):
    if content == expected:
        return "ok", ""
    if expected.startswith(content):
        return f"{len(content):,} bytes, no error", ""
    return "wrong bytes, no error", ""


def read_tree(folder, expected):
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    if found == expected:
        return "ok", ""
    unexpected = sorted(name for name in found if name not in expected)
    if unexpected:
        return "other files, no error", unexpected[0]
    whole = sum(found.get(name) == content for name, content in expected.items())
    return f"{whole} of {len(expected)} files, no error", ""
