//! Neighbours of the known odd archives: each field and record with values that it should not have.
//! The extracted files must be those of GNU tar or bsdtar, or better ones.

use std::io::{Cursor, Read};

use uadk_compress_archive::ArchiveReader;

use crate::builder::{
    DEV_MAJOR, Entry, GID, KIND, LINK, MAGIC, MODE, MTIME, NAME, PREFIX, SIZE, UID, UNAME, good,
    pax, record, tar,
};
use crate::cases::{bsdtar, extract, gnu_tar, gzipped};
use crate::common::seeded;
use crate::fuzz::{mend_checksums, mutate};

/// A field's name, its offset and length, and values.
type Field = (&'static str, (usize, usize), &'static [&'static [u8]]);

/// Returns cases for each field of a header, with values that it should not have.
fn header_cases() -> Vec<(String, Vec<Entry>)> {
    let mut cases = Vec::new();
    let fields: &[Field] = &[
        (
            "mode",
            MODE,
            &[b"", b"        ", b"77777777", b" 644 \0", b"644\0junk", b"abcdefg", b"0000888"],
        ),
        ("uid", UID, &[b"", b"        ", b"abc", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"77777777"]),
        ("gid", GID, &[b"", b"abcdefg", b"\x80\xff\xff\xff\xff\xff\xff\xff"]),
        (
            "mtime",
            MTIME,
            &[
                b"",
                b"abc",
                b"            ",
                b"777777777777",
                &[0xff; 12],
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb",
            ],
        ),
        (
            "size",
            SIZE,
            &[
                b"",
                b"            ",
                b"abc",
                b"2x",
                b"9",
                &[0xff; 12],
                b"\x80\0\0\0\0\0\0\0\0\0\0\x02",
                b"          2 ",
                b"2",
                b"\x002",
                b"-2",
                b"2 junk",
            ],
        ),
        ("major", DEV_MAJOR, &[b"abcdefg", &[0xff; 8]]),
        ("uname", UNAME, &[b"ro\0ot", b"\xff\xfe", &[b'x'; 32]]),
        ("magic", MAGIC, &[b"", b"ustar  ", b"ustar\0  ", b"xxxxx\x0000", b"ustar \x0000"]),
        ("prefix", PREFIX, &[b"pre", b"/absolute"]),
        (
            "name",
            NAME,
            &[
                b"",
                b"./a",
                b"a//b",
                b"/",
                b".",
                b"..",
                b"a/../b",
                b"x/.",
                b"a\0b",
                b"a\nb",
                &[b'n'; 100],
            ],
        ),
        ("link", LINK, &[b"where"]),
        (
            "kind",
            KIND,
            &[
                b"\0", b"7", b"L", b"K", b"V", b"X", b"A", b"D", b"S", b"E", b"I", b"8", b"a",
                b"z", b"?", b"\xff", b"M", b"N",
            ],
        ),
    ];
    for (name, field, values) in fields {
        for value in *values {
            let entry = good().with(*field, value);
            cases.push((format!("{name} {}", value.escape_ascii()), vec![entry]));
        }
    }
    for (name, checksum) in [
        ("blank behind", (|sum| format!("{sum:7o} ").into_bytes()) as fn(u32) -> Vec<u8>),
        ("nothing behind", |sum| format!("{sum:08o}").into_bytes()),
        ("NUL before", |sum| format!("\0{sum:06o} ").into_bytes()),
        ("blank", |_| b"        ".to_vec()),
        ("none", |_| vec![0; 8]),
        ("wrong", |_| b"0000001\0".to_vec()),
    ] {
        cases.push((format!("checksum {name}"), vec![good().checksum(checksum)]));
        let bad = Entry::file("bad", b"bad").checksum(checksum);
        cases.push((format!("later checksum {name}"), vec![good(), bad]));
    }
    // Sizes of kinds without contents, with and without contents that follow.
    for kind in [b'1', b'2', b'5', b'6', b'0', 0] {
        let name = if matches!(kind, b'1' | b'2' | b'6') { "l" } else { "d/" };
        let entry = |data| Entry::file(name, data).with(KIND, [kind]).with(LINK, "a.txt");
        let shown = kind.escape_ascii();
        cases
            .push((format!("size without data {shown}"), vec![good(), entry(b"").with(SIZE, "5")]));
        cases.push((format!("size with data {shown}"), vec![good(), entry(b"hello")]));
    }
    cases
}

/// Returns cases with valid and invalid extension headers.
fn extension_cases() -> Vec<(String, Vec<Entry>)> {
    let mut cases = Vec::new();
    for (key, values) in [
        (
            "mtime",
            &["", "abc", "-3", "1.", "1.5", "1.5x", " 1", "1 ", "1\0", "+5", "9223372036854775808"]
                [..],
        ),
        ("uid", &["", "x", "1.5", "4294967295", "4294967296", " 5", "-1"]),
        ("gid", &["-1", "abc"]),
        ("size", &["x", "-1", "99999999999999999999", "2", "2x", " 2"]),
        ("path", &["", "q\0z", "q/", "/q", "./q"]),
        ("linkpath", &["q"]),
        ("uname", &["ro\0ot", ""]),
        ("gname", &["", "\0"]),
        ("atime", &["x"]),
        ("ctime", &["x"]),
        ("charset", &["x"]),
        ("hdrcharset", &["x", "BINARY"]),
        ("comment", &["\0"]),
        ("", &["x"]),
        ("SCHILY.xattr.", &["x"]),
        ("GNU.sparse.major", &["x"]),
        ("GNU.sparse.map", &["0,2"]),
        ("GNU.sparse.name", &["q.txt"]),
        ("GNU.sparse.numblocks", &["x", "5"]),
        ("GNU.sparse.realsize", &["x", "2"]),
        ("GNU.sparse.size", &["2"]),
    ] {
        for value in values {
            let entries = vec![pax(&[(key, value)]), good()];
            cases.push((format!("{key}={}", value.escape_debug()), entries));
        }
    }
    for data in [
        &b"14 path=q.txt"[..],
        b"0 path=q.txt\n",
        b"99 path=q.txt\n",
        b"99999999999999999999999 path=q.txt\n",
        b"11path=q.t\n",
        b"",
        b"garbage",
        b"\0\0\0\0",
    ] {
        let entries = vec![Entry::extension(b'x', data), good()];
        cases.push((format!("records {}", data.escape_ascii()), entries));
    }
    let x = |key, value| Entry::extension(b'x', &record(key, value));
    let g = |key, value| Entry::extension(b'g', &record(key, value));
    let long = |kind, data: &[u8]| Entry::extension(kind, data);
    let link = || Entry::new(b'2', "a.txt", "x");
    for (name, entries) in [
        ("twice the same key", vec![pax(&[("path", "q1"), ("path", "q2")]), good()]),
        ("two headers", vec![x("path", "q1"), x("mtime", "5"), good()]),
        ("records without key", vec![long(b'x', b"9 pathqq\n11 mtime=5\n"), good()]),
        ("empty long name", vec![long(b'L', b""), good()]),
        ("bad size", vec![x("path", "q").with(SIZE, "zzz"), good()]),
        ("Solaris", vec![x("path", "q").with(KIND, "X"), good()]),
        ("global mtime", vec![g("mtime", "5"), good()]),
        ("global path", vec![g("path", "q"), good()]),
        ("global size", vec![g("size", "3"), good()]),
        ("global garbage", vec![long(b'g', b"garbage"), good()]),
        ("long name without NUL", vec![long(b'L', b"longname"), good()]),
        ("long name and path", vec![long(b'L', b"longname\0"), x("path", "q"), good()]),
        ("long link of a file", vec![long(b'K', b"longlink\0"), good()]),
        ("long link", vec![long(b'K', b"after.txt\0"), link()]),
        ("lost long name", vec![good(), long(b'L', b"lost\0"), good().checksum(|_| vec![0; 8])]),
        ("lost records", vec![good(), x("path", "lost"), good().checksum(|_| vec![0; 8])]),
        (
            "hard link with data",
            vec![
                good(),
                x("mtime", "5"),
                Entry::file("l", b"a\n").with(KIND, "1").with(LINK, "a.txt"),
            ],
        ),
        ("hard link to nothing", vec![Entry::new(b'1', "l", "nowhere")]),
        ("hard link out", vec![Entry::new(b'1', "l", "../x")]),
        ("hard link to a folder", vec![Entry::new(b'5', "d/", ""), Entry::new(b'1', "l", "d")]),
        ("symlink to nothing", vec![Entry::new(b'2', "l", "")]),
    ] {
        cases.push((name.into(), entries));
    }
    cases
}

fn sparse_cases() -> Vec<(String, Vec<Entry>)> {
    let data = [&[b'A'; 512][..], &[b'B'; 512]].concat();
    let one = &data[..512];
    let in_data = |map: &str, data: &[u8]| {
        let mut bytes = map.as_bytes().to_vec();
        bytes.resize(512, 0);
        bytes.extend(data);
        let keys = [
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.name", "s.bin"),
            ("GNU.sparse.realsize", "8192"),
        ];
        vec![pax(&keys), Entry::file("GNUSparseFile.0/s", &bytes)]
    };
    let in_header = |map: &str, data: &[u8]| {
        let keys = [
            ("GNU.sparse.size", "8192"),
            ("GNU.sparse.numblocks", "2"),
            ("GNU.sparse.name", "s.bin"),
            ("GNU.sparse.map", map),
        ];
        vec![pax(&keys), Entry::file("GNUSparseFile.0/s", data)]
    };
    let old = |pieces, real, data| vec![Entry::old_sparse(pieces, real, data)];
    vec![
        ("old".into(), old(&[("0", "1000"), ("10000", "1000")], "20000", &data)),
        ("old, in disorder".into(), old(&[("10000", "1000"), ("0", "1000")], "20000", &data)),
        ("old, overlapping".into(), old(&[("0", "1000"), ("400", "1000")], "20000", &data)),
        ("old, more data".into(), old(&[("0", "1000")], "20000", &data)),
        ("old, less data".into(), old(&[("0", "1000"), ("10000", "2000")], "20000", &data)),
        ("old, behind the end".into(), old(&[("0", "1000"), ("17700", "1000")], "20000", &data)),
        ("old, no pieces".into(), old(&[], "20000", b"")),
        ("old, data of no piece".into(), old(&[], "20000", one)),
        ("old, no number".into(), old(&[("xxxxxxxxxxxx", "1000")], "20000", one)),
        ("old, no size".into(), old(&[("0", "1000")], "xxx", one)),
        ("old, size 0".into(), old(&[("0", "1000")], "0", one)),
        (
            "old, size of holes".into(),
            vec![Entry::old_sparse(&[("0", "1000")], "20000", one).with(SIZE, "20000")],
        ),
        ("old, of ustar".into(), vec![Entry::file("s.bin", one).with(KIND, "S")]),
        ("1.0".into(), in_data("2\n0\n512\n4096\n512\n", &data)),
        ("1.0, in disorder".into(), in_data("2\n4096\n512\n0\n512\n", &data)),
        ("1.0, overlapping".into(), in_data("2\n0\n512\n256\n512\n", &data)),
        ("1.0, less data".into(), in_data("2\n0\n512\n4096\n1024\n", &data)),
        ("1.0, more data".into(), in_data("1\n0\n512\n", &data)),
        ("1.0, no pieces".into(), in_data("0\n", b"")),
        ("1.0, no map".into(), in_data("x\n", one)),
        ("1.0, negative".into(), in_data("1\n-1\n512\n", one)),
        ("1.0, too many".into(), in_data("99999999\n0\n512\n", one)),
        ("0.1".into(), in_header("0,512,4096,512", &data)),
        ("0.1, odd".into(), in_header("0,512,4096", &data)),
        ("0.1, comma at the end".into(), in_header("0,512,4096,512,", &data)),
        ("0.1, no number".into(), in_header("x,512", &data)),
        ("0.1, empty".into(), in_header("", b"")),
    ]
}

/// Returns cases in which an entry replaces another.
fn replacing_cases() -> Vec<(String, Vec<Entry>)> {
    let dir = |name| Entry::new(b'5', name, "");
    let file = |name| Entry::file(name, b"file");
    let link = |name, to| Entry::new(b'2', name, to);
    vec![
        ("full folder, file".into(), vec![dir("a/"), file("a/b"), file("a")]),
        ("link, folder".into(), vec![dir("r/"), link("a", "r"), dir("a/"), file("a/f")]),
        ("link, file in it".into(), vec![dir("r/"), link("a", "r"), file("a/f")]),
        ("folder twice".into(), vec![dir("a/").with(MTIME, "5"), dir("a/").with(MODE, "700")]),
        ("file, file in it".into(), vec![file("a"), file("a/b")]),
        ("folder, hard link".into(), vec![good(), dir("d/"), Entry::new(b'1', "d", "a.txt")]),
        ("folder, pipe".into(), vec![dir("d/"), Entry::new(b'6', "d", "")]),
        ("link, file".into(), vec![file("r"), link("a", "r"), Entry::file("a", b"other")]),
        (
            "hard link, file".into(),
            vec![file("r"), Entry::new(b'1', "a", "r"), Entry::file("a", b"other")],
        ),
    ]
}

/// Cases whose files differ from those of both programs, which is reported, and why that is better.
const BETTER: &[(&str, &[&str])] = &[
    (
        "a file with a wrong map is skipped: both programs write other bytes than were stored",
        &[
            "old, less data",
            "old, behind the end",
            "old, data of no piece",
            "old, no number",
            "old, no size",
            "old, size 0",
            "1.0, less data",
            "1.0, no map",
            "1.0, negative",
            "1.0, too many",
            "0.1, odd",
            "0.1, no number",
        ],
    ),
    (
        "others get no access if the mode is unknown: GNU tar sets 7777",
        &["mode abcdefg", "mode 0000888"],
    ),
    ("an unknown time becomes 1970: GNU tar uses the second before", &["mtime abc"]),
    ("a number with a suffix is not a time: both programs take 1e-05 for 1", &["mtime=1.5x"]),
    ("only the record itself is dropped, not those behind it", &["records without key"]),
    ("an empty long name is dropped: both programs drop the file", &["empty long name"]),
];

#[test]
fn neighbours_of_odd_archives_are_extracted_as_by_a_peer() {
    let cases = [header_cases(), extension_cases(), sparse_cases(), replacing_cases()].concat();
    let better: Vec<&str> = BETTER.iter().flat_map(|(_, names)| *names).copied().collect();
    let mut differing = Vec::new();
    for (name, entries) in cases {
        let file = gzipped(&tar(&entries));
        let outcome = extract(&file);
        let (gnu, bsd) = (gnu_tar(&file), bsdtar(&file));
        if outcome.files == gnu || outcome.files == bsd {
            continue;
        }
        if better.contains(&&name[..]) {
            assert!(!outcome.is_clean(), "{name}: not reported");
            let last = outcome.files.iter().any(|line| line.starts_with("after.txt "));
            assert!(last, "{name}: the file behind it is lost");
            continue;
        }
        let ours = outcome.files;
        differing.push(format!("{name}\n ours {ours:?}\n gnu {gnu:?}\n bsd {bsd:?}"));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn an_entry_behind_a_hard_link_with_contents_is_opened() {
    // The contents start with a block that is not a header, followed by one that is.
    let contents = [&[b'x'; 512][..], &Entry::file("inside", b"").bytes()].concat();
    let link = Entry::file("link", &contents).with(KIND, "1").with(LINK, "a.txt");
    let tar = tar(&[good(), link]);
    for file in [tar.clone(), gzipped(&tar)] {
        let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a tar");
        let index = archive.index().expect("a tar");
        let names: Vec<_> = index.entries().iter().map(|entry| entry.path().to_owned()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        let mut after = Vec::new();
        let mut entry = archive.open("after.txt").expect("it exists");
        entry.read_to_end(&mut after).expect("intact");
        assert_eq!(after, b"after\n");
    }
}

#[test]
fn mutated_neighbours_are_read_without_panics() {
    let mut numbers = seeded(4);
    let cases = [header_cases(), extension_cases(), sparse_cases(), replacing_cases()].concat();
    for (_, entries) in cases {
        for _ in 0..2 {
            let mut tar = mutate(&tar(&entries), &mut numbers);
            mend_checksums(&mut tar);
            let file = gzipped(&tar);
            uadk_compress_archive::fuzzing::archive(&file);
            extract(&file);
        }
    }
}
