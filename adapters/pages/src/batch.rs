//! Batches of pages: up to so many at once, zero, raw or compressed.

use std::io::IoSlice;
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Error as EngineError};

use crate::codec::PageCodec;
use crate::memory::{GuestRam, OutOfRange};
use crate::stage::Stage;

/// What can go wrong with a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A page size that pages do not have.
    #[error("{0} bytes are no page: pages have 4096 to 65536, in powers of two")]
    PageSize(usize),
    /// More pages than the channel was made for.
    #[error("{pages} pages are more than the {max} that fit a batch")]
    TooManyPages {
        /// Pages of the batch.
        pages: usize,
        /// The most that the channel takes.
        max: usize,
    },
    /// A page outside of the memory.
    #[error("page {index} of the batch: {source}")]
    Offset {
        /// Which of the batch's pages.
        index: usize,
        /// Where it would be.
        source: OutOfRange,
    },
    /// A page that does not decompress.
    #[error("page {index} of the batch: {source}")]
    Page {
        /// Which of the batch's pages.
        index: usize,
        /// What the engine says.
        source: EngineError,
    },
    /// A page that decompresses to less than a page.
    #[error("page {index} of the batch has {len} bytes instead of {page_size}")]
    ShortPage {
        /// Which of the batch's pages.
        index: usize,
        /// What it decompressed to.
        len: usize,
        /// Bytes of a page.
        page_size: usize,
    },
    /// A page that decompresses to more than a page, or a raw one of another length.
    #[error("page {index} of the batch has more or other than {page_size} bytes")]
    LongPage {
        /// Which of the batch's pages.
        index: usize,
        /// Bytes of a page.
        page_size: usize,
    },
}

/// Fails unless pages can have this size.
pub(crate) fn check_page_size(page_size: usize) -> Result<(), BatchError> {
    let valid = page_size.is_power_of_two() && (4 << 10..=64 << 10).contains(&page_size);
    if valid { Ok(()) } else { Err(BatchError::PageSize(page_size)) }
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// All zeros: nothing to send or store.
    Zero,
    /// It does not get smaller: the page as it was read.
    Raw(&'a [u8]),
    /// Compressed, in the format of the channel's compressor; shorter than a page.
    Compressed(&'a [u8]),
}

/// Whether zero pages have to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroPages {
    /// They are made zero, whatever they were. Memory that is zero already is only read.
    Write,
    /// The memory is fresh: zero pages are passed over.
    Fresh,
}

/// Compresses and decompresses batches of pages: one for each thread, used again and again.
///
/// Its buffers are allocated when it is made; a batch allocates nothing. With a
/// [`Compressor`](uadk_compress::Compressor), a busy, failing or absent accelerator costs the pages
/// concerned a trip through software. A bare engine's troubles leave pages raw.
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
    /// Where pages are decompressed to, on their way to guest memory.
    landing: Vec<u8>,
}

impl Channel {
    /// A channel for batches of up to `max_pages` pages of `page_size` bytes.
    ///
    /// # Errors
    ///
    /// [`BatchError::PageSize`] unless it is a power of two from 4096 to 65536.
    pub fn new(
        compressor: Arc<dyn BlockCompressor>,
        page_size: usize,
        max_pages: usize,
    ) -> Result<Self, BatchError> {
        check_page_size(page_size)?;
        Ok(Self {
            page_size,
            stage: Stage::new(page_size, max_pages),
            codec: PageCodec::new(compressor, page_size, max_pages),
            landing: vec![0; page_size * max_pages],
        })
    }

    /// Compresses the pages at `offsets`: each is looked at for zeros, copied once unless it is
    /// zero, and compressed with the others in one call.
    ///
    /// # Errors
    ///
    /// [`BatchError::TooManyPages`], and [`BatchError::Offset`] for a page outside of the memory.
    pub fn compress(
        &mut self,
        ram: &GuestRam<'_>,
        offsets: &[u64],
    ) -> Result<PageBatch<'_>, BatchError> {
        self.stage.gather(ram, offsets)?;
        self.codec.compress(self.stage.pages());
        Ok(PageBatch { page_size: self.page_size, stage: &self.stage, codec: &self.codec })
    }

    /// Puts pages into guest memory, the compressed ones decompressed in one call.
    ///
    /// # Errors
    ///
    /// If a page is damaged, or outside of the memory. Pages before it, and only pages of the
    /// batch, may be written then.
    pub fn decompress<'p>(
        &mut self,
        ram: &GuestRam<'_>,
        pages: impl Iterator<Item = (u64, Page<'p>)> + Clone,
        zero_pages: ZeroPages,
    ) -> Result<(), BatchError> {
        let page_size = self.page_size;
        let max = self.landing.len() / page_size;
        let (mut count, mut landing) = (0, 0);
        for (index, (_, page)) in pages.clone().enumerate() {
            count += 1;
            match page {
                Page::Raw(bytes) if bytes.len() != page_size => {
                    return Err(BatchError::LongPage { index, page_size });
                }
                Page::Zero | Page::Raw(_) => {}
                // The codec takes blobs of a page's length for raw pages.
                Page::Compressed(bytes) if bytes.len() >= page_size => {
                    return Err(BatchError::LongPage { index, page_size });
                }
                Page::Compressed(_) => landing += page_size,
            }
        }
        if count > max {
            return Err(BatchError::TooManyPages { pages: count, max });
        }
        let landing = &mut self.landing[..landing];
        let blobs = pages.clone().filter_map(|(_, page)| match page {
            Page::Zero | Page::Raw(_) => None,
            Page::Compressed(bytes) => Some(bytes),
        });
        self.codec.decompress(blobs, landing).map_err(|error| {
            let compressed = |page: &Page<'_>| matches!(page, Page::Compressed(_));
            let indices = pages.clone().enumerate().filter(|(_, (_, page))| compressed(page));
            error.renumber(|among| indices.clone().nth(among).map_or(among, |(index, _)| index))
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
            written.map_err(|source| BatchError::Offset { index, source })?;
        }
        Ok(())
    }
}

impl BatchError {
    /// The same error with another page's number in it.
    fn renumber(mut self, number: impl Fn(usize) -> usize) -> Self {
        match &mut self {
            Self::Page { index, .. }
            | Self::ShortPage { index, .. }
            | Self::LongPage { index, .. } => {
                *index = number(*index);
            }
            _ => {}
        }
        self
    }
}

/// A compressed batch, borrowed from its [`Channel`].
#[derive(Clone, Copy, Debug)]
pub struct PageBatch<'c> {
    page_size: usize,
    stage: &'c Stage,
    codec: &'c PageCodec,
}

impl<'c> PageBatch<'c> {
    /// What became of the pages, in the order in which they were asked for.
    pub fn pages(&self) -> impl Iterator<Item = Page<'c>> + use<'c> {
        let mut others = self.others();
        self.stage.is_zero().iter().map(move |zero| match zero {
            true => Page::Zero,
            false => others.next().unwrap_or(Page::Zero),
        })
    }

    /// The data of all pages that have some, in order, ready for `write_vectored`.
    pub fn io_slices(&self) -> impl Iterator<Item = IoSlice<'c>> + use<'c> {
        self.others().filter_map(|page| match page {
            Page::Zero => None,
            Page::Raw(bytes) | Page::Compressed(bytes) => Some(IoSlice::new(bytes)),
        })
    }

    /// Offsets of the pages that are zero.
    #[must_use]
    pub fn zero_offsets(&self) -> &'c [u64] {
        self.stage.zero()
    }

    /// Offsets of the pages that are not.
    #[must_use]
    pub fn data_offsets(&self) -> &'c [u64] {
        self.stage.normal()
    }

    /// The pages that are not zero.
    fn others(&self) -> impl Iterator<Item = Page<'c>> + use<'c> {
        let copies = self.stage.pages().chunks_exact(self.page_size);
        self.codec.compressed().zip(copies).map(|(compressed, copy)| match compressed {
            Some(bytes) => Page::Compressed(bytes),
            None => Page::Raw(copy),
        })
    }
}
