//! Damage in a snapshot.

/// A damaged part of a snapshot, and its position.
///
/// ```
/// use uadk_compress_pages::Error;
/// use uadk_compress_pages::snapshot::{Part, Snapshot};
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};
/// # let memory = [const { AtomicU64::new(7) }; 512];
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut file, options) = (Vec::<u8>::new(), SaveOptions::default().id([1; 16]));
/// # save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// // A flipped bit in the header.
/// file[40] ^= 1;
/// let Err(Error::Damaged(damage)) = Snapshot::open(&file[..]) else { panic!("not detected") };
/// assert_eq!((damage.part, damage.offset), (Part::Header, 0));
/// assert_eq!(damage.to_string(), "the header is damaged, at byte 0 of the file");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The damaged part.
    pub part: Part,
    /// Its offset in the file.
    pub offset: u64,
}

/// A part of a snapshot file.
///
/// ```
/// use uadk_compress_pages::snapshot::{Part, verify};
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};
/// # let word = |i: u64| AtomicU64::new(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
/// # let memory: Vec<AtomicU64> = (0..512).map(word).collect();
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut file, options) = (Vec::<u8>::new(), SaveOptions::default());
/// # save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// // A flipped bit in the only cluster.
/// let middle = file.len() / 2;
/// file[middle] ^= 1;
/// let verified = verify(&file[..], &mut |_| {})?;
/// let damage = &verified.damage[0];
/// assert_eq!(damage.part, Part::Cluster { address: 0, len: 4096 });
/// assert!(damage.to_string().starts_with("guest memory from 0x0 to 0x1000 is damaged"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The header.
    Header,
    /// A group's table of clusters.
    Group,
    /// A cluster.
    Cluster {
        /// The guest address of its first byte.
        address: u64,
        /// Bytes of guest memory that it covers.
        len: u64,
    },
    /// The index.
    Index,
    /// The trailer.
    Trailer,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.part {
            Part::Header => write!(f, "the header is damaged"),
            Part::Group => write!(f, "the table of a group of clusters is damaged"),
            Part::Cluster { address, len } => {
                write!(f, "guest memory from {address:#x} to {:#x} is damaged", address + len)
            }
            Part::Index => write!(f, "the index is damaged"),
            Part::Trailer => write!(f, "the trailer is damaged"),
        }?;
        write!(f, ", at byte {} of the file", self.offset)
    }
}
