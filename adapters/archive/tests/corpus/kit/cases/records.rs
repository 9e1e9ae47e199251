//! Records that break the syntax "LENGTH KEY=VALUE\n".

use super::Case;
use crate::kit::tarball::{Header, Tarball, record};

pub(super) fn add(cases: &mut Vec<Case>) {
    let faults: [(&str, &[u8]); 22] = [
        ("length-short", b"10 path=new\n"),
        ("length-long", b"20 path=new\n"),
        ("length-beyond", b"999 path=new\n"),
        ("length-zero", b"0 path=new\n"),
        ("length-one", b"1 path=new\n"),
        ("length-huge", b"99999999999999999999999 path=new\n"),
        ("length-negative", b"-12 path=new\n"),
        ("length-leading-zero", b"013 path=new\n"),
        ("length-leading-space", b" 13 path=new\n"),
        ("length-missing", b" path=new\n"),
        ("length-hex", b"0xc path=new\n"),
        ("no-equals", b"12 path_new\n"),
        ("no-newline", b"12 path=new "),
        ("no-space", b"12path=new1\n"),
        ("tab", b"12\tpath=new\n"),
        ("no-key", b"8 =new\n\n"),
        ("nul-key", b"13 pa\0th=new\n"),
        ("letters", b"what is this"),
        ("newlines", b"\n\n\n\n"),
        ("nuls", b"\0\0\0\0\0\0\0\0"),
        ("spaces", b"        "),
        ("number-only", b"12"),
    ];
    let sound = record(b"mtime", b"1234567890");
    for (what, fault) in faults {
        for (header, kind) in [("x", b'x'), ("g", b'g')] {
            for (position, records) in [
                ("alone", fault.to_vec()),
                ("first", [fault, &sound].concat()),
                ("last", [&sound, fault].concat()),
            ] {
                let mut tarball = Tarball::new();
                tarball.pax(kind, &records).file(b"odd", b"some contents\n");
                let name = format!("record/{header}/{position}/{what}");
                cases.push(Case::new(name, tarball.after()));
            }
        }
    }
    let path = record(b"path", b"new");
    for (what, padding) in [("nuls", 0), ("spaces", b' '), ("newlines", b'\n')] {
        let mut records = path.clone();
        records.resize(512, padding);
        let tar = Tarball::new().pax(b'x', &records).file(b"odd", b"odd\n").after();
        cases.push(Case::new(format!("record/padding/{what}"), tar));
    }
    sizes_of_the_header(cases, &path);
}

fn sizes_of_the_header(cases: &mut Vec<Case>, records: &[u8]) {
    for (what, size) in [
        ("zero", 0),
        ("one-less", records.len() as u64 - 1),
        ("one-more", records.len() as u64 + 1),
        ("a-block", 512),
        ("beyond-the-end", 1 << 20),
        ("huge", 1 << 32),
    ] {
        for kind in [b'x', b'g'] {
            let header = Header::ustar(b"PaxHeaders/x", kind, size);
            let tar = Tarball::new().entry(&header, records).file(b"odd", b"odd\n").after();
            cases.push(Case::new(format!("record/size/{}/{what}", char::from(kind)), tar));
        }
    }
}
