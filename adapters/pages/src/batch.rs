//! Batches of pages. Each page is zero, raw or compressed.

use std::io::IoSlice;
use std::sync::Arc;

use uadk_compress::BlockCompressor;

use crate::codec::PageCodec;
use crate::error::{Error, PageFault};
use crate::memory::GuestRam;
use crate::stage::Stage;

/// Returns an error unless `page_size` is a power of two from 4096 to 65536.
pub(crate) fn check_page_size(page_size: usize) -> Result<(), Error> {
    let valid = page_size.is_power_of_two() && (4 << 10..=64 << 10).contains(&page_size);
    if valid { Ok(()) } else { Err(Error::PageSize(page_size)) }
}

/// A page as it is sent or stored.
///
/// ```
/// use uadk_compress_pages::Page;
///
/// fn stored_len(page: Page<'_>) -> usize {
///     match page {
///         Page::Zero => 0,
///         Page::Raw(bytes) | Page::Compressed(bytes) => bytes.len(),
///     }
/// }
///
/// let pages = [Page::Zero, Page::Raw(&[7; 4096]), Page::Compressed(&[7; 20])];
/// assert_eq!(pages.map(stored_len), [0, 4096, 20]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// All zeros: nothing to send or store.
    Zero,
    /// Uncompressed: compression does not make the page smaller.
    Raw(&'a [u8]),
    /// Compressed in the format of the channel's compressor; shorter than a page.
    Compressed(&'a [u8]),
}

/// Whether zero pages have to be written.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress::Compressor;
/// use uadk_compress_pages::{Channel, GuestRam, Page, ZeroPages};
///
/// let memory = [const { AtomicU64::new(7) }; 512];
/// let ram = GuestRam::from_words(&memory);
/// let mut channel = Channel::new(Arc::new(Compressor::builder().build()?), 4096, 1)?;
/// channel.decompress(&ram, [(0, Page::Zero)].into_iter(), ZeroPages::Fresh)?;
/// assert!(!ram.is_zero(0, 4096)?, "the page is skipped");
/// channel.decompress(&ram, [(0, Page::Zero)].into_iter(), ZeroPages::Write)?;
/// assert!(ram.is_zero(0, 4096)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroPages {
    /// Zero pages are zeroed in memory. Memory that is already zero is only read.
    Write,
    /// The memory is fresh: zero pages are skipped.
    Fresh,
}

/// Compresses and decompresses batches of pages. Create one per thread and reuse it.
///
/// Creating it allocates all buffers; a batch allocates nothing. With a
/// [`Compressor`](uadk_compress::Compressor), software processes the pages that a busy, failing or
/// absent accelerator does not. With a bare engine, pages that it fails to compress stay raw.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress::{Compressor, Format};
/// use uadk_compress_pages::{Channel, GuestRam, Page, ZeroPages};
///
/// let codec = Arc::new(Compressor::builder().format(Format::Zlib).build()?);
/// let mut channel = Channel::new(codec, 4096, 128)?;
///
/// let memory: Vec<AtomicU64> = (0..1024).map(|i| AtomicU64::new(i / 512)).collect();
/// let batch = channel.compress(&GuestRam::from_words(&memory), &[0, 4096])?;
/// let pages: Vec<_> = batch.pages().collect();
/// assert_eq!(pages[0], Page::Zero);
/// assert!(matches!(pages[1], Page::Compressed(bytes) if bytes.len() < 100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Channel {
    page_size: usize,
    stage: Stage,
    codec: PageCodec,
    /// Holds decompressed pages before they are copied to guest memory.
    landing: Vec<u8>,
}

impl Channel {
    /// Creates a channel for batches of up to `max_pages` pages of `page_size` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::PageSize`] unless `page_size` is a power of two from 4096 to 65536.
    pub fn new(
        compressor: Arc<dyn BlockCompressor>,
        page_size: usize,
        max_pages: usize,
    ) -> Result<Self, Error> {
        check_page_size(page_size)?;
        Ok(Self {
            page_size,
            stage: Stage::new(page_size, max_pages),
            codec: PageCodec::new(compressor, page_size, max_pages),
            landing: vec![0; page_size * max_pages],
        })
    }

    /// Compresses the pages at `offsets`. Each page is checked for zeros and, unless it is zero,
    /// copied once. All copies are compressed in one call.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyPages`] for too large a batch, [`Error::Offset`] for a page outside the
    /// memory.
    pub fn compress(
        &mut self,
        ram: &GuestRam<'_>,
        offsets: &[u64],
    ) -> Result<PageBatch<'_>, Error> {
        self.stage.gather(ram, offsets)?;
        self.codec.compress(self.stage.pages());
        Ok(PageBatch { page_size: self.page_size, stage: &self.stage, codec: &self.codec })
    }

    /// Writes pages to guest memory. The compressed ones are decompressed in one call.
    ///
    /// # Errors
    ///
    /// If a page is damaged or outside the memory. Earlier pages of the batch may already have been
    /// written; no other memory changes.
    pub fn decompress<'p>(
        &mut self,
        ram: &GuestRam<'_>,
        pages: impl Iterator<Item = (u64, Page<'p>)> + Clone,
        zero_pages: ZeroPages,
    ) -> Result<(), Error> {
        let page_size = self.page_size;
        let max = self.landing.len() / page_size;
        let too_long = |index| Error::Page { index, source: PageFault::Long { page_size } };
        let (mut count, mut landing) = (0, 0);
        for (index, (_, page)) in pages.clone().enumerate() {
            count += 1;
            match page {
                Page::Raw(bytes) if bytes.len() != page_size => {
                    return Err(too_long(index));
                }
                Page::Zero | Page::Raw(_) => {}
                // The codec treats blobs as long as a page as raw pages.
                Page::Compressed(bytes) if bytes.len() >= page_size => {
                    return Err(too_long(index));
                }
                Page::Compressed(_) => landing += page_size,
            }
        }
        if count > max {
            return Err(Error::TooManyPages { pages: count, max });
        }
        let landing = &mut self.landing[..landing];
        let blobs = pages.clone().filter_map(|(_, page)| match page {
            Page::Zero | Page::Raw(_) => None,
            Page::Compressed(bytes) => Some(bytes),
        });
        self.codec.decompress(blobs, landing).map_err(|(nth, source)| {
            let compressed = |page: &Page<'_>| matches!(page, Page::Compressed(_));
            let mut indices = pages.clone().enumerate().filter(|(_, (_, page))| compressed(page));
            let index = indices.nth(nth).map_or(nth, |(index, _)| index);
            Error::Page { index, source }
        })?;
        let mut landed = landing.chunks_exact(page_size);
        for (index, (offset, page)) in pages.enumerate() {
            let written = match page {
                Page::Zero if zero_pages == ZeroPages::Fresh => Ok(()),
                Page::Zero => ram.clear(offset, page_size),
                Page::Raw(bytes) => ram.write(offset, bytes),
                Page::Compressed(_) => {
                    landed.next().map_or(Ok(()), |bytes| ram.write(offset, bytes))
                }
            };
            written.map_err(|source| Error::Offset { index, source })?;
        }
        Ok(())
    }
}

/// A compressed batch, borrowed from its [`Channel`].
///
/// ```
/// use std::io::Write;
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress::Compressor;
/// use uadk_compress_pages::{Channel, GuestRam};
///
/// let memory: Vec<AtomicU64> = (0..1024).map(|i| AtomicU64::new(i / 512)).collect();
/// let mut channel = Channel::new(Arc::new(Compressor::builder().build()?), 4096, 128)?;
/// let batch = channel.compress(&GuestRam::from_words(&memory), &[0, 4096])?;
/// assert_eq!((batch.zero_offsets(), batch.data_offsets()), (&[0][..], &[4096][..]));
/// let mut file = Vec::new();
/// let written = file.write_vectored(&batch.io_slices().collect::<Vec<_>>())?;
/// assert!(written < 100, "the second page, compressed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PageBatch<'c> {
    page_size: usize,
    stage: &'c Stage,
    codec: &'c PageCodec,
}

impl<'c> PageBatch<'c> {
    /// Returns the pages in the order of the offsets passed to [`Channel::compress`].
    pub fn pages(&self) -> impl Iterator<Item = Page<'c>> + use<'c> {
        let mut data_pages = self.data_pages();
        self.stage.is_zero().iter().map(move |zero| match zero {
            true => Page::Zero,
            false => data_pages.next().unwrap_or(Page::Zero),
        })
    }

    /// Returns the data of all pages that are not zero, in order, ready for `write_vectored`.
    pub fn io_slices(&self) -> impl Iterator<Item = IoSlice<'c>> + use<'c> {
        self.data_pages().filter_map(|page| match page {
            Page::Zero => None,
            Page::Raw(bytes) | Page::Compressed(bytes) => Some(IoSlice::new(bytes)),
        })
    }

    /// Returns the offsets of the zero pages.
    #[must_use]
    pub fn zero_offsets(&self) -> &'c [u64] {
        self.stage.zero()
    }

    /// Returns the offsets of the pages that are not zero.
    #[must_use]
    pub fn data_offsets(&self) -> &'c [u64] {
        self.stage.normal()
    }

    /// Returns the pages that are not zero.
    fn data_pages(&self) -> impl Iterator<Item = Page<'c>> + use<'c> {
        let copies = self.stage.pages().chunks_exact(self.page_size);
        self.codec.compressed().zip(copies).map(|(compressed, copy)| match compressed {
            Some(bytes) => Page::Compressed(bytes),
            None => Page::Raw(copy),
        })
    }
}
