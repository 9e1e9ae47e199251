//! Every engine keeps the trait's promises, on its own and behind every pointer and decorator.

mod common;

use std::sync::Arc;

use common::{ALL_FORMATS, FORMATS};
use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::{
    BlockCompressor, Checked, Compressor, Dictionary, Error, Format, Level, OffloadCompressor,
    Policy, SoftwareCompressor, SoftwareEncoder, UadkConfig, conformance,
};
use uadk_sim::{Machine, Simulator};

fn software(format: Format) -> SoftwareCompressor {
    SoftwareCompressor::new(format, Level::FAST).expect("a supported format")
}

#[test]
fn both_software_encoders() {
    for encoder in [SoftwareEncoder::BlockDeflate, SoftwareEncoder::Libdeflate] {
        for format in FORMATS {
            conformance::all(&software(format).with_encoder(encoder));
        }
    }
}

#[test]
fn zstd_and_lz4_in_software() {
    for format in [Format::Zstd, Format::Lz4] {
        for level in [-7, 1, 9] {
            let codec = SoftwareCompressor::new(format, Level::nearest(level));
            let codec = codec.expect("a supported format");
            conformance::all(&codec);
            conformance::all(&codec.clone().with_checksum(true));
            let dictionary = Dictionary::new(*b"block page the of a column family level index ");
            conformance::all(&codec.with_dictionary(dictionary).expect("both have dictionaries"));
        }
    }
}

#[test]
fn references_boxes_and_arcs() {
    let engine = software(Format::Zlib);
    conformance::all(&&engine);
    conformance::all(&Box::new(engine.clone()));
    conformance::all(&Arc::new(engine.clone()));
    let boxed: Box<dyn BlockCompressor> = Box::new(engine.clone());
    conformance::all(&boxed);
    let shared: Arc<dyn BlockCompressor> = Arc::new(engine);
    conformance::all(&shared);
    conformance::all(&&*shared);
}

#[test]
fn decorators() {
    let engine = software(Format::Gzip);
    conformance::all(&Checked::new(engine.clone()));
    conformance::all(&FaultInjector::new(engine.clone(), |_| None));
    let policy = Policy::default().with_min_block(0);
    let both = OffloadCompressor::new(engine.clone(), engine.clone(), policy).expect("one format");
    conformance::all(&both);
    let reason = "not wanted";
    conformance::all(&OffloadCompressor::software_only(engine, reason, Policy::default()));
}

#[test]
fn a_compressor_on_a_device() {
    let _sim = Simulator::acquire(Machine::lz77());
    for format in ALL_FORMATS {
        let config = UadkConfig::default().with_background(false);
        // So that a busy machine does not matter.
        let policy = Policy::default().with_max_delay(std::time::Duration::MAX);
        let builder = Compressor::builder().format(format).uadk(config).policy(policy);
        let compressor = builder.build_on(&uadk_sim::libwd()).expect("a healthy device");
        conformance::all(&compressor);
        let stats = compressor.stats();
        assert!(stats.accelerator.blocks() > 100, "{stats}");
    }
}

#[test]
fn an_engine_that_breaks_a_promise_fails() {
    for fault in
        [Fault::WrongOutput, Fault::WrongLength, Fault::ShortLength, Fault::NoLength, Fault::Refuse]
    {
        // Only some requests, and not the first.
        let broken = {
            let fault = fault.clone();
            FaultInjector::new(software(Format::Zlib), move |n| (n % 3 == 2).then(|| fault.clone()))
        };
        let all = std::panic::AssertUnwindSafe(|| conformance::all(&broken));
        let found = std::panic::catch_unwind(all).is_err();
        assert!(found, "{fault:?}");
    }
}

/// Skips the first block of a batch.
#[derive(Debug)]
struct Forgetful(SoftwareCompressor);

impl BlockCompressor for Forgetful {
    fn format(&self) -> Format {
        self.0.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.0.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.0.compress(src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.0.decompress(src, dst)
    }
    fn compress_batch(&self, blocks: &mut [uadk_compress::Block<'_>]) {
        self.0.compress_batch(&mut blocks[1..]);
    }
}

#[test]
fn a_skipped_block_fails_the_test_and_is_handled_by_the_policy() {
    let forgetful = || Forgetful(software(Format::Zlib));
    assert!(std::panic::catch_unwind(|| conformance::all(&forgetful())).is_err());
    let policy = Policy::default().with_min_block(0);
    let both = OffloadCompressor::new(forgetful(), software(Format::Zlib), policy);
    conformance::all(&both.expect("one format"));
}
