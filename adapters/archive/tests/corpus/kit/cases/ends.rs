//! Ends of archives, and data behind them.

use super::Case;
use crate::kit::tarball::{BLOCK, Header, Tarball, record};

pub(super) fn add(cases: &mut Vec<Case>) {
    let whole = Tarball::new().file(b"odd", b"some contents\n").open_end();
    let zeros = |blocks: usize| vec![0; blocks * BLOCK];
    let second = Tarball::default().file(b"second", b"second\n").after();
    let mut add = |name: &str, tar: Vec<u8>| cases.push(Case::new(format!("end/{name}"), tar));
    for blocks in [0, 1, 2, 3, 20, 200] {
        add(&format!("zeros/{blocks}"), [&whole[..], &zeros(blocks)].concat());
    }
    for (what, behind) in [
        ("garbage", vec![b'g'; 700]),
        ("garbage-block", vec![b'g'; 512]),
        ("short-garbage", b"junk".to_vec()),
        ("half-block-of-zeros", vec![0; 200]),
        ("archive", second.clone()),
    ] {
        for blocks in [0, 1, 2, 4] {
            add(&format!("{what}-behind/{blocks}"), [&whole[..], &zeros(blocks), &behind].concat());
        }
    }
    for (what, cut) in [
        ("header", 700),
        ("contents", 512 + 512 + 512 + 5),
        ("padding", 512 * 3 + 20),
        ("first", 100),
    ] {
        add(&format!("cut/{what}"), whole[..cut].to_vec());
    }
    add("empty", Vec::new());
    add("zeros-only", zeros(2));
    add("one-zero-block-only", zeros(1));
    add("zeros-before", [&zeros(1)[..], &second].concat());
    add("concatenated", [&second[..], &whole, &zeros(2)].concat());
    add("concatenated-thrice", second.repeat(3));
    let x = Tarball::new().pax(b'x', &record(b"path", b"new")).open_end();
    add("cut/behind-x", x.clone());
    add("cut/in-x", x[..x.len() - 300].to_vec());
    add("cut/in-name", {
        let long = Tarball::new().long(b'L', &[b'n'; 300]).open_end();
        long[..long.len() - 300].to_vec()
    });
    for (what, size) in [("much", 1 << 30), ("huge", (1 << 33) - 1), ("a-block", 1024)] {
        let header = Header::ustar(b"odd", b'0', size).sealed();
        add(&format!("too-long/{what}"), Tarball::new().raw(&header).data(b"odd\n").open_end());
    }
}
