//! Members of block gzip that go to a worker together to be inflated.

use std::borrow::Cow;

use uadk_compress::{
    Block, BlockCompressor, Error as EngineError, Format, Level, SoftwareCompressor,
};

use super::member::{self, MAX_BLOCK_LEN, MAX_MEMBER_LEN, TRAILER_LEN};
use super::place::Place;
use crate::Error;

/// The most full blocks of a batch.
pub(crate) const BATCH_BLOCKS: usize = 32;
/// The most blocks of a batch, where they are short.
const MAX_BLOCKS: usize = 64;

/// Full blocks of a batch with this many threads. Each thread has a batch under way, and all of them
/// together are to keep an accelerator at a depth of some 60; but with two batches per thread in
/// memory, many threads have smaller ones.
pub(super) const fn blocks_of_batch(threads: usize) -> usize {
    match threads {
        2..=4 => BATCH_BLOCKS,
        _ => BATCH_BLOCKS / 2,
    }
}

/// Some blocks: as gzip members in `members`, and then inflated in `data`.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Uncompressed bytes, as many as `data_len`.
    data: Box<[u8]>,
    pub(super) data_len: usize,
    /// Members one behind the other, as many bytes as `members_len`.
    members: Box<[u8]>,
    pub(super) members_len: usize,
    /// Where each block is.
    pub(super) blocks: Vec<Extent>,
    /// What ended decompression; `data_len` then counts what came before.
    pub(super) error: Option<Error>,
    /// Bytes of the file before the first member.
    pub(super) file_offset: u64,
}

/// One block of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(super) member_start: usize,
    pub(super) member_len: usize,
    pub(super) header_len: usize,
    pub(super) data_start: usize,
    pub(super) data_len: usize,
}

impl Batch {
    /// An empty batch for this many full blocks.
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

    /// The uncompressed bytes.
    pub(super) fn data(&self) -> &[u8] {
        &self.data[..self.data_len]
    }

    /// Where the byte of data is that `consumed` bytes are before.
    pub(super) fn place(&self, consumed: usize) -> Place {
        let behind =
            self.blocks.partition_point(|block| block.data_start + block.data_len <= consumed);
        let (start, within) = match self.blocks.get(behind) {
            Some(block) => (block.member_start, consumed - block.data_start),
            // Empty blocks at the end of a file are no data that could be continued.
            None => (self.data_end(), 0),
        };
        Place { block: self.file_offset + start as u64, within: within as u32 }
    }

    /// Where the last block ends that has data in it.
    pub(super) fn data_end(&self) -> usize {
        self.blocks.iter().rfind(|block| block.data_len > 0).map_or(0, Extent::end)
    }

    /// Takes a member to decompress, whose header is known to be good; false if there is no room.
    pub(super) fn push_member(&mut self, member: &[u8], header_len: usize) -> bool {
        // No block is longer; one that says so fails when its turn comes.
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

    /// Makes data of the members, and stops at the first that is damaged.
    pub(super) fn decompress(&mut self, engine: &dyn BlockCompressor) {
        let Self { data, members, blocks: extents, .. } = self;
        let too_long = extents.iter().position(|extent| extent.data_len > MAX_BLOCK_LEN);
        let usable = &extents[..too_long.unwrap_or(extents.len())];
        let mut blocks = Vec::with_capacity(usable.len());
        let mut rest = &mut data[..];
        for extent in usable {
            let (dst, behind) = std::mem::take(&mut rest).split_at_mut(extent.data_len);
            rest = behind;
            blocks.push(Block::exact(extent.deflate(members), dst));
        }
        engine.decompress_batch(&mut blocks);
        let wrong = blocks.iter_mut().zip(usable).enumerate().find_map(|(i, (block, extent))| {
            check(block, extent, members).err().map(|what| (i, what))
        });
        drop(blocks);
        let wrong = wrong.or_else(|| {
            too_long.map(|i| (i, "it says that it holds more than 64 KiB of data".into()))
        });
        if let Some((i, what)) = wrong {
            let extent = self.blocks[i];
            self.data_len = extent.data_start;
            self.error = Some(Error::damaged(self.file_offset + extent.member_start as u64, what));
        }
    }
}

impl Extent {
    /// Where it ends in the batch.
    const fn end(&self) -> usize {
        self.member_start + self.member_len
    }

    /// Whether it is as short as only the end marker is.
    pub(super) const fn is_end_marker(&self) -> bool {
        self.data_len == 0 && self.member_len == member::END_MARKER.len()
    }

    fn deflate<'a>(&self, members: &'a [u8]) -> &'a [u8] {
        &members[self.member_start..][self.header_len..self.member_len - TRAILER_LEN]
    }
}

/// Whether the block is what its trailer says. What an engine got wrong, software does again: only
/// then is it the data that is damaged.
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
        Ok(_) => Err("its checksum is wrong".into()),
        Err(EngineError::WrongLength { reported, .. }) => {
            Err(format!("it holds {reported} bytes and says {len}").into())
        }
        Err(EngineError::OutputFull) => {
            Err(format!("it holds more than the {len} bytes that it says").into())
        }
        Err(_) => Err("its deflate stream is wrong".into()),
    }
}

fn software() -> Result<SoftwareCompressor, EngineError> {
    SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED)
}
