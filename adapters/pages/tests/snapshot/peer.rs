//! Snapshots read and written without this crate: as docs/snapshot-format.md describes them, with
//! clusters of libzstd, `lz4_flex` and zlib.

use std::io::Read;

use flate2::Crc;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use uadk_compress_pages::snapshot::{
    Chain, Part, Progress, RestoreOptions, Snapshot, StreamReader, restore, verify,
};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::{Memory, PAGE};
use crate::{FORMATS, snapshot_in};

const CLUSTER: usize = 16 << 10;
/// Numbers in the header.
const ZSTD: u32 = 4;
const LZ4: u32 = 5;

fn crc(bytes: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for bytes in bytes {
        crc.update(bytes);
    }
    crc.sum()
}

/// Bytes that are read from beginning to end.
struct Fields<'f> {
    file: &'f [u8],
    at: usize,
}

impl<'f> Fields<'f> {
    fn bytes(&mut self, len: usize) -> &'f [u8] {
        let bytes = &self.file[self.at..][..len];
        self.at += len;
        bytes
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes(4).try_into().expect("4 bytes"))
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes(8).try_into().expect("8 bytes"))
    }

    /// Reads the checksum of everything from `start` on.
    fn check(&mut self, start: usize) {
        let expected = crc(&[&self.file[start..self.at]]);
        assert_eq!(self.u32(), expected, "the checksum of what begins at byte {start}");
    }
}

/// Decompresses a cluster to `len` bytes.
fn decompress(format: u32, stored: &[u8], len: usize) -> Vec<u8> {
    let mut data = vec![0; len];
    match format {
        1 => DeflateDecoder::new(stored).read_exact(&mut data).expect("a deflate stream"),
        2 => ZlibDecoder::new(stored).read_exact(&mut data).expect("a zlib stream"),
        3 => GzDecoder::new(stored).read_exact(&mut data).expect("a gzip member"),
        ZSTD => {
            // One frame, which states its size.
            assert_eq!(zstd_safe::find_frame_compressed_size(stored), Ok(stored.len()));
            let size = zstd_safe::get_frame_content_size(stored).expect("a frame");
            assert_eq!(size, Some(len as u64));
            assert_eq!(zstd_safe::decompress(&mut data[..], stored), Ok(len));
        }
        LZ4 => {
            let done = lz4_flex::block::decompress_into(stored, &mut data).expect("a block");
            assert_eq!(done, len);
        }
        other => panic!("format {other}"),
    }
    data
}

/// What a snapshot of one region at address 0 contains.
struct Contents {
    format: u32,
    memory: Vec<u8>,
    compressed_clusters: usize,
}

fn read(file: &[u8]) -> Contents {
    let mut fields = Fields { file, at: 0 };
    assert_eq!(fields.bytes(8), b"PAGESNAP");
    let numbers: Vec<u32> = (0..6).map(|_| fields.u32()).collect();
    let format = numbers[4];
    assert_eq!(numbers, [1, 84, PAGE as u32, CLUSTER as u32, format, 1]);
    let id = fields.bytes(16);
    assert_eq!(fields.bytes(16), [0; 16], "a base");
    assert_eq!(fields.u64(), 0, "the region's address");
    let mut memory = vec![0; fields.u64() as usize];
    fields.check(0);

    let (mut index, mut groups, mut clusters, mut compressed_clusters) = (Vec::new(), 0, 0, 0);
    let index_offset = loop {
        let start = fields.at;
        match fields.bytes(4) {
            b"GRUP" => {}
            magic => {
                assert_eq!(magic, b"INDX");
                break start;
            }
        }
        let (count, payload) = (fields.u32(), fields.u64() as usize);
        let entries = fields.bytes(32 * count as usize);
        fields.check(start);
        index.extend_from_slice(&(start as u64).to_le_bytes());
        index.extend_from_slice(&u64::from(count).to_le_bytes());
        index.extend_from_slice(entries);
        let data = fields.at;
        let mut entries = Fields { file: entries, at: 0 };
        for _ in 0..count {
            let (cluster, present) = (entries.u64() as usize, entries.u64());
            assert_eq!(entries.u64(), 0, "a base has no entries of zero pages");
            let stored = entries.u32() as usize;
            let stored = fields.bytes(stored);
            let len = present.count_ones() as usize * PAGE;
            let pages = if stored.len() == len {
                assert_eq!(entries.u32(), crc(&[stored]));
                stored.to_vec()
            } else {
                let pages = decompress(format, stored, len);
                assert_eq!(entries.u32(), crc(&[stored, &pages]));
                compressed_clusters += 1;
                pages
            };
            let present = (0..CLUSTER / PAGE).filter(|page| present & (1 << page) != 0);
            for (page, bytes) in present.zip(pages.chunks(PAGE)) {
                memory[cluster * CLUSTER + page * PAGE..][..PAGE].copy_from_slice(bytes);
            }
        }
        assert_eq!(fields.at - data, payload);
        groups += 1;
        clusters += u64::from(count);
    };
    assert_eq!(u64::from(fields.u32()), groups);
    assert_eq!(fields.bytes(index.len()), index);
    let trailer = fields.at;
    let index_crc = crc(&[&file[index_offset..trailer]]);
    assert_eq!(fields.bytes(8), b"PAGESEND");
    assert_eq!(fields.bytes(16), id);
    let expected = [index_offset as u64, (trailer - index_offset) as u64, clusters, groups];
    assert_eq!([(); 4].map(|()| fields.u64()), expected);
    assert_eq!(fields.u32(), index_crc);
    fields.check(trailer);
    assert_eq!(fields.at, file.len());
    Contents { format, memory, compressed_clusters }
}

/// Writes a snapshot of memory in one region, in one group.
fn write(format: u32, memory: &[u8], mut compress: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut file = b"PAGESNAP".to_vec();
    for number in [1, 84, PAGE as u32, CLUSTER as u32, format, 1] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(&[7; 16]);
    file.resize(72, 0);
    file.extend_from_slice(&(memory.len() as u64).to_le_bytes());
    file.extend_from_slice(&crc(&[&file]).to_le_bytes());

    let (mut count, mut entries, mut data) = (0_u32, Vec::new(), Vec::new());
    for (cluster, bytes) in memory.chunks(CLUSTER).enumerate() {
        let with_data = bytes.chunks(PAGE).enumerate().filter(|(_, page)| *page != [0; PAGE]);
        let present = with_data.clone().fold(0_u64, |present, (page, _)| present | (1 << page));
        if present == 0 {
            continue;
        }
        let pages: Vec<u8> = with_data.flat_map(|(_, page)| page).copied().collect();
        let compressed = compress(&pages);
        let (stored, sum) = if compressed.len() < pages.len() {
            (&compressed, crc(&[&compressed, &pages]))
        } else {
            (&pages, crc(&[&pages]))
        };
        entries.extend_from_slice(&(cluster as u64).to_le_bytes());
        entries.extend_from_slice(&present.to_le_bytes());
        entries.extend_from_slice(&[0; 8]);
        entries.extend_from_slice(&(stored.len() as u32).to_le_bytes());
        entries.extend_from_slice(&sum.to_le_bytes());
        data.extend_from_slice(stored);
        count += 1;
    }
    let group_offset = file.len() as u64;
    let mut table = [&b"GRUP"[..], &count.to_le_bytes()].concat();
    table.extend_from_slice(&(data.len() as u64).to_le_bytes());
    table.extend_from_slice(&entries);
    table.extend_from_slice(&crc(&[&table]).to_le_bytes());
    file.extend_from_slice(&table);
    file.extend_from_slice(&data);

    let index_offset = file.len() as u64;
    let mut index = [&b"INDX"[..], &1_u32.to_le_bytes(), &group_offset.to_le_bytes()].concat();
    index.extend_from_slice(&u64::from(count).to_le_bytes());
    index.extend_from_slice(&entries);
    let mut trailer = [&b"PAGESEND"[..], &[7; 16]].concat();
    for number in [index_offset, index.len() as u64, u64::from(count), 1] {
        trailer.extend_from_slice(&number.to_le_bytes());
    }
    trailer.extend_from_slice(&crc(&[&index]).to_le_bytes());
    trailer.extend_from_slice(&crc(&[&trailer]).to_le_bytes());
    [file, index, trailer].concat()
}

fn zstd(level: i32, checksum: bool, data: &[u8]) -> Vec<u8> {
    use zstd_safe::CParameter::{ChecksumFlag, CompressionLevel};
    let mut context = zstd_safe::CCtx::create();
    for parameter in [CompressionLevel(level), ChecksumFlag(checksum)] {
        context.set_parameter(parameter).expect("a parameter");
    }
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(data.len()));
    context.compress2(&mut frame, data).expect("enough space");
    frame
}

/// Restores a snapshot at random and from a stream, and reads its first page.
fn restored(file: &[u8], pages: usize) -> Result<Vec<u8>, Error> {
    let chain = Chain::new(vec![Snapshot::open(file)?])?;
    let [restored, streamed] = [(); 2].map(|()| Memory::guest_like(pages));
    restore(&chain, &[restored.ram()][..], &RestoreOptions::default(), &mut |_| {})?;
    let (ram, mut progress) = ([streamed.ram()], Progress::default());
    let mut reader = StreamReader::new(file)?;
    reader.restore(&ram[..], ZeroPages::Write, &mut progress, &mut |_, _| {})?;
    assert!(restored.bytes() == streamed.bytes());
    chain.pages().read(0)?;
    Ok(restored.bytes())
}

#[test]
fn other_readers_read_every_format() {
    let memory = Memory::guest_like(2000);
    for (number, format) in (1..).zip(FORMATS) {
        let contents = read(&snapshot_in(format, &memory));
        assert_eq!(contents.format, number, "{format}");
        assert!(contents.memory == memory.bytes(), "{format}");
        assert_eq!(contents.compressed_clusters, 500, "{format}");
    }
}

#[test]
fn snapshots_of_other_writers_are_read() {
    let memory = Memory::guest_like(500);
    let bytes = memory.bytes();
    for (level, checksum) in [(-7, false), (1, true), (3, false), (19, true)] {
        let file = write(ZSTD, &bytes, |data| zstd(level, checksum, data));
        assert!(read(&file).memory == bytes);
        assert!(restored(&file, 500).expect("intact") == bytes, "level {level}");
        assert!(verify(&file[..], &mut |_| {}).expect("intact").damage.is_empty());
    }
    let file = write(LZ4, &bytes, lz4_flex::block::compress);
    assert!(read(&file).memory == bytes);
    assert!(restored(&file, 500).expect("intact") == bytes);
    assert!(verify(&file[..], &mut |_| {}).expect("intact").damage.is_empty());
    // Nothing is compressed.
    let file = write(LZ4, &bytes, <[u8]>::to_vec);
    assert!(restored(&file, 500).expect("intact") == bytes);
}

/// Blocks of LZ4 have no end mark: only the length in the entry ends them.
#[test]
fn lz4_clusters_of_other_lengths_than_their_entries_say_are_damaged() {
    let memory = Memory::guest_like(16);
    let longer = |data: &[u8]| [lz4_flex::block::compress(data), vec![0]].concat();
    let shorter = |data: &[u8]| {
        let block = lz4_flex::block::compress(data);
        block[..block.len() - 1].to_vec()
    };
    let files = [write(LZ4, &memory.bytes(), longer), write(LZ4, &memory.bytes(), shorter)];
    for file in files {
        let result = restored(&file, 16);
        assert!(matches!(result, Err(Error::Damaged(_))), "{result:?}");
        assert_eq!(verify(&file[..], &mut |_| {}).expect("it opens").damage.len(), 4);
    }
}

#[test]
fn clusters_shorter_than_their_format_allows_are_refused_before_they_are_decompressed() {
    let memory = vec![1; CLUSTER];
    // A byte of deflate makes at most 1032, and one of LZ4 at most 255. The shortest frame has a
    // magic number, a descriptor, a size, a block's header and one byte.
    for (number, shortest) in [(1, 16), (2, 22), (3, 34), (ZSTD, 10), (LZ4, 65)] {
        let open = |len: usize| {
            let file = write(number, &memory, |_| vec![0; len]);
            let opened = Snapshot::open(&file[..]).map(drop);
            let ram = Memory::new(4);
            let streamed = StreamReader::new(&file[..]).and_then(|mut reader| {
                let (ram, mut progress) = ([ram.ram()], Progress::default());
                reader.restore(&ram[..], ZeroPages::Fresh, &mut progress, &mut |_, _| {})
            });
            (opened, streamed, verify(&file[..], &mut |_| {}))
        };
        let (opened, streamed, _) = open(shortest - 1);
        let part = |result| match result {
            Err(Error::Damaged(damage)) => damage.part,
            other => panic!("{number}: {other:?}"),
        };
        assert_eq!((part(opened), part(streamed)), (Part::Index, Part::Group), "{number}");

        let (opened, streamed, verified) = open(shortest);
        opened.expect("possible");
        let cluster = Part::Cluster { address: 0, len: CLUSTER as u64 };
        assert_eq!(part(streamed), cluster, "{number}");
        assert_eq!(verified.expect("it opens").damage[0].part, cluster, "{number}");
    }
}

#[test]
fn unknown_formats_are_named() {
    for number in [0, 6, u32::MAX] {
        let file = write(number, &[1; CLUSTER], <[u8]>::to_vec);
        let error = Snapshot::open(&file[..]).map(drop).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
        let expected = format!("the snapshot's clusters have an unknown format ({number})");
        assert_eq!(error.to_string(), expected);
    }
}

pub(crate) fn assert_readable(file: &[u8], memory: &Memory) {
    assert!(read(file).memory == memory.bytes(), "other memory");
}
