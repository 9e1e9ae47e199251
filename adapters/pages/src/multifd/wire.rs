//! The layout of multifd streams, as QEMU 9.1 and later write them (`migration/multifd.h`): packed
//! structs of big-endian integers.

use crate::error::ErrorKind;
use crate::method::Method;

/// The first bytes of every hello and header.
pub(crate) const MAGIC: u32 = 0x1122_3344;
/// `MULTIFD_VERSION`, which has never changed.
pub(crate) const VERSION: u32 = 1;
/// Bytes of pages that a packet can hold: `MULTIFD_PACKET_SIZE`.
pub(crate) const PACKET_BYTES: usize = 512 << 10;
pub(crate) const HELLO_LEN: usize = 64;
/// Magic, version and flags, which are common to all headers.
pub(crate) const PREFIX_LEN: usize = 12;
/// The NUL-terminated name of a ramblock or device.
pub(crate) const NAME_LEN: usize = 256;
/// The part of a page packet's header before the offsets.
const FIXED_LEN: usize = 64 + NAME_LEN;
pub(crate) const DEVICE_STATE_LEN: usize = PREFIX_LEN + NAME_LEN + 4 + 4;

pub(crate) const SYNC: u32 = 1;
pub(crate) const METHOD_MASK: u32 = 0x3e;
pub(crate) const DEVICE_STATE: u32 = 0x40;

/// The first message of a channel.
///
/// ```
/// use uadk_compress_pages::multifd::{Hello, Method, PacketNumbers, Receiver, Sender, Settings};
///
/// let settings = Settings::new(Method::None).uuid([7; 16]);
/// let mut connection = Vec::new();
/// Sender::new(&mut connection, 3, &settings, PacketNumbers::default())?;
///
/// let receiver = Receiver::new(&connection[..], &settings)?;
/// assert_eq!(receiver.hello(), Hello { uuid: [7; 16], channel: 3 });
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The guest's UUID; zeros for QEMUs without `-uuid`. Must be the same on both sides.
    pub uuid: [u8; 16],
    /// The number of the channel. Connections may arrive in any order.
    pub channel: u8,
}

impl Hello {
    pub(crate) fn to_bytes(self) -> [u8; HELLO_LEN] {
        let mut bytes = [0; HELLO_LEN];
        bytes[..4].copy_from_slice(&MAGIC.to_be_bytes());
        bytes[4..8].copy_from_slice(&VERSION.to_be_bytes());
        bytes[8..24].copy_from_slice(&self.uuid);
        bytes[24] = self.channel;
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; HELLO_LEN]) -> Result<Self, ErrorKind> {
        check_magic(bytes)?;
        if bytes[25..].iter().any(|byte| *byte != 0) {
            return Err(ErrorKind::Hello("reserved bytes are not zero"));
        }
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&bytes[8..24]);
        Ok(Self { uuid, channel: bytes[24] })
    }
}

/// Checks the magic and version that the hello and all headers begin with.
pub(crate) fn check_magic(bytes: &[u8]) -> Result<(), ErrorKind> {
    match (u32_at(bytes, 0), u32_at(bytes, 4)) {
        (MAGIC, VERSION) => Ok(()),
        (MAGIC, version) => Err(ErrorKind::Version(version)),
        (magic, _) => Err(ErrorKind::Magic(magic)),
    }
}

/// The parsed flags of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) sync: bool,
    pub(crate) device_state: bool,
    /// The bits of the method, which may be unknown.
    pub(crate) method: u32,
}

impl Flags {
    pub(crate) fn parse(prefix: &[u8]) -> Result<Self, ErrorKind> {
        let flags = u32_at(prefix, 8);
        if flags & !(SYNC | METHOD_MASK | DEVICE_STATE) != 0 {
            return Err(ErrorKind::Flags(flags));
        }
        let parsed = Self {
            sync: flags & SYNC != 0,
            device_state: flags & DEVICE_STATE != 0,
            method: flags & METHOD_MASK,
        };
        if parsed.device_state && parsed.sync {
            return Err(ErrorKind::Flags(flags));
        }
        Ok(parsed)
    }
}

/// Returns the number of pages that fit into a packet.
pub(crate) const fn pages_per_packet(page_size: usize) -> usize {
    // Page sizes have been checked: they are powers of two.
    match PACKET_BYTES.checked_div(page_size) {
        Some(pages) => pages,
        None => 0,
    }
}

/// Returns the length of a page packet's header, which depends on the page size alone.
pub(crate) const fn header_len(page_size: usize) -> usize {
    FIXED_LEN + 8 * pages_per_packet(page_size)
}

/// The header of a packet of pages, without its offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) allocated: u32,
    pub(crate) normal: u32,
    pub(crate) payload: u32,
    pub(crate) number: u64,
    pub(crate) zero: u32,
}

impl Counts {
    pub(crate) fn parse(header: &[u8]) -> Self {
        Self {
            allocated: u32_at(header, 12),
            normal: u32_at(header, 16),
            payload: u32_at(header, 20),
            number: u64_at(header, 24),
            zero: u32_at(header, 32),
        }
    }

    /// Returns an error unless the announced pages fit into a packet.
    pub(crate) fn check(&self, page_size: usize) -> Result<(), ErrorKind> {
        let capacity = pages_per_packet(page_size);
        let pages = u64::from(self.normal) + u64::from(self.zero);
        if self.allocated as usize != capacity {
            let allocated = self.allocated;
            return Err(ErrorKind::PagesAllocated { allocated, expected: capacity });
        }
        if pages > capacity as u64 {
            let (normal, zero) = (self.normal, self.zero);
            return Err(ErrorKind::TooManyPages { normal, zero, capacity });
        }
        Ok(())
    }
}

/// Writes the header of a packet into `header`, which has [`header_len`] bytes.
pub(crate) fn write_header(
    header: &mut [u8],
    flags: u32,
    counts: Counts,
    block: &str,
    offsets: impl Iterator<Item = u64>,
) {
    header.fill(0);
    put_prefix(header, flags);
    header[12..16].copy_from_slice(&counts.allocated.to_be_bytes());
    header[16..20].copy_from_slice(&counts.normal.to_be_bytes());
    header[20..24].copy_from_slice(&counts.payload.to_be_bytes());
    header[24..32].copy_from_slice(&counts.number.to_be_bytes());
    header[32..36].copy_from_slice(&counts.zero.to_be_bytes());
    header[64..64 + block.len()].copy_from_slice(block.as_bytes());
    for (slot, offset) in header[FIXED_LEN..].as_chunks_mut::<8>().0.iter_mut().zip(offsets) {
        *slot = offset.to_be_bytes();
    }
}

/// Returns the flags of a packet compressed by `method`.
pub(crate) const fn flags(method: Method, sync: bool) -> u32 {
    method.bits() | if sync { SYNC } else { 0 }
}

pub(crate) fn put_prefix(header: &mut [u8], flags: u32) {
    header[..4].copy_from_slice(&MAGIC.to_be_bytes());
    header[4..8].copy_from_slice(&VERSION.to_be_bytes());
    header[8..12].copy_from_slice(&flags.to_be_bytes());
}

/// Returns the ramblock's name in a page packet's header.
pub(crate) fn block_name(header: &[u8]) -> Result<&str, ErrorKind> {
    name(&header[64..64 + NAME_LEN])
}

/// Parses the NUL-terminated name of a ramblock or device.
pub(crate) fn name(field: &[u8]) -> Result<&str, ErrorKind> {
    let end = field.iter().position(|byte| *byte == 0).ok_or(ErrorKind::Name)?;
    std::str::from_utf8(&field[..end]).map_err(|_| ErrorKind::Name)
}

/// Returns the offsets of the first `count` pages in a header.
pub(crate) fn offsets(header: &[u8], count: usize) -> impl Iterator<Item = u64> {
    header[FIXED_LEN..]
        .as_chunks::<8>()
        .0
        .iter()
        .take(count)
        .map(|bytes| u64::from_be_bytes(*bytes))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(field)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_lengths_that_qemu_has() {
        assert_eq!((header_len(4096), pages_per_packet(4096)), (1344, 128));
        assert_eq!((header_len(65536), pages_per_packet(65536)), (384, 8));
        assert_eq!(DEVICE_STATE_LEN, 276);
    }

    #[test]
    fn a_header_reads_as_it_was_written() {
        let mut header = vec![0xff; header_len(4096)];
        let counts = Counts { allocated: 128, normal: 2, payload: 77, number: 1 << 40, zero: 1 };
        write_header(
            &mut header,
            flags(Method::Uadk, false),
            counts,
            "pc.ram",
            [1, 2, 3].into_iter(),
        );
        assert_eq!(Counts::parse(&header), counts);
        assert_eq!(block_name(&header).ok(), Some("pc.ram"));
        assert_eq!(offsets(&header, 4).collect::<Vec<_>>(), [1, 2, 3, 0]);
        let flags = Flags { sync: false, device_state: false, method: 16 };
        assert_eq!(Flags::parse(&header).ok(), Some(flags));
    }
}
