//! Batches of block-gzip members, which a worker inflates together.

use std::borrow::Cow;

use uadk_compress::{
    Block, BlockCompressor, Error as EngineError, Format, Level, SoftwareCompressor,
};

use super::member::{self, MAX_BLOCK_LEN, MAX_MEMBER_LEN, TRAILER_LEN};
use super::place::Place;
use crate::Error;

/// The maximum number of full blocks in a batch.
pub(crate) const BATCH_BLOCKS: usize = 32;
/// The maximum number of blocks in a batch if they are short.
const MAX_BLOCKS: usize = 64;

/// Returns the number of full blocks in a batch with this many threads. With one batch in flight
/// per thread, together they keep an accelerator at a queue depth of about 60. With many threads,
/// batches are smaller, since two per thread are in memory.
pub(super) const fn blocks_of_batch(threads: usize) -> usize {
    match threads {
        2..=4 => BATCH_BLOCKS,
        _ => BATCH_BLOCKS / 2,
    }
}

/// Blocks: gzip members in `members`, then inflated into `data`.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Uncompressed data, `data_len` bytes.
    data: Box<[u8]>,
    pub(super) data_len: usize,
    /// Consecutive members, `members_len` bytes.
    members: Box<[u8]>,
    pub(super) members_len: usize,
    /// The location of each block.
    pub(super) blocks: Vec<Extent>,
    /// The error that ended decompression; `data_len` then excludes the damaged block.
    pub(super) error: Option<Error>,
    /// File offset of the first member.
    pub(super) file_offset: u64,
}

/// The location of a block in a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(super) member_start: usize,
    pub(super) member_len: usize,
    pub(super) header_len: usize,
    pub(super) data_start: usize,
    pub(super) data_len: usize,
}

impl Batch {
    /// Creates an empty batch for this many full blocks.
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            data: vec![0; blocks * MAX_BLOCK_LEN].into_boxed_slice(),
            data_len: 0,
            members: vec![0; blocks * MAX_MEMBER_LEN].into_boxed_slice(),
            members_len: 0,
            blocks: Vec::with_capacity(MAX_BLOCKS),
            error: None,
            file_offset: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.data_len = 0;
        self.members_len = 0;
        self.blocks.clear();
        self.error = None;
    }

    /// Returns the uncompressed data.
    pub(super) fn data(&self) -> &[u8] {
        &self.data[..self.data_len]
    }

    /// Returns the place of the data byte after `consumed` bytes.
    pub(super) fn place(&self, consumed: usize) -> Place {
        let after =
            self.blocks.partition_point(|block| block.data_start + block.data_len <= consumed);
        let (start, within) = match self.blocks.get(after) {
            Some(block) => (block.member_start, consumed - block.data_start),
            // Empty blocks at the end of a file hold no data to continue.
            None => (self.data_end(), 0),
        };
        Place { block: self.file_offset + start as u64, within: within as u32 }
    }

    /// Returns the end of the last block that contains data.
    pub(super) fn data_end(&self) -> usize {
        self.blocks.iter().rfind(|block| block.data_len > 0).map_or(0, Extent::end)
    }

    /// Adds a member whose header has been checked. Returns `false` if the batch is full.
    pub(super) fn push_member(&mut self, member: &[u8], header_len: usize) -> bool {
        // No block is longer; one that claims to be fails in `decompress`.
        let data_len = (member::read_trailer(member).1 as usize).min(MAX_BLOCK_LEN + 1);
        if self.blocks.len() == MAX_BLOCKS
            || self.members_len + member.len() > self.members.len()
            || self.data_len + data_len.min(MAX_BLOCK_LEN) > self.data.len()
        {
            return false;
        }
        self.members[self.members_len..][..member.len()].copy_from_slice(member);
        self.blocks.push(Extent {
            member_start: self.members_len,
            member_len: member.len(),
            header_len,
            data_start: self.data_len,
            data_len,
        });
        self.members_len += member.len();
        self.data_len += data_len.min(MAX_BLOCK_LEN);
        true
    }

    /// Inflates the members up to the first damaged one.
    pub(super) fn decompress(&mut self, engine: &dyn BlockCompressor) {
        let Self { data, members, blocks: extents, .. } = self;
        let too_long = extents.iter().position(|extent| extent.data_len > MAX_BLOCK_LEN);
        let usable = &extents[..too_long.unwrap_or(extents.len())];
        let mut blocks = Vec::with_capacity(usable.len());
        let mut rest = &mut data[..];
        for extent in usable {
            let (dst, after) = std::mem::take(&mut rest).split_at_mut(extent.data_len);
            rest = after;
            blocks.push(Block::exact(extent.deflate(members), dst));
        }
        engine.decompress_batch(&mut blocks);
        let wrong = blocks.iter_mut().zip(usable).enumerate().find_map(|(i, (block, extent))| {
            check(block, extent, members).err().map(|what| (i, what))
        });
        drop(blocks);
        let wrong = wrong.or_else(|| {
            too_long.map(|i| (i, "its trailer claims more than 64 KiB of data".into()))
        });
        if let Some((i, what)) = wrong {
            let extent = self.blocks[i];
            self.data_len = extent.data_start;
            self.error = Some(Error::damaged(self.file_offset + extent.member_start as u64, what));
        }
    }
}

impl Extent {
    /// Returns the end of the member in the batch.
    const fn end(&self) -> usize {
        self.member_start + self.member_len
    }

    /// Returns whether this is an empty block as long as the end marker.
    pub(super) const fn is_end_marker(&self) -> bool {
        self.data_len == 0 && self.member_len == member::END_MARKER.len()
    }

    fn deflate<'a>(&self, members: &'a [u8]) -> &'a [u8] {
        &members[self.member_start..][self.header_len..self.member_len - TRAILER_LEN]
    }
}

/// Checks the block against its trailer. If an engine failed or returned wrong data, software
/// retries: the data is damaged only if that fails too.
fn check(block: &mut Block<'_>, extent: &Extent, members: &[u8]) -> Result<(), Cow<'static, str>> {
    let (crc, len) = member::read_trailer(&members[extent.member_start..][..extent.member_len]);
    let is_good =
        |block: &Block<'_>| block.output().is_ok_and(|data| libdeflater::crc32(data) == crc);
    if is_good(block) {
        return Ok(());
    }
    block.run(|deflate, data| software()?.decompress(deflate, data));
    match block.result() {
        Ok(_) if is_good(block) => Ok(()),
        Ok(_) => Err("checksum mismatch".into()),
        Err(EngineError::WrongLength { reported, .. }) => {
            Err(format!("length mismatch: {reported} bytes, expected {len}").into())
        }
        Err(EngineError::OutputFull) => {
            Err(format!("length mismatch: more than the expected {len} bytes").into())
        }
        Err(_) => Err("invalid deflate stream".into()),
    }
}

fn software() -> Result<SoftwareCompressor, EngineError> {
    SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED)
}
