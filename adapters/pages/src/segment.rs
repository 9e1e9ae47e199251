//! Pages as segments of a deflate stream: compressed independently, inflated as one stream.

use std::cell::RefCell;
use std::io::IoSlice;

use block_deflate::{Encoder, Mode};
use uadk_compress::{BlockCompressor, Error, Format};

/// The header of a zlib stream of segments: deflate with a window of 32 KiB, fastest level.
pub(crate) const STREAM_HEADER: [u8; 2] = [0x78, 0x01];
/// An empty stored block, which ends a segment at a byte boundary.
const END: [u8; 5] = [0, 0, 0, 0xff, 0xff];
/// Bytes per stored block of an incompressible page: less than the 65535 that deflate allows,
/// and a divisor of every page size.
const STORED: usize = 4096;
/// The header of such a block.
const STORED_HEADER: [u8; 5] = {
    let len = (STORED as u16).to_le_bytes();
    [0, len[0], len[1], !len[0], !len[1]]
};

/// Compresses blocks to segments of raw deflate. They are not final and end in an empty stored
/// block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentCompressor;

thread_local! {
    static ENCODER: RefCell<Encoder> = RefCell::new(Encoder::new(Mode::Default));
}

/// Calls `work` with the thread's encoder, or with a temporary one if the thread is exiting and its
/// encoder is already gone.
fn with_encoder<R>(mut work: impl FnMut(&mut Encoder) -> R) -> R {
    ENCODER
        .try_with(|encoder| work(&mut encoder.borrow_mut()))
        .unwrap_or_else(|_| work(&mut Encoder::new(Mode::Default)))
}

impl BlockCompressor for SegmentCompressor {
    fn format(&self) -> Format {
        Format::Custom("deflate segment")
    }

    fn max_compressed_len(&self, len: usize) -> usize {
        Encoder::segment_bound(len)
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        with_encoder(|encoder| encoder.compress_segment(src, dst).map_err(|_| Error::OutputFull))
    }

    fn decompress(&self, _src: &[u8], _dst: &mut [u8]) -> Result<usize, Error> {
        Err(Error::Unsupported("segments can only be decompressed as one stream".into()))
    }
}

/// Returns the segment of an incompressible page: stored blocks around the page itself.
pub(crate) fn stored(page: &[u8]) -> impl Iterator<Item = IoSlice<'_>> {
    let blocks = page.chunks_exact(STORED);
    blocks
        .flat_map(|block| [IoSlice::new(&STORED_HEADER), IoSlice::new(block)])
        .chain(std::iter::once(IoSlice::new(&END)))
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;
    use std::sync::mpsc;

    use flate2::{Decompress, FlushDecompress, Status};
    use rand::{RngCore, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn segments_behind_one_header_are_a_zlib_stream() {
        let text = b"a page of text, and more of it. ".repeat(128);
        let mut noise = vec![0; 4096];
        Pcg64Mcg::seed_from_u64(1).fill_bytes(&mut noise);
        let mut stream = STREAM_HEADER.to_vec();
        let mut segment = vec![0; 4095];
        for _ in 0..3 {
            let len = SegmentCompressor.compress(&text, &mut segment).expect("it gets smaller");
            assert_eq!(segment[len - 4..len], END[1..]);
            stream.extend_from_slice(&segment[..len]);
            stored(&noise).for_each(|slice| stream.extend_from_slice(&slice));
        }
        let mut inflate = Decompress::new(true);
        let mut out = vec![0; 6 * 4096 + 1];
        let status = inflate.decompress(&stream, &mut out, FlushDecompress::Sync);
        assert_eq!(status.ok(), Some(Status::Ok));
        assert_eq!((inflate.total_in(), inflate.total_out()), (stream.len() as u64, 6 * 4096));
        for pages in out[..6 * 4096].chunks_exact(8192) {
            assert_eq!((&pages[..4096], &pages[4096..]), (&text[..], &noise[..]));
        }
    }

    #[test]
    fn a_segment_that_does_not_fit_is_an_error() {
        for len in 0..40 {
            let result = SegmentCompressor.compress(&[7; 4096], &mut vec![0; len]);
            assert!(result.is_ok() || result == Err(Error::OutputFull), "{len}");
        }
    }

    #[test]
    fn a_thread_that_is_torn_down_can_still_compress() {
        struct Last(mpsc::Sender<Result<usize, Error>>);
        impl Drop for Last {
            fn drop(&mut self) {
                let result = SegmentCompressor.compress(&[7; 4096], &mut [0; 100]);
                let _ = self.0.send(result);
            }
        }
        thread_local!(static LAST: OnceCell<Last> = const { OnceCell::new() });
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            // Destructors run in the reverse order of the first uses.
            LAST.with(|last| last.set(Last(sender)).map_err(|_| ())).expect("the first");
            SegmentCompressor.compress(&[7; 4096], &mut [0; 100])
        });
        let before = thread.join().expect("no panic");
        assert!(before.is_ok());
        assert_eq!(receiver.recv().expect("dropped"), before);
    }
}
