//! Blocks from random positions of all table files.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rocksdb::{DBRawIterator, LiveFile, ReadOptions};

use crate::block::{BlockBuilder, KEY_TRAILER, Layout};
use crate::database::{Database, Family, Level};
use crate::error::Error;
use crate::locate::{FileRange, stored_between};

/// Blocks around a sampled one by which its weight is measured. RocksDB's index is precise to a
/// block.
const WINDOW: u64 = 8;
/// Two runs on one database sample the same blocks.
const SEED: u64 = 1;

/// The blocks of a level.
#[derive(Debug)]
pub(crate) struct LevelSample {
    /// Its place in [`Database::families`], and in that family's levels.
    pub(crate) family: usize,
    pub(crate) level: usize,
    pub(crate) blocks: Vec<Vec<u8>>,
    /// Bytes of the records in the blocks, as [`Properties::raw`](crate::properties::Properties)
    /// counts them.
    pub(crate) raw: u64,
}

impl LevelSample {
    /// Returns the size of the blocks in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.blocks.iter().map(|block| block.len() as u64).sum()
    }
}

/// Samples about `count` blocks, from each level as many as its share of the database, and at least
/// one. `progress` is called with the number of blocks read since the last call.
pub(crate) fn take(
    database: &Database,
    count: u32,
    progress: impl Fn(u64),
) -> Result<Vec<LevelSample>, Error> {
    let total: u64 = levels(database).map(|(_, _, level)| level.size()).sum();
    let mut rng = Pcg64Mcg::seed_from_u64(SEED);
    let mut samples = Vec::new();
    for (family, number, level) in levels(database) {
        let share = u64::from(count) * level.size() / total.max(1);
        let mut reader = Reader::new(database, &database.families[family], number)?;
        let available = level.properties.raw / reader.layout.block_size as u64;
        let mut drawn = Vec::new();
        for part in positions(share.min(available).max(1), &mut rng) {
            drawn.extend(reader.read(level, part, &mut rng)?);
            progress(1);
        }
        let (blocks, raw) = resample(&drawn, &mut rng);
        let sample = LevelSample { family, level: number, blocks, raw };
        if !sample.blocks.is_empty() {
            samples.push(sample);
        }
    }
    if samples.is_empty() { Err(Error::NoRecords) } else { Ok(samples) }
}

fn levels(database: &Database) -> impl Iterator<Item = (usize, usize, &Level)> {
    database.families.iter().enumerate().flat_map(|(family, entry)| {
        entry.levels.iter().enumerate().map(move |(level, entry)| (family, level, entry))
    })
}

/// Returns positions from 0 to 1, a random one in each of `count` equal parts.
fn positions(count: u64, rng: &mut Pcg64Mcg) -> Vec<f64> {
    (0..count).map(|i| (i as f64 + rng.random::<f64>()) / count as f64).collect()
}

/// Reads blocks of one level.
struct Reader<'a> {
    database: &'a Database,
    family: &'a Family,
    layout: Layout,
    iterator: DBRawIterator<'a>,
    /// The largest sequence number to give to keys; 0 in the last level, where RocksDB sets it to 0
    /// once no snapshot needs it.
    last_sequence: u64,
}

impl<'a> Reader<'a> {
    fn new(database: &'a Database, family: &'a Family, level: usize) -> Result<Self, Error> {
        let mut options = ReadOptions::default();
        // Without it, a prefix extractor would hide keys of other prefixes.
        options.set_total_order_seek(true);
        options.fill_cache(false);
        let handle = database.handle(&family.name)?;
        let is_last = level + 1 == family.levels.len();
        Ok(Self {
            database,
            family,
            layout: family.options.layout,
            iterator: database.db().raw_iterator_cf_opt(handle, options),
            last_sequence: if is_last { 0 } else { database.db().latest_sequence_number() },
        })
    }

    /// Returns a block that begins near the position `part` of the level's files; `None` if there
    /// are only deleted records from there on.
    fn read(
        &mut self,
        level: &Level,
        part: f64,
        rng: &mut Pcg64Mcg,
    ) -> Result<Option<Drawn>, Error> {
        let (file, part) = file_at(level, part);
        let handle = self.database.handle(&self.family.name)?;
        let db = self.database.db();
        let Some(range) = FileRange::new(db, handle, file, self.layout.block_size) else {
            return Ok(None);
        };
        self.iterator.seek(range.key_at(part));
        let first = self.iterator.key().map(<[u8]>::to_vec).unwrap_or_default();
        let mut block = BlockBuilder::new(self.layout);
        let mut raw = 0;
        while let Some((key, value)) = self.iterator.item() {
            if block.is_full_for(key, value) {
                break;
            }
            // Records that arrived in random order have random sequence numbers.
            block.add(key, rng.random_range(0..=self.last_sequence), value);
            raw += record_len(key, value);
            self.iterator.next();
        }
        let around = raw + self.skip(WINDOW * self.layout.block_size as u64);
        let failed = |source| Error::Sample { family: self.family.name.clone(), source };
        self.iterator.status().map_err(failed)?;
        let stored = self.iterator.key().map_or(0, |last| stored_between(db, handle, &first, last));
        let weight = if stored == 0 { 1.0 } else { around as f64 / stored as f64 };
        Ok(block.finish().map(|contents| Drawn { contents, raw, weight }))
    }

    /// Reads on for about `len` bytes of records, and returns how many there were.
    fn skip(&mut self, len: u64) -> u64 {
        let mut skipped = 0;
        while let Some((key, value)) = self.iterator.item().filter(|_| skipped < len) {
            skipped += record_len(key, value);
            self.iterator.next();
        }
        skipped
    }
}

/// A block that was read.
struct Drawn {
    contents: Vec<u8>,
    /// Bytes of its records.
    raw: u64,
    /// Bytes of records for each byte in files, around it.
    weight: f64,
}

/// Corrects the choice of blocks. Positions were drawn by bytes in files, so that data which is
/// compressed well today was drawn too rarely. Returns as many blocks, drawn from these by their
/// weights, and the bytes of their records.
fn resample(drawn: &[Drawn], rng: &mut Pcg64Mcg) -> (Vec<Vec<u8>>, u64) {
    let step = drawn.iter().map(|block| block.weight).sum::<f64>() / drawn.len() as f64;
    let mut next = step * rng.random::<f64>();
    let (mut blocks, mut raw, mut end) = (Vec::with_capacity(drawn.len()), 0, 0.0);
    for block in drawn {
        end += block.weight;
        while next < end {
            blocks.push(block.contents.clone());
            raw += block.raw;
            next += step;
        }
    }
    (blocks, raw)
}

/// Returns the length of a record as RocksDB's properties count it.
const fn record_len(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + KEY_TRAILER + value.len()) as u64
}

/// Returns the file at the position `part` of a level's files, and the position in the file.
fn file_at(level: &Level, part: f64) -> (&LiveFile, f64) {
    let mut rest = level.size() as f64 * part;
    let last = &level.files[level.files.len() - 1];
    for file in &level.files {
        let size = file.size as f64;
        if rest < size {
            return (file, rest / size);
        }
        rest -= size;
    }
    (last, 1.0)
}
