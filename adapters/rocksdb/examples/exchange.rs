//! Writes and reads the records of the C++ plugin's test programs (plugin/tests/records.h), for
//! `tools/test-plugin`:
//!
//! ```text
//! exchange write PATH TYPE     # the type as in OPTIONS files: kZSTD
//! exchange read PATH           # with the options of the database's OPTIONS file
//! ```

use std::error::Error;
use std::fmt::Write;

use rocksdb::{Cache, DB, Env, IteratorMode, Options};
use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema, register};

const RECORDS: usize = 20_000;

fn key(i: usize) -> String {
    format!("key{i:06}")
}

fn value(i: usize) -> String {
    (0..=i * 7 % 30).fold(String::new(), |mut value, repeat| {
        // Writing to a string does not fail.
        let _ = write!(value, "value {}, ", i + repeat * repeat);
        value
    })
}

fn write(path: &str, compression_type: &str) -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_compressor(BlockCompressors::all()?, Schema::Stock)?;
    let options = options.get_options_from_string(format!("compression={compression_type}"))?;
    let db = DB::open(&options, path)?;
    for i in 0..RECORDS {
        db.put(key(i), value(i))?;
    }
    db.flush()?;
    db.compact_range(None::<&[u8]>, None::<&[u8]>);
    println!("written");
    Ok(())
}

fn read(path: &str) -> Result<(), Box<dyn Error>> {
    let (options, families) =
        Options::load_latest(path, Env::new()?, false, Cache::new_lru_cache(1 << 20))?;
    let db = DB::open_cf_descriptors(&options, path, families)?;
    let mut count = 0;
    for (i, record) in db.iterator(IteratorMode::Start).enumerate() {
        let (found_key, found_value) = record?;
        if *found_key != *key(i).as_bytes() || *found_value != *value(i).as_bytes() {
            return Err(format!("record {i} is wrong").into());
        }
        count += 1;
    }
    if count != RECORDS {
        return Err(format!("{count} records, not {RECORDS}").into());
    }
    println!("read");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    register(BlockCompressors::all()?, Schema::Stock)?;
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", path, compression_type] => write(path, compression_type),
        ["read", path] => read(path),
        _ => Err("usage: exchange write PATH TYPE | exchange read PATH".into()),
    }
}
