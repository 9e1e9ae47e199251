//! Each field of the header with each odd value.

use super::Case;
use crate::kit::odd;
use crate::kit::tarball::{CHECKSUM, FIELDS, Header, LINK, NAME, PREFIX, Tarball};

pub(super) fn add(cases: &mut Vec<Case>) {
    for field in FIELDS {
        for (what, value) in odd::values(field) {
            for (format, make) in FORMATS {
                // GNU's magic affects fields, not kinds.
                let entries = if format == "gnu" { &ENTRIES[..1] } else { &ENTRIES };
                for &(entry, kind, data) in entries {
                    let mut header = make(b"odd", kind, data.len() as u64);
                    if matches!(kind, b'1' | b'2') {
                        header.set(LINK, b"before.txt");
                    }
                    header.raw(field.start, &value);
                    let block = if field.name == CHECKSUM.name {
                        header.unsealed()
                    } else {
                        header.sealed()
                    };
                    let name = format!("header/{format}/{entry}/{}/{what}", field.name);
                    let tar = Tarball::new().raw(&block).data(data).after();
                    cases.push(Case::new(name, tar));
                }
            }
        }
    }
    first_header_is_damaged(cases);
    old_formats(cases);
    names(cases);
}

type Make = fn(&[u8], u8, u64) -> Header;

const FORMATS: [(&str, Make); 2] = [("ustar", Header::ustar), ("gnu", Header::gnu)];

const ENTRIES: [(&str, u8, &[u8]); 4] = [
    ("file", b'0', b"some contents\n"),
    ("folder", b'5', b""),
    ("hardlink", b'1', b""),
    ("symlink", b'2', b""),
];

/// Many readers identify the format by the first header.
fn first_header_is_damaged(cases: &mut Vec<Case>) {
    let file = Header::ustar(b"odd", b'0', 4);
    for (what, value) in odd::values(CHECKSUM) {
        let block = file.clone().raw(CHECKSUM.start, &value).unsealed();
        let tar = Tarball::default().raw(&block).data(b"odd\n").after();
        cases.push(Case::new(format!("header/first/chksum/{what}"), tar));
    }
    // A lost header, zeros that may be the contents of its file, and an entry that replaces an
    // earlier one.
    let mut behind = Tarball::new();
    behind.raw(&[b'g'; 512]).raw(&[0; 512]).folder(b"before.txt/");
    cases.push(Case::new("header/garbage/zeros", behind.end()));
    for (what, blocks) in [("one-block", 1), ("three-blocks", 3)] {
        let garbage: Vec<u8> = (0..blocks * 512).map(|i: u32| (i * 7 % 251) as u8).collect();
        let tar = Tarball::new().raw(&garbage).after();
        cases.push(Case::new(format!("header/garbage/{what}"), tar));
    }
}

/// Headers older than POSIX: without magic, and directories are files whose name ends in a slash.
fn old_formats(cases: &mut Vec<Case>) {
    for (what, kind, name, link) in [
        ("file", 0, &b"odd"[..], &b""[..]),
        ("folder", 0, b"odd/", b""),
        ("folder-0", b'0', b"odd/", b""),
        ("hardlink", b'1', b"odd", b"before.txt"),
        ("symlink", b'2', b"odd", b"before.txt"),
    ] {
        let mut header = Header::ustar(name, kind, 0);
        header.raw(257, &[0; 255]).set(LINK, link);
        let tar = Tarball::new().entry(&header, b"").after();
        cases.push(Case::new(format!("header/v7/{what}"), tar));
    }
    // A signed checksum, as old Suns computed it.
    let mut header = Header::ustar(b"odd-\xe9", b'0', 4).sealed();
    let sum = header.iter().map(|byte| i32::from(byte.cast_signed())).sum::<i32>()
        - header[148..156].iter().map(|byte| i32::from(*byte)).sum::<i32>()
        + 256;
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    cases.push(Case::new(
        "header/signed-checksum",
        Tarball::new().raw(&header).data(b"odd\n").after(),
    ));
}

fn names(cases: &mut Vec<Case>) {
    for (what, name) in [
        ("absolute", &b"/uadk-corpus/odd"[..]),
        ("two-slashes", b"//uadk-corpus/odd"),
        ("slash", b"/"),
        ("dot", b"."),
        ("dot-slash", b"./"),
        ("dots-inside", b"./a/./odd"),
        ("slashes-inside", b"a//odd"),
        ("dotdot", b".."),
        ("dotdot-first", b"../odd"),
        ("dotdot-inside", b"a/../odd"),
        ("dotdot-last", b"a/.."),
        ("dotdot-in-word", b"a..b/..c/d.."),
        ("absolute-dotdot", b"/../odd"),
        ("backslash", b"a\\odd"),
        ("newline", b"a\nodd"),
        ("not-utf8", b"odd-\xe9\xff"),
        ("full-length", &[b'n'; 100]),
        ("before.txt-as-folder", b"before.txt/odd"),
        ("trailing-space", b"odd "),
    ] {
        for (entry, kind, data) in ENTRIES {
            let mut header = Header::ustar(name, kind, data.len() as u64);
            if matches!(kind, b'1' | b'2') {
                header.set(LINK, b"before.txt");
            }
            let tar = Tarball::new().entry(&header, data).after();
            cases.push(Case::new(format!("name/{entry}/{what}"), tar));
        }
    }
    for (what, prefix, name) in [
        ("both", &b"prefix"[..], &b"odd"[..]),
        ("full", &[b'p'; 155], &[b'n'; 100]),
        ("slash-behind", b"prefix/", b"odd"),
        ("absolute", b"/uadk-corpus", b"odd"),
        ("dotdot", b"..", b"odd"),
        ("alone", b"prefix", b""),
        ("absolute-name", b"prefix", b"/odd"),
    ] {
        let mut header = Header::ustar(name, b'0', 4);
        header.set(NAME, name).set(PREFIX, prefix);
        let tar = Tarball::new().entry(&header, b"odd\n").after();
        cases.push(Case::new(format!("name/prefix/{what}"), tar));
    }
}
