//! Links of all kinds, and entries that replace earlier ones.

use super::Case;
use crate::kit::tarball::{Header, MODE, Tarball, USER};

pub(super) fn add(cases: &mut Vec<Case>) {
    targets(cases);
    replacements(cases);
    through_links(cases);
}

fn targets(cases: &mut Vec<Case>) {
    for (what, target) in [
        ("sound", &b"before.txt"[..]),
        ("itself", b"odd"),
        ("itself-dot", b"./odd"),
        ("missing", b"nowhere"),
        ("later", b"after.txt"),
        ("empty", b""),
        ("absolute", b"/before.txt"),
        ("absolute-missing", b"/uadk-corpus/odd"),
        ("dotdot", b"../before.txt"),
        ("dotdot-inside", b"folder/../before.txt"),
        ("dot", b"."),
        ("folder", b"folder"),
        ("through-file", b"before.txt/x"),
        ("slash-behind", b"before.txt/"),
        ("not-utf8", b"\xe9\xff"),
    ] {
        for (link, kind) in [("symlink", b'2'), ("hardlink", b'1')] {
            let mut tarball = Tarball::new();
            tarball.folder(b"folder/").link(kind, b"odd", target);
            cases.push(Case::new(format!("link/{link}/{what}"), tarball.after()));
        }
    }
    let mut existing = Tarball::new();
    existing.file(b"odd", b"odd\n").link(b'1', b"odd", b"odd");
    cases.push(Case::new("link/hardlink/itself-existing", existing.after()));
    let mut existing = Tarball::new();
    existing.file(b"odd", b"odd\n").link(b'1', b"odd", b"nowhere");
    cases.push(Case::new("link/hardlink/missing-over-existing", existing.after()));
    let mut existing = Tarball::new();
    existing.file(b"odd", b"odd\n").link(b'1', b"odd", b"");
    cases.push(Case::new("link/hardlink/empty-over-existing", existing.after()));
    let mut nested = Tarball::new();
    nested.link(b'1', b"folder/odd", b"nowhere");
    cases.push(Case::new("link/hardlink/missing-in-new-folder", nested.after()));
    let mut twice = Tarball::new();
    twice.file(b"odd", b"odd\n").link(b'1', b"two", b"odd").link(b'1', b"odd", b"two");
    cases.push(Case::new("link/hardlink/back", twice.after()));
    let mut to_symlink = Tarball::new();
    to_symlink.link(b'2', b"s", b"before.txt").link(b'1', b"odd", b"s");
    cases.push(Case::new("link/hardlink/to-symlink", to_symlink.after()));
}

type Add = fn(&mut Tarball) -> &mut Tarball;

/// Entries with the name `odd`, of which one replaces another.
const KINDS: [(&str, Add); 8] = [
    ("file", |t| t.file(b"odd", b"odd\n")),
    ("folder", |t| t.folder(b"odd/")),
    ("closed-folder", |t| {
        let mut header = Header::ustar(b"odd/", b'5', 0);
        t.file(b"odd/in", b"in\n").entry(header.number(MODE, 0o700), b"")
    }),
    ("full-folder", |t| t.folder(b"odd/").file(b"odd/in", b"in\n")),
    ("symlink", |t| t.link(b'2', b"odd", b"before.txt")),
    ("symlink-to-folder", |t| t.folder(b"other/").link(b'2', b"odd", b"other")),
    ("hardlink", |t| t.link(b'1', b"odd", b"before.txt")),
    ("fifo", |t| t.link(b'6', b"odd", b"")),
];

fn replacements(cases: &mut Vec<Case>) {
    let mut late = Tarball::new();
    late.folder(b"odd/").file(b"between", b"").file(b"odd/in", b"").folder(b"odd/");
    cases.push(Case::new("replace/folder-again", late.after()));
    let bare = |name: &[u8], kind, mode: &[u8]| {
        let mut header = Header::ustar(name, kind, 0);
        header.raw(MODE.start, &[0; 48]).set(MODE, mode).raw(USER.start, &[0; 80]);
        header
    };
    let mut late = Tarball::default();
    late.data(b"re\n").entry(&bare(b"odd", b'5', b"0000755"), b"");
    late.entry(&bare(b"", 0, b""), b"").data(b"r\n").entry(&bare(b"odd/in", 0, b""), b"");
    cases.push(Case::new("replace/late-file", late.open_end()));
    for (first, add_first) in KINDS {
        for (second, add_second) in KINDS {
            let mut tarball = Tarball::new();
            add_first(&mut tarball);
            add_second(&mut tarball);
            cases.push(Case::new(format!("replace/{first}/{second}"), tarball.after()));
        }
    }
}

/// Nothing may be written through links from the archive itself.
fn through_links(cases: &mut Vec<Case>) {
    for (what, target) in [
        ("outside", &b".."[..]),
        ("absolute", b"/dev/shm"),
        ("inside", b"folder"),
        ("dangling", b"nowhere"),
        ("here", b"."),
    ] {
        let start = || {
            let mut tarball = Tarball::new();
            tarball.folder(b"folder/").link(b'2', b"s", target);
            tarball
        };
        let name = |entry: &str| format!("through/{what}/{entry}");
        cases.push(Case::new(name("file"), start().file(b"s/uadk-corpus-odd", b"odd\n").after()));
        cases.push(Case::new(name("folder"), start().folder(b"s/uadk-corpus-odd/").after()));
        cases.push(Case::new(name("hardlink"), start().link(b'1', b"odd", b"s/in").after()));
        cases.push(Case::new(name("over"), start().file(b"s", b"odd\n").after()));
        cases.push(Case::new(name("slash"), start().folder(b"s/").after()));
        let mut two = start();
        two.link(b'2', b"s/t", b"..").file(b"s/t/uadk-corpus-odd", b"odd\n");
        cases.push(Case::new(name("two"), two.after()));
    }
}
