//! Chunks of data, which a worker compresses.

use uadk_compress::{
    Block, BlockCompressor, Error as EngineError, Format, Level, SoftwareCompressor,
};

use super::member::{self, BLOCK_LEN, HEADER_LEN, MAX_MEMBER_LEN, TRAILER_LEN};
use super::segment::{self, SEGMENT_LEN, SegmentEncoder};

/// The maximum number of segments in a chunk.
const SEGMENTS: usize = 2;
/// The maximum number of full blocks in a chunk of block gzip.
const MAX_BLOCKS: usize = 32;

/// Data, and its compressed form in the file.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Uncompressed data, `data_len` bytes.
    data: Box<[u8]>,
    pub(super) data_len: usize,
    /// Whether it holds all data of a member: one segment that nothing follows.
    pub(super) is_whole: bool,
    /// Bytes for the file, `output_len` of them.
    output: Box<[u8]>,
    output_len: usize,
    /// The pieces of the output, set by compression.
    pub(super) pieces: Vec<Piece>,
}

/// A member of block gzip, or a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) output_start: usize,
    pub(super) output_len: usize,
    pub(super) data_start: usize,
    pub(super) data_len: usize,
    /// CRC-32 of the data.
    pub(super) crc: u32,
}

impl Chunk {
    /// Creates an empty chunk of block gzip. With one chunk in flight per thread, together they
    /// keep an accelerator at a queue depth of about 60. With many threads, chunks are smaller,
    /// since two per thread are in memory.
    pub(super) fn for_blocks(threads: usize) -> Self {
        let blocks = if matches!(threads, 2..=4) { MAX_BLOCKS } else { MAX_BLOCKS / 2 };
        Self::new(blocks * BLOCK_LEN, blocks * MAX_MEMBER_LEN)
    }

    /// Creates an empty chunk of segments, which are compressed two at a time.
    pub(super) fn for_segments() -> Self {
        Self::new(SEGMENTS * SEGMENT_LEN, SEGMENTS * segment::MAX_LEN)
    }

    fn new(data_len: usize, output_len: usize) -> Self {
        Self {
            data: vec![0; data_len].into_boxed_slice(),
            data_len: 0,
            is_whole: false,
            output: vec![0; output_len].into_boxed_slice(),
            output_len: 0,
            pieces: Vec::with_capacity(MAX_BLOCKS),
        }
    }

    pub(super) fn clear(&mut self) {
        self.data_len = 0;
        self.is_whole = false;
        self.output_len = 0;
        self.pieces.clear();
    }

    /// Returns the bytes for the file.
    pub(super) fn output(&self) -> &[u8] {
        &self.output[..self.output_len]
    }

    /// Returns the free space for data; empty if the chunk is full.
    pub(super) fn free(&mut self) -> &mut [u8] {
        &mut self.data[self.data_len..]
    }

    /// Compresses the data into segments, or into a whole stream if it is all data of a member.
    pub(super) fn compress_segments(&mut self, encoder: &mut SegmentEncoder) {
        let data = &self.data[..self.data_len];
        let lens = if self.is_whole {
            [encoder.compress_whole(data, &mut self.output), 0]
        } else {
            encoder.compress(data, &mut self.output)
        };
        self.pieces.clear();
        self.output_len = 0;
        for (i, (src, len)) in data.chunks(SEGMENT_LEN).zip(lens).enumerate() {
            let slot = i * segment::MAX_LEN;
            self.output.copy_within(slot..slot + len, self.output_len);
            self.pieces.push(Piece {
                output_start: self.output_len,
                output_len: len,
                data_start: i * SEGMENT_LEN,
                data_len: src.len(),
                crc: libdeflater::crc32(src),
            });
            self.output_len += len;
        }
    }

    /// Compresses the data into members of block gzip.
    pub(super) fn compress_blocks(&mut self, engine: &dyn BlockCompressor) {
        let data = &self.data[..self.data_len];
        let mut blocks: Vec<Block<'_>> = data
            .chunks(BLOCK_LEN)
            .zip(self.output.chunks_mut(MAX_MEMBER_LEN))
            .map(|(src, slot)| Block::new(src, &mut slot[HEADER_LEN..MAX_MEMBER_LEN - TRAILER_LEN]))
            .collect();
        engine.compress_batch(&mut blocks);
        let lens: [usize; MAX_BLOCKS] =
            std::array::from_fn(|i| blocks.get_mut(i).map_or(0, settle));
        drop(blocks);
        self.pieces.clear();
        self.output_len = 0;
        for (i, src) in data.chunks(BLOCK_LEN).enumerate() {
            let (slot, deflate_len) = (i * MAX_MEMBER_LEN, lens[i]);
            let len = HEADER_LEN + deflate_len + TRAILER_LEN;
            let crc = libdeflater::crc32(src);
            let trailer = member::trailer(crc, src.len() as u64);
            self.output[slot..][..HEADER_LEN].copy_from_slice(&member::block_header(len));
            self.output[slot + len - TRAILER_LEN..slot + len].copy_from_slice(&trailer);
            self.output.copy_within(slot..slot + len, self.output_len);
            self.pieces.push(Piece {
                output_start: self.output_len,
                output_len: len,
                data_start: i * BLOCK_LEN,
                data_len: src.len(),
                crc,
            });
            self.output_len += len;
        }
    }
}

/// Returns the length of a block's deflate stream. If the engine failed, software takes over.
fn settle(block: &mut Block<'_>) -> usize {
    // No deflate stream is empty.
    let stream_len = |block: &Block<'_>| block.result().ok().filter(|len| *len > 0);
    let len = stream_len(block).or_else(|| {
        if block.result() != Err(EngineError::OutputFull) {
            let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
            block.run(|data, deflate| software?.compress(data, deflate));
        }
        stream_len(block)
    });
    len.unwrap_or_else(|| {
        let (data, deflate) = block.parts();
        // It fits: our blocks are shorter than the limit of a stored block.
        deflate[0] = 1;
        segment::store(data, &mut deflate[1..]) + 1
    })
}
