"""The files and packages of this repository, for the tools beside this module."""

import os
import subprocess
import tomllib


def enter():
    """Makes the root of the repository the current directory."""
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


def tracked(*paths):
    """Existing files that git tracks, or would: those below these paths or patterns, or all."""
    listing = ["git", "ls-files", "-co", "--exclude-standard", "-z", "--", *paths]
    names = subprocess.run(listing, capture_output=True, check=True, text=True).stdout.split("\0")
    return [name for name in names if os.path.isfile(name)]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def packages():
    """The folders of the workspace's packages, as Cargo.toml lists them."""
    return [".", *tomllib.loads(read("Cargo.toml"))["workspace"]["members"]]
