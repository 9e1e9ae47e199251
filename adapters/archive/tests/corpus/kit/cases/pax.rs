//! Each key of an extended header with each odd value.

use super::Case;
use crate::kit::tarball::{Header, LINK, Tarball, record};

const KEYS: [&[u8]; 33] = [
    b"path",
    b"linkpath",
    b"size",
    b"uid",
    b"gid",
    b"uname",
    b"gname",
    b"mtime",
    b"atime",
    b"ctime",
    b"comment",
    b"hdrcharset",
    b"charset",
    b"SCHILY.xattr.user.x",
    b"SCHILY.xattr.",
    b"SCHILY.acl.access",
    b"SCHILY.acl.default",
    b"SCHILY.dev",
    b"SCHILY.fflags",
    b"SCHILY.realsize",
    b"RHT.security.selinux",
    b"LIBARCHIVE.creationtime",
    b"LIBARCHIVE.xattr.user.x",
    b"LIBARCHIVE.symlinktype",
    b"GNU.sparse.major",
    b"GNU.sparse.minor",
    b"GNU.sparse.name",
    b"GNU.sparse.realsize",
    b"GNU.sparse.size",
    b"GNU.sparse.numblocks",
    b"GNU.sparse.offset",
    b"GNU.sparse.map",
    b"unknown.key",
];

const VALUES: [(&str, &[u8]); 22] = [
    ("empty", b""),
    ("zero", b"0"),
    ("number", b"14"),
    ("minus-one", b"-1"),
    ("minus-fraction", b"-1.5"),
    ("exponent", b"1e-05"),
    ("point-first", b".5"),
    ("point-last", b"5."),
    ("fraction", b"1234567890.123456789"),
    ("long-fraction", b"1234567890.1234567891234567"),
    ("plus", b"+5"),
    ("huge", b"99999999999999999999999"),
    ("i64-max", b"9223372036854775807"),
    ("u64-max", b"18446744073709551615"),
    ("nul-inside", b"1\x002"),
    ("nul-behind", b"14\0\0"),
    ("leading-spaces", b"  14"),
    ("trailing-spaces", b"14  "),
    ("non-digit", b"xyz"),
    ("hexadecimal", b"0x10"),
    ("not-utf8", b"\xff\xe9"),
    ("dotdot", b"../odd"),
];

pub(super) fn add(cases: &mut Vec<Case>) {
    for key in KEYS {
        let shown = String::from_utf8_lossy(key);
        for (what, value) in VALUES {
            let records = record(key, value);
            for (header, kind) in [("x", b'x'), ("g", b'g')] {
                let tar = with_records(kind, &records, b'0');
                cases.push(Case::new(format!("pax/{header}/file/{shown}/{what}"), tar));
            }
            if matches!(key, b"path" | b"linkpath" | b"size" | b"mtime") {
                for (entry, typeflag) in [("folder", b'5'), ("hardlink", b'1'), ("symlink", b'2')] {
                    let tar = with_records(b'x', &records, typeflag);
                    cases.push(Case::new(format!("pax/x/{entry}/{shown}/{what}"), tar));
                }
            }
        }
    }
    pairs(cases);
}

fn with_records(kind: u8, records: &[u8], typeflag: u8) -> Vec<u8> {
    let data: &[u8] = if typeflag == b'0' { b"some contents\n" } else { b"" };
    let mut header = Header::ustar(b"odd", typeflag, data.len() as u64);
    if matches!(typeflag, b'1' | b'2') {
        header.set(LINK, b"before.txt");
    }
    Tarball::new().pax(kind, records).entry(&header, data).after()
}

/// Records about the same attribute, records that affect others, and several headers.
fn pairs(cases: &mut Vec<Case>) {
    let two = |a: (&[u8], &[u8]), b: (&[u8], &[u8])| [record(a.0, a.1), record(b.0, b.1)].concat();
    for (what, records) in [
        ("path-twice", two((b"path", b"one"), (b"path", b"two"))),
        ("path-then-empty", two((b"path", b"one"), (b"path", b""))),
        ("size-twice", two((b"size", b"3"), (b"size", b"14"))),
        ("size-bad-then-good", two((b"size", b"x"), (b"size", b"14"))),
        ("size-good-then-bad", two((b"size", b"14"), (b"size", b"x"))),
        ("mtime-bad-then-good", two((b"mtime", b"x"), (b"mtime", b"1234567890"))),
        ("mtime-good-then-bad", two((b"mtime", b"1234567890"), (b"mtime", b"x"))),
        ("binary-path", two((b"hdrcharset", b"BINARY"), (b"path", b"odd-\xe9"))),
        ("path-long", record(b"path", &[&b"d/"[..]; 300].concat().repeat(2))),
        ("path-component-long", record(b"path", &[b'n'; 300])),
        ("path-absolute", record(b"path", b"/uadk-corpus/odd")),
        ("path-slash", record(b"path", b"odd/")),
    ] {
        cases.push(Case::new(format!("pax/pair/{what}"), with_records(b'x', &records, b'0')));
    }
    let mut twice = Tarball::new();
    twice.pax(b'x', &record(b"path", b"one")).pax(b'x', &record(b"mtime", b"1234567890"));
    cases.push(Case::new("pax/pair/two-headers", twice.file(b"odd", b"odd\n").after()));
    let mut old = Tarball::new();
    old.pax(b'X', &record(b"path", b"one")).file(b"odd", b"odd\n");
    cases.push(Case::new("pax/pair/sun", old.after()));
}
