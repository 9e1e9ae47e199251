//! Tars with headers that no sane writer produces.

/// A header block and the data that follows it. Fields are raw bytes, so that a case can put
/// anything into them.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    block: [u8; 512],
    data: Vec<u8>,
    checksum: fn(u32) -> Vec<u8>,
}

/// Offsets and lengths of the fields.
pub(crate) const NAME: (usize, usize) = (0, 100);
pub(crate) const MODE: (usize, usize) = (100, 8);
pub(crate) const UID: (usize, usize) = (108, 8);
pub(crate) const GID: (usize, usize) = (116, 8);
pub(crate) const SIZE: (usize, usize) = (124, 12);
pub(crate) const MTIME: (usize, usize) = (136, 12);
pub(crate) const KIND: (usize, usize) = (156, 1);
pub(crate) const LINK: (usize, usize) = (157, 100);
pub(crate) const MAGIC: (usize, usize) = (257, 8);
pub(crate) const UNAME: (usize, usize) = (265, 32);
pub(crate) const DEV_MAJOR: (usize, usize) = (329, 8);
pub(crate) const PREFIX: (usize, usize) = (345, 155);

impl Entry {
    /// Creates a regular file as POSIX specifies it.
    pub(crate) fn file(name: &str, data: &[u8]) -> Self {
        let size = format!("{:011o}\0", data.len());
        let entry = Self {
            block: [0; 512],
            data: data.to_vec(),
            checksum: |sum| format!("{sum:06o}\0 ").into_bytes(),
        };
        entry
            .with(NAME, name)
            .with(MODE, "0000644\0")
            .with(UID, "0000000\0")
            .with(GID, "0000000\0")
            .with(SIZE, size)
            .with(MTIME, "14000000000\0")
            .with(KIND, "0")
            .with(MAGIC, "ustar\x0000")
            .with(UNAME, "root")
            .with((297, 32), "root")
            .with(DEV_MAJOR, "0000000\0")
            .with((337, 8), "0000000\0")
    }

    /// Creates an entry of another kind, without contents.
    pub(crate) fn new(kind: u8, name: &str, link: &str) -> Self {
        let entry = Self::file(name, b"").with(KIND, [kind]).with(LINK, link);
        if kind == b'5' { entry.with(MODE, "0000755\0") } else { entry }
    }

    /// Creates a PAX header or a GNU long name.
    pub(crate) fn extension(kind: u8, data: &[u8]) -> Self {
        Self::file("PaxHeaders/x", data).with(KIND, [kind])
    }

    /// Sets a field to these bytes, padded with NULs.
    pub(crate) fn with(mut self, (at, len): (usize, usize), value: impl AsRef<[u8]>) -> Self {
        let value = &value.as_ref()[..value.as_ref().len().min(len)];
        self.block[at..at + len].fill(0);
        self.block[at..at + value.len()].copy_from_slice(value);
        self
    }

    /// Uses this checksum instead of the correct one.
    pub(crate) fn checksum(mut self, checksum: fn(u32) -> Vec<u8>) -> Self {
        self.checksum = checksum;
        self
    }

    /// Creates a sparse file in GNU tar's old format.
    pub(crate) fn old_sparse(pieces: &[(&str, &str)], real_size: &str, data: &[u8]) -> Self {
        let mut entry = Self::file("s.bin", data).with(KIND, "S").with(MAGIC, "ustar  \0");
        for (i, (offset, len)) in pieces.iter().enumerate() {
            entry = entry.with((386 + 24 * i, 12), offset).with((398 + 24 * i, 12), len);
        }
        entry.with((483, 12), real_size)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut block = self.block;
        block[148..156].fill(b' ');
        let checksum = (self.checksum)(block.iter().map(|byte| u32::from(*byte)).sum());
        block[148..148 + checksum.len()].copy_from_slice(&checksum);
        let mut bytes = [&block[..], &self.data].concat();
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

/// Returns a PAX record.
pub(crate) fn record(key: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len += 1;
    }
    [format!("{len} {key}=").as_bytes(), value, b"\n"].concat()
}

/// Returns a PAX header with these records.
pub(crate) fn pax(records: &[(&str, &str)]) -> Entry {
    let records: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
    Entry::extension(b'x', &records)
}

/// Returns a tar of these entries and a last file that must not be lost.
pub(crate) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut tar: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
    tar.extend(Entry::file("after.txt", b"after\n").bytes());
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Returns a small file.
pub(crate) fn good() -> Entry {
    Entry::file("a.txt", b"a\n")
}
