//! Restores a guest's memory lazily: the process reads memory that isn't populated yet, and each
//! page is loaded from the snapshot on first access, through userfaultfd. Prints the time to the
//! first page, and the time of a full restore.
//!
//!     cargo run --release --example lazy_restore -- --size 1024
//!     cargo run --release --example lazy_restore -- --snapshot FILE
//!
//! Needs root, or `sysctl vm.unprivileged_userfaultfd=1`.

mod memory;

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress::{BlockCompressor, Compressor, Level};
use uadk_compress_pages::GuestRam;
use uadk_compress_pages::snapshot::{
    Chain, Layout, Pages, Region, RestoreOptions, SaveOptions, Snapshot, restore, save,
};

use memory::Mapping;

/// Restores a snapshot lazily, and then in full.
#[derive(Debug, Parser)]
struct Arguments {
    /// A snapshot made by `uadk-compress pages save` [default: a snapshot of generated memory]
    #[arg(long)]
    snapshot: Option<PathBuf>,
    /// Size of the generated memory in MiB
    #[arg(long, default_value_t = 256)]
    size: u64,
    /// Number of pages to access
    #[arg(long, default_value_t = 1000)]
    touch: u64,
    /// Keep the generated snapshot at this path
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let path = match (&arguments.snapshot, &arguments.keep) {
        (Some(path), _) => path.clone(),
        (None, keep) => {
            let path = keep.clone().unwrap_or_else(|| folder.path().join("snapshot"));
            make(&path, arguments.size << 20)?;
            path
        }
    };
    let lazy = restore_lazily(&path, arguments.touch)?;
    let full = restore_fully(&path)?;
    println!("first page              {:>9.2} ms", millis(lazy.first));
    println!("{:>5} pages, one by one {:>9.2} ms", arguments.touch, millis(lazy.touched));
    println!("full restore            {:>9.2} ms", millis(full));
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Creates a snapshot of memory in which every other page is non-zero.
fn make(path: &PathBuf, len: u64) -> Result<(), Box<dyn Error>> {
    let mapping = Mapping::new(len as usize)?;
    let ram = [mapping.ram()];
    for (number, offset) in (0..len).step_by(4096).enumerate().filter(|(number, _)| number % 2 == 0)
    {
        let text = format!("page {number} of a guest that is restored lazily; ");
        let page: Vec<u8> = text.bytes().cycle().take(4096).collect();
        ram[0].write(offset, &page)?;
    }
    let layout = Layout::new(vec![Region { address: 0, len }])?;
    let codec: Arc<dyn BlockCompressor> =
        Arc::new(Compressor::builder().level(Level::nearest(1)).build()?);
    let mut file = File::create(path)?;
    let options = SaveOptions::default();
    let saved = save(&mut file, &layout, &ram[..], Pages::All, &codec, &options, &mut |_| {})?;
    let mib = |bytes: u64| bytes >> 20;
    println!("{} MiB of memory, {} MiB in the snapshot", mib(len), mib(saved.progress.file));
    Ok(())
}

/// Times since the snapshot was opened.
struct Times {
    /// Until the first page was read.
    first: Duration,
    /// Until all pages were accessed.
    touched: Duration,
}

fn restore_lazily(path: &PathBuf, touch: u64) -> Result<Times, Box<dyn Error>> {
    let start = Instant::now();
    let chain = Arc::new(Chain::new(vec![Snapshot::open(File::open(path)?)?])?);
    let region = chain.layout().regions()[0];
    let mapping = Mapping::new(region.len as usize)?;
    mapping.fault_from(Arc::clone(&chain), region.address)?;
    // From here on, memory can be read as if it were populated.
    let ram = mapping.ram();
    let pages = region.len / 4096;
    let mut page = [0; 4096];
    ram.read(pages / 2 * 4096, &mut page)?;
    let first = start.elapsed();
    let mut expected = chain.pages();
    let mut numbers = Pcg64Mcg::seed_from_u64(1);
    for _ in 0..touch {
        let offset = numbers.random_range(0..pages) * 4096;
        ram.read(offset, &mut page)?;
        let expected = expected.read(region.address + offset)?.unwrap_or(&[0; 4096]);
        assert!(expected == page, "wrong page at {offset:#x}");
    }
    Ok(Times { first, touched: start.elapsed() })
}

fn restore_fully(path: &PathBuf) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let chain = Chain::new(vec![Snapshot::open(File::open(path)?)?])?;
    let regions = chain.layout().regions();
    let mappings =
        regions.iter().map(|r| Mapping::new(r.len as usize)).collect::<Result<Vec<_>, _>>()?;
    let ram: Vec<GuestRam<'_>> = mappings.iter().map(Mapping::ram).collect();
    let fresh = RestoreOptions::default().zero_pages(uadk_compress_pages::ZeroPages::Fresh);
    restore(&chain, &ram[..], &fresh, &mut |_| {})?;
    Ok(start.elapsed())
}
