"""The readers: their packages, their commands, and their expected results for BGZF."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from typing import NamedTuple, Optional

from .build import COMMONS, FOLDER, SOURCES


class Package(NamedTuple):
    """A package with readers."""

    name: str
    # A program or file that exists if it is installed.
    proof: str
    # Its names in Debian and Fedora; empty for npm packages.
    apt: str
    dnf: str
    # A command that prints its version.
    version_command: tuple

    def is_installed(self):
        return shutil.which(self.proof) is not None or os.path.isfile(self.proof)

    @cache
    def version(self):
        done = subprocess.run(self.version_command, capture_output=True, text=True, check=False)
        number = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
        return number.group() if number else "?"


class Reader(NamedTuple):
    """A way to read gzip files, tar.gz files or both, and the commands for it.

    FILE is the compressed file. ENCODED and PLAIN are its URLs with and without
    `Content-Encoding: gzip`. For gzip the text is expected on stdout, for tar.gz the files in the
    current directory.
    """

    package: Package
    name: str
    gzip: Optional[list] = None
    tar: Optional[list] = None
    # The expected results for files of many members.
    many_gzip: str = "ok"
    many_tar: str = "ok"

    def title(self):
        return f"{self.package.name} {self.name}".strip()

    def expected(self, sample):
        many = {"gzip": self.many_gzip, "tar": self.many_tar}
        return many[sample.kind] if sample.layout.many else "ok"


def program(name, apt, dnf, *version_command, proof=None):
    proof = proof or version_command[0]
    return Package(name, proof, apt, dnf, version_command)


def npm(name, folder):
    path = f"{FOLDER}/node_modules/{folder}/package.json"
    return Package(name, path, "", "", ("grep", '"version"', path))


GZIP = program("gzip", "gzip", "gzip", "gzip", "--version")
PIGZ = program("pigz", "pigz", "pigz", "pigz", "--version")
BUSYBOX = program("BusyBox", "busybox", "busybox", "busybox")
GNU_TAR = program("GNU tar", "tar", "tar", "tar", "--version")
BSDTAR = program("bsdtar", "libarchive-tools", "bsdtar", "bsdtar", "--version")
SEVEN_ZIP = program("7-Zip", "p7zip-full", "p7zip-plugins", "7z")
UNAR = program("unar", "unar", "unar", "unar", "--version")
ZSTD = program("zstd", "zstd", "zstd", "zstd", "--version")
IGZIP = program("igzip", "isal", "isa-l-tools", "igzip", "--version")
LIBDEFLATE = program(
    "libdeflate-gunzip", "libdeflate-tools", "libdeflate-utils", "libdeflate-gunzip", "-V",
)  # fmt: skip
BGZIP = program("bgzip", "tabix", "htslib-tools", "bgzip", "--version")
WGET = program("wget", "wget", "wget", "wget", "--version")
CURL = program("curl", "curl", "curl", "curl", "--version")
CHROMIUM = program("Chromium", "chromium", "chromium", "chromium", "--no-sandbox", "--version")
ZLIB = program(
    "zlib", "zlib1g-dev", "zlib-devel", f"{FOLDER}/read-c", "version", proof="/usr/include/zlib.h",
)  # fmt: skip
PYTHON = program("Python", "python3", "python3", sys.executable, "--version")
PERL = program("Perl", "perl", "perl", "perl", "--version")
PHP = program("PHP", "php-cli", "php-cli", "php", "--version")
RUBY = program("Ruby", "ruby", "ruby", "ruby", "--version")
GO = program("Go", "golang-go", "golang", "go", "version")
JAVA = program("Java", "default-jdk-headless", "java-devel", "java", "--version", proof="javac")
COMMONS_COMPRESS = program(
    "Commons Compress", "libcommons-compress-java", "apache-commons-compress",
    "find", os.path.dirname(COMMONS), "-name", "commons-compress-*.jar", proof=COMMONS,
)  # fmt: skip
FLATE2 = program("Rust flate2", "cargo", "cargo", "cargo", "pkgid", "flate2")
NODE = program("Node", "nodejs", "nodejs", "node", "--version")
FFLATE = npm("fflate", "fflate")
PAKO_1, PAKO_2, PAKO_3 = npm("pako 1", "pako1"), npm("pako 2.1", "pako2"), npm("pako 3", "pako3")
NODE_TAR = npm("npm tar", "tar")


def script(*command):
    """Returns a function that returns the command of a program in tests/readers for a method."""
    return lambda method, file="FILE": [*command, method, file]


python = script(sys.executable, f"{SOURCES}/read.py")
perl = script("perl", f"{SOURCES}/read.pl")
php = script("php", f"{SOURCES}/read.php")
ruby = script("ruby", f"{SOURCES}/read.rb")
node = script("node", f"{SOURCES}/read.js")
java = script("java", "-cp", f"{FOLDER}:{COMMONS}", "Read")
go = script(f"{FOLDER}/read-go")
c = script(f"{FOLDER}/read-c")
rust = script(os.path.abspath("target/release/read"))


def shell(commands):
    return ["sh", "-c", commands, "FILE"]


# --- Results for BGZF, where it isn't read completely ------------------------

FIRST_MEMBER = "65,280 bytes, no error"
REFUSES = "refuses"
# Java reads on if more than 26 bytes are left in its 512-byte buffer after a member; newer JDKs
# always do.
CHANCE = "ok or a part, by chance, no error"

READERS = [
    Reader(GZIP, "`-d`", ["gzip", "-dc", "FILE"]),
    Reader(PIGZ, "`-d`", ["pigz", "-dc", "FILE"]),
    Reader(BGZIP, "`-d`", ["bgzip", "-dc", "FILE"]),
    Reader(ZSTD, "`-d`", ["zstd", "-qdc", "FILE"]),
    Reader(IGZIP, "`-d`", ["igzip", "-dc", "FILE"]),
    Reader(LIBDEFLATE, "", ["libdeflate-gunzip", "-c", "FILE"]),
    Reader(
        BUSYBOX, "`gunzip`, `tar`",
        ["busybox", "gunzip", "-c", "FILE"], ["busybox", "tar", "-xzf", "FILE"],
    ),
    Reader(GNU_TAR, "", None, ["tar", "-xzf", "FILE"]),
    Reader(BSDTAR, "", None, ["bsdtar", "-xf", "FILE"]),
    Reader(
        SEVEN_ZIP, "",
        ["7z", "x", "-so", "FILE"], shell('7z x -so "$0" | 7z x -si -ttar -bd -bso0'),
    ),
    Reader(
        UNAR, "", shell('unar -q -o . "$0" && cat ./*'), ["unar", "-q", "-no-directory", "FILE"],
    ),
    Reader(
        WGET, "`--compression=auto`",
        ["wget", "-qO-", "--compression=auto", "ENCODED"], many_gzip=FIRST_MEMBER,
    ),
    Reader(CURL, "`--compressed`", ["curl", "-sS", "--compressed", "ENCODED"], many_gzip=REFUSES),
    Reader(CHROMIUM, "`fetch`", ["chromium", "fetch", "ENCODED"], many_gzip=FIRST_MEMBER),
    Reader(
        CHROMIUM, "`DecompressionStream`",
        ["chromium", "DecompressionStream", "PLAIN"], many_gzip=REFUSES,
    ),
    Reader(NODE, "`zlib.gunzipSync`", node("gunzipSync")),
    Reader(NODE, "`zlib.createGunzip`", node("createGunzip")),
    Reader(NODE, "`fetch`", node("fetch", "ENCODED")),
    Reader(NODE_TAR, "", None, node("tar")),
    Reader(FFLATE, "`gunzipSync`", node("fflate"), many_gzip="0 bytes, no error"),
    Reader(PAKO_1, "`ungzip`", node("pako1"), many_gzip=FIRST_MEMBER),
    Reader(PAKO_2, "`ungzip`", node("pako2"), many_gzip=REFUSES),
    Reader(PAKO_3, "`ungzip`", node("pako3")),
    Reader(PYTHON, "`gzip`", python("gzip")),
    Reader(PYTHON, "`gzip.decompress`", python("gzip.decompress")),
    Reader(
        PYTHON, "`zlib.decompress(data, 31)`", python("zlib.decompress"), many_gzip=FIRST_MEMBER,
    ),
    Reader(PYTHON, "`zlib.decompressobj(31)`", python("decompressobj"), many_gzip=FIRST_MEMBER),
    Reader(PYTHON, "`tarfile`, mode `r:gz`", None, python("r:gz")),
    Reader(PYTHON, "`tarfile`, mode `r\\|gz`", None, python("r|gz"), many_tar=REFUSES),
    Reader(PYTHON, "`shutil.unpack_archive`", None, python("shutil")),
    Reader(RUBY, "`GzipReader#read`", ruby("GzipReader"), many_gzip=FIRST_MEMBER),
    Reader(RUBY, "`GzipReader.zcat`", ruby("zcat")),
    Reader(RUBY, "`Zlib.gunzip`", ruby("gunzip"), many_gzip=FIRST_MEMBER),
    Reader(RUBY, "`Net::HTTP`", ruby("http", "ENCODED"), many_gzip=FIRST_MEMBER),
    Reader(RUBY, "`TarReader` on `GzipReader`", None, ruby("TarReader"), many_tar=REFUSES),
    Reader(PHP, "`gzdecode`", php("gzdecode"), many_gzip=FIRST_MEMBER),
    Reader(PHP, "`gzopen`", php("gzopen")),
    Reader(PHP, "`compress.zlib://`", php("compress.zlib")),
    Reader(PHP, "filter `zlib.inflate`", php("zlib.inflate"), many_gzip=FIRST_MEMBER),
    Reader(PHP, "`PharData`", None, php("PharData"), many_tar=REFUSES),
    Reader(PERL, "`IO::Uncompress::Gunzip`", perl("gunzip"), many_gzip=FIRST_MEMBER),
    Reader(PERL, "`IO::Uncompress::Gunzip`, `MultiStream`", perl("MultiStream")),
    Reader(PERL, "`Compress::Zlib::memGunzip`", perl("memGunzip"), many_gzip=FIRST_MEMBER),
    Reader(PERL, "`Compress::Zlib::gzopen`", perl("gzopen")),
    Reader(PERL, "`Archive::Tar`", None, perl("Archive::Tar")),
    Reader(JAVA, "`GZIPInputStream`", java("GZIPInputStream")),
    Reader(
        JAVA, "`GZIPInputStream`, `available()` is 0", java("available() == 0"), many_gzip=CHANCE,
    ),
    Reader(COMMONS_COMPRESS, "", java("commons"), java("commons tar"), FIRST_MEMBER, REFUSES),
    Reader(
        COMMONS_COMPRESS, "concatenated",
        java("commons, concatenated"), java("commons tar, concatenated"),
    ),
    Reader(GO, "`gzip.Reader`, `archive/tar`", go("Reader"), go("tar")),
    Reader(GO, "`Multistream(false)`", go("Multistream(false)"), many_gzip=FIRST_MEMBER),
    Reader(GO, "`net/http`", go("http", "ENCODED")),
    Reader(
        FLATE2, "`GzDecoder`, with `tar`",
        rust("GzDecoder"), rust("tar on GzDecoder"), FIRST_MEMBER, REFUSES,
    ),
    Reader(
        FLATE2, "`MultiGzDecoder`, with `tar`",
        rust("MultiGzDecoder"), rust("tar on MultiGzDecoder"),
    ),
    Reader(ZLIB, "`inflate` until `Z_STREAM_END`", c("inflate"), many_gzip=FIRST_MEMBER),
    Reader(ZLIB, "`gzread`", c("gzread")),
]
