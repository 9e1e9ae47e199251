//! Pages as zstd frames of their own: compressed independently, read as one stream.

/// A zstd frame's magic number (RFC 8878, 3.1.1).
const MAGIC: u32 = 0xfd2f_b528;
/// The descriptor of a frame that is a single segment and states its content size in 2 bytes (RFC
/// 8878, 3.1.1.1.1).
const DESCRIPTOR: u8 = 0x60;
/// What is subtracted from a content size of 2 bytes.
const SIZE_BASE: usize = 256;
/// The flag of a frame's last block. With it alone, the block is stored.
const LAST: u32 = 1;
/// The bits of a block's header below its length.
const BLOCK_FLAGS: u32 = 3;

/// The length of a stored page's header: magic number, descriptor, content size, block header.
pub(crate) const STORED_HEADER_LEN: usize = 4 + 1 + 2 + 3;

/// Returns the header of the frame of an incompressible page: the page follows as one stored block.
pub(crate) fn stored_header(page_size: usize) -> [u8; STORED_HEADER_LEN] {
    // Page sizes have been checked: they are at least 4 KiB and at most 64 KiB.
    let size = (page_size - SIZE_BASE) as u16;
    let block = (page_size as u32) << BLOCK_FLAGS | LAST;
    let mut header = [0; STORED_HEADER_LEN];
    header[..4].copy_from_slice(&MAGIC.to_le_bytes());
    header[4] = DESCRIPTOR;
    header[5..7].copy_from_slice(&size.to_le_bytes());
    header[7..].copy_from_slice(&block.to_le_bytes()[..3]);
    header
}

#[cfg(test)]
mod tests {
    use super::stored_header;

    #[test]
    fn libzstd_reads_stored_pages_of_every_size() {
        for page_size in (12..=16).map(|shift| 1 << shift) {
            let page: Vec<u8> = (0..page_size).map(|i| (i % 251) as u8).collect();
            let frame = [&stored_header(page_size)[..], &page].concat();
            assert_eq!(zstd_safe::find_frame_compressed_size(&frame), Ok(frame.len()));
            let mut restored = vec![0; page_size];
            assert_eq!(zstd_safe::decompress(&mut restored[..], &frame), Ok(page_size));
            assert!(restored == page, "{page_size}");
        }
    }
}
