//! Streams written and read with a simulated accelerator that fails.

use std::sync::Arc;

use uadk_compress::clock::SystemClock;
use uadk_compress::{
    Format, Level, OffloadCompressor, Policy, SoftwareCompressor, UadkCompressor, UadkConfig,
};
use uadk_compress_pages::multifd::{Method, Settings};
use uadk_sim::{Machine, Simulator};

use crate::guest::{Memory, receive, stream};

#[test]
fn single_pages_that_the_accelerator_fails_on_are_processed_in_software() {
    let sim = Simulator::acquire(Machine::default());
    let software =
        SoftwareCompressor::new(Format::Zlib, Level::BALANCED).expect("supports the format");
    let clock = SystemClock::default();
    let config = UadkConfig::default().with_background(false);
    let uadk = UadkCompressor::with_libwd(&uadk_sim::libwd(), Format::Zlib, &config, clock)
        .expect("there is a device");
    let engines = OffloadCompressor::new(uadk, software, Policy::default()).expect("one format");
    let engines = Arc::new(engines);
    let memory = Memory::guest_like(512);
    for script in
        ["no-faults", "busy=1/10", "no-faults; status=1/30:67", "no-faults; return=1/50:-5"]
    {
        sim.script(script).expect("a script");
        let settings = Settings::new(Method::Uadk).codec(engines.clone());
        let stream =
            stream(&settings, |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
        let arrived = Memory::new(512);
        receive(&stream, &settings, &arrived).expect(script);
        assert!(arrived.bytes() == memory.bytes(), "{script}");
        // Software reads what the device compressed.
        let arrived = Memory::new(512);
        receive(&stream, &Settings::new(Method::Uadk), &arrived).expect(script);
        assert!(arrived.bytes() == memory.bytes(), "{script}");
    }
    let stats = engines.stats();
    assert!(stats.accelerator.compress.blocks > 128, "{stats}");
    assert!(stats.software.compress.blocks > 0, "{stats}");
}
