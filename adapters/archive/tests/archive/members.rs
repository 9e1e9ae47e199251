//! Concatenated members of all kinds are read as by zlib, however the bytes arrive.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom, Write};

use flate2::read::MultiGzDecoder;
use flate2::{Compress, Compression, FlushCompress, GzBuilder};
use proptest::prelude::*;
use rand::Rng;
use rand_pcg::Pcg64Mcg;
use uadk_compress_archive::{ArchiveReader, Error, GzWarning, Layout};

use crate::common::{bgzf, crc, gzip, noise, seeded, text};

/// Wraps a deflate stream in a member.
fn member(deflate: &[u8], data: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    member.extend(deflate);
    member.extend(crc(data).to_le_bytes());
    member.extend((data.len() as u32).to_le_bytes());
    member
}

/// Creates a member that is flushed after `every` bytes.
fn flushed(data: &[u8], every: usize, flush: FlushCompress) -> Vec<u8> {
    let mut compress = Compress::new(Compression::new(6), false);
    let mut deflate = Vec::with_capacity(data.len() + data.len() / 8 + 100 * data.len() / every);
    for piece in data.chunks(every) {
        deflate.reserve(2 * piece.len() + 1000);
        compress.compress_vec(piece, &mut deflate, flush).expect("writes to memory");
    }
    deflate.reserve(1000);
    compress.compress_vec(&[], &mut deflate, FlushCompress::Finish).expect("writes to memory");
    member(&deflate, data)
}

fn by_flate2(data: &[u8], level: u32, name: Option<&str>) -> Vec<u8> {
    let builder = name.map_or_else(GzBuilder::new, |name| GzBuilder::new().filename(name));
    let mut encoder = builder.write(Vec::new(), Compression::new(level));
    encoder.write_all(data).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Stored,
    Named,
    Ours,
    OursFlushed,
    Bgzf,
    SyncFlush(usize),
    FullFlush(usize),
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Contents {
    Text,
    Noise,
    Zeros,
    /// Noise with bytes that look like the end of a segment.
    Markers,
}

fn contents(kind: Contents, len: usize, seed: u64) -> Vec<u8> {
    match kind {
        Contents::Text => text(len, seed),
        Contents::Noise => noise(len, seed),
        Contents::Zeros => vec![0; len],
        Contents::Markers => {
            let mut data = noise(len, seed);
            let mut numbers = seeded(seed);
            let mut at = 0;
            while at + 4 <= len {
                data[at..at + 4].copy_from_slice(&[0, 0, 0xff, 0xff]);
                at += 4 + numbers.random_range(0..20_000_usize) * numbers.random_range(0..2_usize);
            }
            data
        }
    }
}

fn compress(kind: Kind, data: &[u8]) -> Vec<u8> {
    match kind {
        Kind::Plain => by_flate2(data, 6, None),
        Kind::Stored => by_flate2(data, 0, None),
        Kind::Named => by_flate2(data, 1, Some("its name")),
        Kind::Ours => gzip(1).compress(data, Vec::new()).expect("writes to memory"),
        Kind::OursFlushed => {
            let mut writer = gzip(2).writer(Vec::new()).expect("a writer");
            for piece in data.chunks(data.len() / 3 + 1) {
                writer.write_all(piece).expect("writes to memory");
                writer.flush().expect("writes to memory");
            }
            writer.finish().expect("writes to memory")
        }
        Kind::Bgzf => bgzf(1).compress(data, Vec::new()).expect("writes to memory"),
        Kind::SyncFlush(every) => flushed(data, every, FlushCompress::Sync),
        Kind::FullFlush(every) => flushed(data, every, FlushCompress::Full),
        Kind::Nothing => by_flate2(b"", 6, None),
    }
}

/// Returns a random number of bytes at once, and is interrupted now and then.
struct Dribbling<R> {
    inner: R,
    most: usize,
    numbers: Pcg64Mcg,
}

impl<R: Read> Read for Dribbling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.numbers.random_range(0..50) == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = self.numbers.random_range(0..self.most) + 1;
        let n = n.min(buffer.len());
        self.inner.read(&mut buffer[..n])
    }
}

impl<R: Seek> Seek for Dribbling<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Returns an error instead of the end of the file.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::Error::other("the disk is gone"));
        }
        self.0.read(buffer)
    }
}

/// Reads up to the end or an error.
fn read_up_to_error(threads: usize, file: impl Read) -> (Vec<u8>, Option<Error>) {
    let mut data = Vec::new();
    let mut reader = gzip(threads).reader(file).expect("a reader");
    let error = reader.read_to_end(&mut data).err();
    assert!(error.is_none() || reader.read(&mut [0]).is_err(), "an error is permanent");
    (data, error.map(Error::from))
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Plain),
        Just(Kind::Stored),
        Just(Kind::Named),
        Just(Kind::Ours),
        Just(Kind::OursFlushed),
        Just(Kind::Bgzf),
        (500_usize..200_000).prop_map(Kind::SyncFlush),
        (500_usize..200_000).prop_map(Kind::FullFlush),
        Just(Kind::Nothing),
    ]
}

fn members() -> impl Strategy<Value = Vec<(Kind, Contents, usize)>> {
    let contents = prop_oneof![
        Just(Contents::Text),
        Just(Contents::Noise),
        Just(Contents::Zeros),
        Just(Contents::Markers),
    ];
    let len = prop_oneof![Just(0), 1_usize..100, 1_usize..400_000, Just(256 << 10)];
    prop::collection::vec((kinds(), contents, len), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn members_of_all_kinds_are_read_as_by_zlib(
        members in members(),
        seed in any::<u64>(),
        threads in 0_usize..=4,
        most in prop_oneof![Just(1_usize << 20), 1_usize..70_000],
    ) {
        let mut numbers = seeded(seed);
        let mut file = Vec::new();
        for (kind, what, len) in &members {
            let len = if matches!(kind, Kind::Nothing) { 0 } else { *len };
            file.extend(compress(*kind, &contents(*what, len, numbers.random())));
        }
        let mut data = Vec::new();
        MultiGzDecoder::new(&file[..]).read_to_end(&mut data).expect("zlib reads it");

        // In order.
        let most = most.max(file.len() / 5000 + 1);
        let dribbling = Dribbling { inner: Cursor::new(&file), most, numbers: seeded(seed) };
        let mut reader = gzip(threads).reader(dribbling).expect("a reader");
        let mut read: Vec<u8> = Vec::new();
        loop {
            let ready = reader.fill_buf().expect("intact");
            let n = ready.len().min(numbers.random_range(0..100_000) + 1);
            read.extend(&ready[..n]);
            if n == 0 {
                break;
            }
            reader.consume(n);
        }
        prop_assert!(read == data, "in order");
        prop_assert_eq!(reader.read(&mut [0]).expect("the end"), 0);

        // From random positions.
        let mut oracle = Cursor::new(&data);
        oracle.set_position(data.len() as u64);
        for _ in 0..8 {
            let to = match numbers.random_range(0..3) {
                0 => SeekFrom::End(-numbers.random_range(0..=data.len()).cast_signed() as i64),
                1 => SeekFrom::Current(numbers.random_range(-70_000..70_000)),
                _ => SeekFrom::Start(numbers.random_range(0..=data.len() as u64 + 5)),
            };
            match (reader.seek(to), oracle.seek(to)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (ours, theirs) => prop_assert_eq!(ours.is_err(), theirs.is_err()),
            }
            let n = numbers.random_range(0_u64..50_000);
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            reader.by_ref().take(n).read_to_end(&mut ours).expect("intact");
            oracle.by_ref().take(n).read_to_end(&mut theirs).expect("reads from memory");
            prop_assert!(ours == theirs, "after {to:?}");
        }

        // Cut off, and failing at the same offset.
        let cut = numbers.random_range(0..file.len());
        let (read, error) = read_up_to_error(threads, &file[..cut]);
        prop_assert!(data.starts_with(&read), "cut at {cut}");
        prop_assert!(read.len() < data.len() || error.is_some() || data[read.len()..].is_empty());
        if cut > 0 {
            let (before, failed) = read_up_to_error(threads, Failing(&file[..cut]));
            prop_assert!(before == read, "failing at {cut}: {} of {}", before.len(), read.len());
            prop_assert!(matches!(failed, Some(Error::Io(_))), "{failed:?}");
        }
    }
}

/// Creates a member whose header has an extra field like BGZF's, with any size in it.
fn looks_like_a_block(data: &[u8], size: u16) -> Vec<u8> {
    let plain = by_flate2(data, 6, None);
    let mut file = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 6, 0, b'B', b'C', 2, 0];
    file.extend(size.to_le_bytes());
    file.extend(&plain[10..]);
    file
}

#[test]
fn members_with_a_wrong_block_size_are_read() {
    for data in [b"a few bytes".to_vec(), text(50_000, 1), text(3_000_000, 2)] {
        let true_size = looks_like_a_block(&data, 0).len() - 1;
        for size in [0, 5, 18, 25, 255, 10_000, 65_535, (true_size as u16).wrapping_sub(1)] {
            let member = looks_like_a_block(&data, size);
            let before = bgzf(1)
                .end_marker(false)
                .compress(&data[..], Vec::new())
                .expect("writes to memory");
            let mut files = vec![member.clone(), [&member[..], &[0; 100]].concat()];
            files.push([&member[..], &before].concat());
            // Only the first member of a file may be longer than a block.
            if member.len() < 60_000 {
                files.push([&before[..], &member, &before].concat());
            }
            for file in files {
                let mut expected = Vec::new();
                // What zlib reads; the zeros are an error for it.
                let _ = MultiGzDecoder::new(&file[..]).read_to_end(&mut expected);
                for threads in [1, 3] {
                    let (read, error) = read_up_to_error(threads, &file[..]);
                    assert!(error.is_none(), "{} bytes, {size}: {error:?}", data.len());
                    assert!(read == expected, "{} bytes, {size}", data.len());
                }
                let mut reader = gzip(2).reader(Cursor::new(&file)).expect("a reader");
                let len = reader.seek(SeekFrom::End(0)).expect("a valid position");
                assert_eq!(len, expected.len() as u64, "{} bytes, {size}", data.len());
                // If it is cut off, that is an error.
                let (read, error) = read_up_to_error(1, &member[..member.len() - 3]);
                assert!(error.is_some() && data.starts_with(&read));
            }
        }
    }
}

#[test]
fn blocks_with_a_wrong_size_are_read_if_everything_else_is_right() {
    let data = text(400_000, 1);
    let file = bgzf(1).compress(&data[..], Vec::new()).expect("writes to memory");
    let size = |at: usize| usize::from(u16::from_le_bytes([file[at + 16], file[at + 17]])) + 1;
    let mut at = 0;
    while at + 28 < file.len() {
        for wrong in [0, 20, 300, size(at) - 2, size(at), 60_000, 65_535] {
            let mut file = file.clone();
            file[at + 16..at + 18].copy_from_slice(&(wrong as u16).to_le_bytes());
            for threads in [1, 3] {
                let (read, error) = read_up_to_error(threads, &file[..]);
                assert!(error.is_none() && read == data, "{at}, {wrong}: {error:?}");
            }
            // If it is damaged as well, no byte of the block is returned before that is known.
            file[at + size(at) - 7] ^= 1;
            let (read, error) = read_up_to_error(2, &file[..]);
            assert!(matches!(error, Some(Error::Damaged { .. } | Error::Truncated { .. })));
            assert!(read.len() % 0xff00 == 0 && data.starts_with(&read), "{at}, {wrong}");
        }
        at += size(at);
    }
}

#[test]
fn the_end_stays_the_end_whatever_follows_it() {
    let data = text(300_000, 1);
    for layout in [Layout::OneMember, Layout::Bgzf] {
        let file =
            gzip(1).layout(layout).compress(&data[..], Vec::new()).expect("writes to memory");
        let offset = file.len() as u64;
        // As with gzip, members behind zeros and other garbage are ignored.
        for behind in [&[0; 100][..], b"garbage"] {
            let file = [&file[..], behind, &file].concat();
            for threads in [1, 3] {
                let options = gzip(threads).trailing_garbage(true);
                let mut reader = options.reader(Cursor::new(&file)).expect("a reader");
                let mut read = Vec::new();
                for _ in 0..3 {
                    reader.read_to_end(&mut read).expect("it is allowed");
                }
                assert!(read == data, "{layout:?}, {threads}");
                assert_eq!(reader.warnings(), [GzWarning::TrailingGarbage { offset }]);
                assert_eq!(
                    reader.seek(SeekFrom::End(0)).expect("a valid position"),
                    data.len() as u64
                );
                assert_eq!(reader.read(&mut [0]).expect("the end"), 0);
            }
        }
    }
}

/// Panics if it would have to wait for a message that is only sent after an answer.
struct Dialog {
    messages: std::collections::VecDeque<Vec<u8>>,
    may_read: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Read for Dialog {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::sync::atomic::Ordering;
        assert!(self.may_read.swap(false, Ordering::Relaxed), "it would wait forever");
        let Some(message) = self.messages.pop_front() else { return Ok(0) };
        buffer[..message.len()].copy_from_slice(&message);
        Ok(message.len())
    }
}

#[test]
fn flushed_data_is_returned_before_more_is_read() {
    use std::sync::atomic::{AtomicBool, Ordering};
    for (layout, threads) in
        [(Layout::OneMember, 1), (Layout::OneMember, 3), (Layout::Bgzf, 1), (Layout::Bgzf, 3)]
    {
        let mut writer = gzip(1).layout(layout).writer(Vec::new()).expect("a writer");
        let mut sent = 0;
        let data: Vec<_> = (0..40).map(|i| text(1 + i * 90, i as u64)).collect();
        let messages = data.iter().map(|data| {
            writer.write_all(data).expect("writes to memory");
            writer.flush().expect("writes to memory");
            let message = writer.get_ref()[sent..].to_vec();
            sent += message.len();
            message
        });
        let messages = messages.collect();
        let may_read = std::sync::Arc::new(AtomicBool::new(false));
        let dialog = Dialog { messages, may_read: may_read.clone() };
        let mut reader = gzip(threads).reader(dialog).expect("a reader");
        for data in data {
            may_read.store(true, Ordering::Relaxed);
            let mut read = vec![0; data.len()];
            reader.read_exact(&mut read).expect("a sent message");
            assert!(read == data, "{layout:?}, {threads} threads");
        }
    }
}

/// Bits of a deflate stream.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    len: usize,
}

impl Bits {
    /// Appends a number, lowest bit first.
    fn number(&mut self, number: u32, bits: usize) {
        (0..bits).for_each(|bit| self.bit(number >> bit & 1));
    }

    fn bit(&mut self, bit: u32) {
        if self.len.is_multiple_of(8) {
            self.bytes.push(0);
        }
        let last = self.bytes.len() - 1;
        self.bytes[last] |= (bit as u8) << (self.len % 8);
        self.len += 1;
    }

    /// Appends a stored block.
    fn stored(&mut self, data: &[u8], is_last: bool) {
        self.number(u32::from(is_last), 3);
        while !self.len.is_multiple_of(8) {
            self.bit(0);
        }
        let len = data.len() as u16;
        self.number(u32::from(len), 16);
        self.number(u32::from(!len), 16);
        for byte in data {
            self.number(u32::from(*byte), 8);
        }
    }

    /// Appends a code as it is written: first bit first.
    fn code(&mut self, code: &str) {
        code.bytes().for_each(|bit| self.bit(u32::from(bit - b'0')));
    }
}

#[test]
fn a_marker_inside_a_block_does_not_end_a_segment_even_if_zeros_would_end_the_block() {
    // Data for matches to refer to.
    let stored = noise(40_000, 3);
    let mut bits = Bits::default();
    bits.stored(&stored, false);
    // Codes: 00 ends the block; 01 and one extra bit are a length; 0 or 1 and 13 extra bits are a
    // distance.
    bits.number(0b100, 3);
    bits.number(11, 5);
    bits.number(29, 5);
    bits.number(14, 4);
    // Lengths of the codes for code lengths 17, 18, 2 and 1, in deflate's order.
    for len in [0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] {
        bits.number(len, 3);
    }
    let (one, two, few_zeros, zeros) = ("00", "01", "10", "11");
    for (code, extra, extra_bits) in [
        (zeros, 138 - 11, 7),
        (zeros, 118 - 11, 7),
        (two, 0, 0),
        (few_zeros, 8 - 3, 3),
        (two, 0, 0),
        (two, 0, 0),
        (two, 0, 0),
        (zeros, 28 - 11, 7),
        (one, 0, 0),
        (one, 0, 0),
    ] {
        bits.code(code);
        bits.number(extra, extra_bits);
    }
    let zeros = format!("01{}", "0".repeat(15));
    let ones = format!("01{}", "1".repeat(15));
    // The marker starts at a byte boundary, with the third bit of a match.
    while bits.len % 8 != 6 {
        bits.code(&zeros);
    }
    bits.code(&zeros);
    bits.code(&ones);
    assert!(bits.bytes.ends_with(&[0, 0, 0xff, 0xff]) && bits.len % 8 == 0);
    bits.code(&ones);
    bits.code("00");
    // More data that could be read ahead, and the end.
    let rest = noise(30_000, 4);
    bits.stored(&rest, false);
    bits.stored(&rest, true);
    let mut data = Vec::new();
    flate2::read::DeflateDecoder::new(&bits.bytes[..]).read_to_end(&mut data).expect("a stream");
    assert!(data.len() > 100_000);
    let file = member(&bits.bytes, &data);
    for threads in [1, 3] {
        let (read, error) = read_up_to_error(threads, &file[..]);
        assert!(error.is_none(), "{error:?}");
        assert!(read == data);
    }
}

#[test]
fn many_small_members_are_read() {
    let data = text(60, 1);
    let plain = by_flate2(&data, 6, None);
    let ours = compress(Kind::Ours, &data);
    for member in [plain, ours] {
        let file = member.repeat(20_000);
        let (read, error) = read_up_to_error(2, &file[..]);
        assert!(error.is_none() && read == data.repeat(20_000));
    }
}

#[test]
fn stored_markers_are_read() {
    let data = [0, 0, 0xff, 0xff].repeat(1 << 20);
    for file in [by_flate2(&data, 0, None), flushed(&data, 50_000, FlushCompress::Full)] {
        let (read, error) = read_up_to_error(2, &file[..]);
        assert!(error.is_none() && read == data);
    }
}

#[test]
fn reading_starts_far_enough_before_data_that_refers_back() {
    // The first pieces refer to nothing, the later ones to them.
    let once = noise(10_000, 1);
    let twice = noise(10_000, 2);
    let data = [&once[..], &twice, &once, &twice, &text(1_000_000, 3)].concat();
    let file = flushed(&data, 10_000, FlushCompress::Sync);
    for read_before in [0, 15_000, 25_000, data.len()] {
        for offset in [5_000, 10_000, 19_999, 20_001, 35_000, 700_000] {
            let mut reader = gzip(1).reader(Cursor::new(&file)).expect("a reader");
            reader.read_exact(&mut vec![0; read_before]).expect("intact");
            reader.seek(SeekFrom::Start(offset as u64)).expect("a valid position");
            let mut read = Vec::new();
            reader.read_to_end(&mut read).expect("intact");
            assert!(read == data[offset..], "at {offset} after {read_before}");
        }
    }
    // The same in an archive: each entry is opened, and reading continues behind it.
    let names: Vec<_> = (0..8).map(|i| format!("entry{i}")).collect();
    let mut archive = crate::common::options(1).writer(Vec::new()).expect("an archive");
    for (i, name) in names.iter().enumerate() {
        let contents = if i % 2 == 0 { &once } else { &twice };
        archive.append_bytes(name, contents).expect("writes to memory");
    }
    let mut tar = Vec::new();
    let made = archive.finish().expect("writes to memory");
    MultiGzDecoder::new(&made[..]).read_to_end(&mut tar).expect("zlib reads it");
    let file = flushed(&tar, 5_000, FlushCompress::Sync);
    let mut archive = ArchiveReader::new(Cursor::new(&file)).expect("a reader");
    for (i, name) in names.iter().enumerate() {
        let contents = if i % 2 == 0 { &once } else { &twice };
        let mut read = Vec::new();
        archive.open(name).expect("it exists").read_to_end(&mut read).expect("intact");
        assert!(&read == contents, "{name}");
        let mut left = names.len() - i - 1;
        while archive.next_entry().expect("intact").is_some() {
            left -= 1;
        }
        assert_eq!(left, 0, "behind {name}");
    }
    // Segments that cannot be inflated independently are recompressed.
    let mut indexed = Cursor::new(file);
    crate::common::options(1).index(&mut indexed).expect("it has segments");
    assert!(crate::common::verify(indexed.get_ref()).expect("intact").indexed);
}

#[test]
fn a_marker_in_a_stored_block_of_any_length_is_data() {
    for len in 0..100 {
        let mut bits = Bits::default();
        let data = [&[0, 0, 0xff, 0xff][..], &noise(len, 1), b"some text behind it"].concat();
        bits.stored(&data[..4 + len], false);
        bits.stored(&data[4 + len..], true);
        let (read, error) = read_up_to_error(1, &member(&bits.bytes, &data)[..]);
        assert!(error.is_none() && read == data, "{len}: {error:?}");
    }
}
