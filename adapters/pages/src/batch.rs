//! Batches of pages: up to so many at once, zero, raw or compressed.

use std::io::IoSlice;
use std::sync::Arc;

use uadk_compress::BlockCompressor;

use crate::codec::PageCodec;
use crate::error::{Error, PageFault};
use crate::memory::GuestRam;
use crate::stage::Stage;

/// Fails unless pages can have this size.
pub(crate) fn check_page_size(page_size: usize) -> Result<(), Error> {
    let valid = page_size.is_power_of_two() && (4 << 10..=64 << 10).contains(&page_size);
    if valid { Ok(()) } else { Err(Error::PageSize(page_size)) }
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
    /// [`Error::PageSize`] unless it is a power of two from 4096 to 65536.
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

    /// Compresses the pages at `offsets`: each is looked at for zeros, copied once unless it is
    /// zero, and compressed with the others in one call.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyPages`], and [`Error::Offset`] for a page outside of the memory.
    pub fn compress(
        &mut self,
        ram: &GuestRam<'_>,
        offsets: &[u64],
    ) -> Result<PageBatch<'_>, Error> {
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
    ) -> Result<(), Error> {
        let page_size = self.page_size;
        let max = self.landing.len() / page_size;
        let long = |index| Error::Page { index, source: PageFault::Long { page_size } };
        let (mut count, mut landing) = (0, 0);
        for (index, (_, page)) in pages.clone().enumerate() {
            count += 1;
            match page {
                Page::Raw(bytes) if bytes.len() != page_size => {
                    return Err(long(index));
                }
                Page::Zero | Page::Raw(_) => {}
                // The codec takes blobs of a page's length for raw pages.
                Page::Compressed(bytes) if bytes.len() >= page_size => {
                    return Err(long(index));
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
        self.codec.decompress(blobs, landing).map_err(|(among, source)| {
            let compressed = |page: &Page<'_>| matches!(page, Page::Compressed(_));
            let mut indices = pages.clone().enumerate().filter(|(_, (_, page))| compressed(page));
            let index = indices.nth(among).map_or(among, |(index, _)| index);
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
