//! Builds valid and invalid tar archives byte by byte.

/// Size of a tar block.
pub(crate) const BLOCK: usize = 512;

/// The time of all entries with a sound time: long before any test runs.
pub(crate) const MTIME: u64 = 1_000_000_000;

/// A field of a ustar header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

const fn field(name: &'static str, start: usize, len: usize) -> Field {
    Field { name, start, len }
}

pub(crate) const NAME: Field = field("name", 0, 100);
pub(crate) const MODE: Field = field("mode", 100, 8);
pub(crate) const UID: Field = field("uid", 108, 8);
pub(crate) const GID: Field = field("gid", 116, 8);
pub(crate) const SIZE: Field = field("size", 124, 12);
pub(crate) const TIME: Field = field("mtime", 136, 12);
pub(crate) const CHECKSUM: Field = field("chksum", 148, 8);
pub(crate) const TYPE: Field = field("typeflag", 156, 1);
pub(crate) const LINK: Field = field("linkname", 157, 100);
pub(crate) const MAGIC: Field = field("magic", 257, 6);
pub(crate) const VERSION: Field = field("version", 263, 2);
pub(crate) const USER: Field = field("uname", 265, 32);
pub(crate) const GROUP: Field = field("gname", 297, 32);
pub(crate) const MAJOR: Field = field("devmajor", 329, 8);
pub(crate) const MINOR: Field = field("devminor", 337, 8);
pub(crate) const PREFIX: Field = field("prefix", 345, 155);

pub(crate) const FIELDS: [Field; 16] = [
    NAME, MODE, UID, GID, SIZE, TIME, CHECKSUM, TYPE, LINK, MAGIC, VERSION, USER, GROUP, MAJOR,
    MINOR, PREFIX,
];

/// A header. [`sealed`](Self::sealed) computes its checksum.
#[derive(Clone, Debug)]
pub(crate) struct Header([u8; BLOCK]);

impl Header {
    /// Creates a POSIX header of this type.
    pub(crate) fn ustar(name: &[u8], kind: u8, size: u64) -> Self {
        let mut header = Self([0; BLOCK]);
        header.set(NAME, name).set(TYPE, &[kind]).set(MAGIC, b"ustar\0").set(VERSION, b"00");
        let mode = if kind == b'5' { 0o755 } else { 0o644 };
        header.number(MODE, mode).number(UID, 1000).number(GID, 1000);
        header.number(SIZE, size).number(TIME, MTIME);
        header.set(USER, b"user").set(GROUP, b"group").number(MAJOR, 0).number(MINOR, 0);
        header
    }

    /// Creates a header as GNU tar writes it by default.
    pub(crate) fn gnu(name: &[u8], kind: u8, size: u64) -> Self {
        let mut header = Self::ustar(name, kind, size);
        header.set(MAGIC, b"ustar ").set(VERSION, b" \0").set(MAJOR, b"").set(MINOR, b"");
        header
    }

    /// Sets a field to these bytes, padded with NULs.
    pub(crate) fn set(&mut self, field: Field, value: &[u8]) -> &mut Self {
        self.0[field.start..field.start + field.len].fill(0);
        let n = value.len().min(field.len);
        self.0[field.start..field.start + n].copy_from_slice(&value[..n]);
        self
    }

    /// Sets a field to octal digits with a trailing NUL.
    pub(crate) fn number(&mut self, field: Field, value: u64) -> &mut Self {
        let width = field.len - 1;
        self.set(field, format!("{value:0width$o}").as_bytes())
    }

    pub(crate) fn raw(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn sealed(&self) -> [u8; BLOCK] {
        let mut block = self.0;
        seal(&mut block);
        block
    }

    pub(crate) fn unsealed(&self) -> [u8; BLOCK] {
        self.0
    }
}

/// Writes the checksum of a header into it.
pub(crate) fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Returns a record of an extended header.
pub(crate) fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let body = key.len() + value.len() + 3;
    let mut len = body;
    while len != body + len.to_string().len() {
        len = body + len.to_string().len();
    }
    [len.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// A tar archive under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tarball(Vec<u8>);

impl Tarball {
    /// Creates an archive that starts with a sound entry `before.txt`.
    pub(crate) fn new() -> Self {
        let mut tarball = Self::default();
        tarball.file(b"before.txt", b"before\n");
        tarball
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    /// Appends contents, padded to whole blocks.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        self
    }

    pub(crate) fn entry(&mut self, header: &Header, data: &[u8]) -> &mut Self {
        self.raw(&header.sealed()).data(data)
    }

    pub(crate) fn file(&mut self, name: &[u8], data: &[u8]) -> &mut Self {
        self.entry(&Header::ustar(name, b'0', data.len() as u64), data)
    }

    pub(crate) fn folder(&mut self, name: &[u8]) -> &mut Self {
        self.entry(&Header::ustar(name, b'5', 0), b"")
    }

    pub(crate) fn link(&mut self, kind: u8, name: &[u8], target: &[u8]) -> &mut Self {
        self.entry(Header::ustar(name, kind, 0).set(LINK, target), b"")
    }

    /// Appends an extended header (`x` or `g`) with these bytes.
    pub(crate) fn pax(&mut self, kind: u8, records: &[u8]) -> &mut Self {
        let name: &[u8] = if kind == b'g' { b"GlobalHead.0.0" } else { b"PaxHeaders.0/x" };
        self.entry(&Header::ustar(name, kind, records.len() as u64), records)
    }

    /// Appends GNU's long name (`L`) or link target (`K`).
    pub(crate) fn long(&mut self, kind: u8, bytes: &[u8]) -> &mut Self {
        self.entry(&Header::gnu(b"././@LongLink", kind, bytes.len() as u64), bytes)
    }

    /// Appends a sound entry `after.txt` and the archive's end. Returns the archive.
    pub(crate) fn after(&mut self) -> Vec<u8> {
        self.file(b"after.txt", b"after\n");
        self.end()
    }

    pub(crate) fn end(&mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 2 * BLOCK, 0);
        std::mem::take(&mut self.0)
    }

    /// Returns the bytes so far, without an end.
    pub(crate) fn open_end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}
