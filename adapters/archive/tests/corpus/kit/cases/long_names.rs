//! GNU's long names and link targets, with odd sizes and at odd positions.

use super::Case;
use crate::kit::tarball::{Header, Tarball};

pub(super) fn add(cases: &mut Vec<Case>) {
    let long = [&b"folder/"[..]; 30].concat();
    let ending = |end: &[u8]| [&long, &b"odd"[..], end].concat();
    let names: [(&str, Vec<u8>); 13] = [
        ("sound", ending(b"\0")),
        ("no-nul", ending(b"")),
        ("nuls", ending(b"\0\0\0\0")),
        ("nul-inside", ending(b"\0more\0")),
        ("slash-behind", ending(b"/\0")),
        ("newline", ending(b"\n\0")),
        ("empty", b"".to_vec()),
        ("one-nul", b"\0".to_vec()),
        ("short", b"new\0".to_vec()),
        ("absolute", b"/uadk-corpus/odd\0".to_vec()),
        ("dotdot", b"../new\0".to_vec()),
        ("a-block", [[b'n'; 200].repeat(2), vec![b'/'; 112]].concat()),
        ("deep", [&[b'd'; 200][..], b"/"].concat().repeat(23)),
    ];
    for (what, name) in &names {
        let tar = Tarball::new().long(b'L', name).file(b"odd", b"odd\n").after();
        cases.push(Case::new(format!("long/L/{what}"), tar));
        for (link, kind) in [("symlink", b'2'), ("hardlink", b'1')] {
            let tar = Tarball::new().long(b'K', name).link(kind, b"odd", b"before.txt").after();
            cases.push(Case::new(format!("long/K/{link}/{what}"), tar));
        }
    }
    for (what, size) in [("zero", 0), ("one", 1), ("two", 2), ("more", 600), ("huge", 1 << 30)] {
        for kind in [b'L', b'K'] {
            let header = Header::gnu(b"././@LongLink", kind, size);
            let tar = Tarball::new().entry(&header, b"new\0").file(b"odd", b"odd\n").after();
            cases.push(Case::new(format!("long/size/{}/{what}", char::from(kind)), tar));
        }
    }
    // Only GNU tar recognises an archive that starts with such a number.
    let mut first = Tarball::default();
    first.entry(Header::ustar(b"first", b'0', 0).raw(108, b"0001 50"), b"");
    first.entry(&Header::gnu(b"././@LongLink", b'L', 1), b"new\0").file(b"odd", b"odd\n");
    cases.push(Case::new("long/size/L/one-after-odd-number", first.after()));
    let mut twice = Tarball::new();
    twice.long(b'L', b"one\0").long(b'L', b"two\0").file(b"odd", b"odd\n");
    cases.push(Case::new("long/L-twice", twice.after()));
    let mut both = Tarball::new();
    both.long(b'K', b"before.txt\0").long(b'L', b"new\0").link(b'2', b"odd", b"x");
    cases.push(Case::new("long/K-and-L", both.after()));
    let mut with_pax = Tarball::new();
    with_pax.long(b'L', b"long\0");
    with_pax.pax(b'x', &crate::kit::tarball::record(b"path", b"pax")).file(b"odd", b"odd\n");
    cases.push(Case::new("long/L-then-x", with_pax.after()));
    let mut with_pax = Tarball::new();
    with_pax.pax(b'x', &crate::kit::tarball::record(b"path", b"pax"));
    with_pax.long(b'L', b"long\0").file(b"odd", b"odd\n");
    cases.push(Case::new("long/x-then-L", with_pax.after()));
    for kind in [b'L', b'K'] {
        let tar = Tarball::new().long(kind, b"new\0").end();
        cases.push(Case::new(format!("long/{}-last", char::from(kind)), tar));
        let tar = Tarball::new().long(kind, b"new\0").folder(b"odd/").after();
        cases.push(Case::new(format!("long/{}-folder", char::from(kind)), tar));
    }
}
