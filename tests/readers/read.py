"""Python's standard modules."""

import gzip
import shutil
import sys
import tarfile
import zlib


def content():
    with open(path, "rb") as file:
        return file.read()


def with_gzip():
    with gzip.open(path) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)


def with_decompressobj():
    decompressor = zlib.decompressobj(31)
    sys.stdout.buffer.write(decompressor.decompress(content()) + decompressor.flush())


def with_tarfile(mode):
    with tarfile.open(path, mode) as archive:
        archive.extractall()


METHODS = {
    "gzip": with_gzip,
    "gzip.decompress": lambda: sys.stdout.buffer.write(gzip.decompress(content())),
    "zlib.decompress": lambda: sys.stdout.buffer.write(zlib.decompress(content(), 31)),
    "decompressobj": with_decompressobj,
    "r:gz": lambda: with_tarfile("r:gz"),
    "r|gz": lambda: with_tarfile("r|gz"),
    "shutil": lambda: shutil.unpack_archive(path, ".", "gztar"),
}

method, path = sys.argv[1:]
METHODS[method]()
