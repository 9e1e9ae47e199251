//! Global extended headers at any position.

use super::Case;
use crate::kit::tarball::{Tarball, record};

pub(super) fn add(cases: &mut Vec<Case>) {
    let comment = record(b"comment", b"0123456789");
    let mtime = record(b"mtime", b"1234567890");
    let path = record(b"path", b"global");
    for (what, records) in
        [("comment", &comment), ("mtime", &mtime), ("path", &path), ("empty", &Vec::new())]
    {
        let g = |tarball: &mut Tarball| {
            tarball.pax(b'g', records);
        };
        let mut add = |position: &str, tar: Vec<u8>| {
            cases.push(Case::new(format!("global/{what}/{position}"), tar));
        };
        let mut only = Tarball::default();
        g(&mut only);
        add("only", only.clone().end());
        add("only-without-end", only.clone().open_end());
        add("first", only.file(b"odd", b"odd\n").after());
        let mut last = Tarball::new();
        g(&mut last);
        add("last", last.clone().end());
        g(&mut last);
        add("last-twice", last.end());
        let mut between = Tarball::new();
        between.file(b"odd", b"odd\n");
        g(&mut between);
        add("between", between.after());
        let mut behind_x = Tarball::new();
        behind_x.pax(b'x', &record(b"path", b"new"));
        g(&mut behind_x);
        add("between-x-and-entry", behind_x.file(b"odd", b"odd\n").after());
        let mut before_x = Tarball::new();
        g(&mut before_x);
        before_x.pax(b'x', &record(b"path", b"new"));
        add("before-x", before_x.file(b"odd", b"odd\n").after());
        let mut behind_long = Tarball::new();
        behind_long.long(b'L', b"new\0");
        g(&mut behind_long);
        add("between-long-and-entry", behind_long.file(b"odd", b"odd\n").after());
    }
    let mut changed = Tarball::new();
    changed.pax(b'g', &record(b"mtime", b"1234567890")).file(b"one", b"1");
    changed.pax(b'g', &record(b"mtime", b"1111111111")).file(b"two", b"2");
    changed.pax(b'g', &record(b"mtime", b"")).file(b"three", b"3");
    cases.push(Case::new("global/changed", changed.after()));
    let mut twice = Tarball::new();
    twice.pax(b'g', &[record(b"mtime", b"1234567890"), record(b"mtime", b"1111111111")].concat());
    cases.push(Case::new("global/twice", twice.file(b"odd", b"odd\n").after()));
    for (what, mut tarball) in [("x", Tarball::new()), ("X", Tarball::new())] {
        let tar = tarball.pax(what.as_bytes()[0], &record(b"path", b"new")).end();
        cases.push(Case::new(format!("global/{what}-last"), tar));
    }
}
