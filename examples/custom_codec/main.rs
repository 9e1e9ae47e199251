//! Uses a codec that RocksDB lacks as a column family's compression, without writing C++.
//!
//! `cargo run --example custom_codec`

mod lz4;

use rocksdb::{DB, Options};
use uadk_compress::conformance;
use uadk_compress_rocksdb::{OptionsExt, Schema, register};

use lz4::Lz4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The checks that every block compressor should pass.
    conformance::all(&Lz4);

    let dir = tempfile::tempdir()?;
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_compressor(Lz4, Schema::custom("MyLz4"))?;
    let value = b"a value that repeats itself, ".repeat(1000);
    {
        let db = DB::open(&options, dir.path())?;
        for i in 0..1000_u32 {
            db.put(i.to_be_bytes(), &value)?;
        }
        db.flush()?;
        let size = db.property_int_value("rocksdb.total-sst-files-size")?.unwrap_or_default();
        println!("{} bytes of values in {size} bytes of files", 1000 * value.len());
    }

    // The files record which codec they need. Once it is registered, any code in the program finds
    // it.
    register(Lz4, Schema::custom("MyLz4"))?;
    let db = DB::open_default(dir.path())?;
    assert_eq!(db.get(999_u32.to_be_bytes())?, Some(value));
    println!("read back through DB::open_default");
    Ok(())
}
