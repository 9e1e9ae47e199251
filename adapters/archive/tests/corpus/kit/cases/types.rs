//! Each type flag, with and without contents.

use super::Case;
use crate::kit::tarball::{Header, LINK, Tarball};

pub(super) fn add(cases: &mut Vec<Case>) {
    for kind in 0..=u8::MAX {
        for (what, data) in [("contents", &b"some contents\n"[..]), ("empty", b"")] {
            let header = Header::ustar(b"odd", kind, data.len() as u64);
            let tar = Tarball::new().entry(&header, data).after();
            cases.push(Case::new(format!("type/{what}/{kind:#04x}"), tar));
        }
    }
    for kind in b"01234567DKLMNSVXgx\0Z" {
        for (format, make) in
            [("ustar", Header::ustar as fn(&[u8], u8, u64) -> _), ("gnu", Header::gnu)]
        {
            for size in [0, 512] {
                let mut header = make(b"odd/", *kind, size);
                header.set(LINK, b"before.txt");
                let tar = Tarball::new().entry(&header, &vec![b'x'; size as usize]).after();
                let name = format!("type/slash/{format}/{}/{size}", kind.escape_ascii());
                cases.push(Case::new(name, tar));
            }
        }
    }
}
