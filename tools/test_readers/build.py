"""Compiles the readers in tests/readers that need it."""

import os
import subprocess

SOURCES = os.path.abspath("tests/readers")
FOLDER = os.path.abspath("target/readers")
COMMONS = "/usr/share/java/commons-compress.jar"


def build():
    os.makedirs(FOLDER, exist_ok=True)
    commands = [
        ["gcc", "-O1", "-Wall", "-o", f"{FOLDER}/read-c", f"{SOURCES}/read.c", "-lz"],
        ["javac", "-nowarn", "-cp", COMMONS, "-d", FOLDER, f"{SOURCES}/Read.java"],
        ["go", "build", "-o", f"{FOLDER}/read-go", f"{SOURCES}/read.go"],
        ["cargo", "build", "--quiet", "--release", "-p", "uadk-compress-readers"],
    ]
    # Without modules, Go doesn't access the network.
    environment = os.environ | {"GO111MODULE": "off", "GOCACHE": f"{FOLDER}/go-cache"}
    for command in commands:
        subprocess.run(command, check=True, env=environment)
