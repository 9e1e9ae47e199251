//! Finds the end of a member by inflating it.

use libdeflater::Crc;
use zlib_rs::{Inflate, InflateFlush, Status};

use super::member::{self, TRAILER_LEN};

/// Bytes inflated at a time, then discarded.
const PIECE_LEN: usize = 32 << 10;

/// The condition of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Soundness {
    /// It has this many bytes, and its data matches its trailer.
    Whole(usize),
    /// More bytes are needed to decide.
    Unfinished,
    Damaged,
}

/// Examines the member at the beginning of `bytes` by inflating it; discards the data.
pub(super) fn examine(bytes: &[u8], header_len: usize) -> Soundness {
    let mut inflate = Inflate::new(false, 15);
    let mut crc = Crc::new();
    let mut piece = vec![0; PIECE_LEN];
    loop {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let rest = &bytes[header_len + read as usize..];
        let Ok(status) = inflate.decompress(rest, &mut piece, InflateFlush::NoFlush) else {
            return Soundness::Damaged;
        };
        let made = (inflate.total_out() - written) as usize;
        crc.update(&piece[..made]);
        if status == Status::StreamEnd {
            let end = header_len + inflate.total_in() as usize + TRAILER_LEN;
            let Some(member) = bytes.get(..end) else { return Soundness::Unfinished };
            let is_right = member::read_trailer(member) == (crc.sum(), inflate.total_out() as u32);
            return if is_right { Soundness::Whole(end) } else { Soundness::Damaged };
        }
        if made == 0 && inflate.total_in() == read {
            return Soundness::Unfinished;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gzip::member::END_MARKER;

    #[test]
    fn a_member_is_whole_at_its_end_and_not_before() {
        let file = [&END_MARKER[..], b"trailing"].concat();
        for len in 18..file.len() {
            let expected = if len < 28 { Soundness::Unfinished } else { Soundness::Whole(28) };
            assert_eq!(examine(&file[..len], 18), expected, "{len}");
        }
        for (at, byte) in [(18, 7), (20, 1), (24, 1)] {
            let mut file = END_MARKER;
            file[at] = byte;
            assert_eq!(examine(&file, 18), Soundness::Damaged, "{at}");
        }
    }
}
