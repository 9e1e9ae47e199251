//! Channels relayed with several packets in flight, compared with packets relayed one by one.

mod parties;

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::{Format, Level, SoftwareCompressor};
use uadk_compress_pages::Error;
use uadk_compress_pages::multifd::{
    Event, Method, PacketNumbers, Receiver, Sender, Settings, relay, relay_pipelined,
};

use crate::guest::{all_settings, chain, frames};
use parties::{
    Destination, HookedEngine, NoHook, ODD_PACKET, ODD_PAGES, PanicsAt, Rendezvous,
    controlled_source, packets, with_timeout,
};

/// A relay, with a callback for what it has sent.
type Relay<R> = fn(
    &mut Receiver<R>,
    &mut Sender<Destination>,
    &mut (dyn FnMut(Event<'_>, u64) + Send),
) -> Result<(), Error>;

/// The reference for all relays: relays packets one by one.
fn one_by_one<R: Read>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<Destination>,
    seen: &mut (dyn FnMut(Event<'_>, u64) + Send),
) -> Result<(), Error> {
    while let Some(event) = receiver.receive().map_err(|error| Error::Source(Box::new(error)))? {
        let before = sender.payload_bytes();
        let sent = match event {
            Event::Pages(packet) => sender.relay(packet),
            Event::Sync { number } => sender.relay_sync(number),
            Event::DeviceState(state) => sender.relay_device_state(state),
            other => panic!("{other:?}"),
        };
        sent.map_err(|error| Error::Destination(Box::new(error)))?;
        seen(event, sender.payload_bytes() - before);
    }
    Ok(())
}

fn serial<R: Read + Send>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<Destination>,
    seen: &mut (dyn FnMut(Event<'_>, u64) + Send),
) -> Result<(), Error> {
    relay(receiver, sender, seen)
}

fn pipelined<R: Read + Send>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<Destination>,
    seen: &mut (dyn FnMut(Event<'_>, u64) + Send),
) -> Result<(), Error> {
    relay_pipelined(receiver, sender, || (), seen)
}

/// All observable results of a relay.
#[derive(Debug, PartialEq, Eq)]
struct Observed {
    outcome: Result<(), String>,
    seen: Vec<String>,
    written: Vec<u8>,
}

/// Relays a stream to a destination that fails after `capacity` bytes.
fn observe<'s>(
    relay: Relay<&'s [u8]>,
    stream: &'s [u8],
    (from, to): (&Settings, &Settings),
    capacity: usize,
) -> Observed {
    let destination = Destination::new(capacity);
    let written = destination.written();
    let mut receiver = Receiver::new(stream, from).expect("a hello");
    let mut sender = Sender::new(destination, 3, to, PacketNumbers::default())
        .expect("enough space for a hello");
    let mut seen = Vec::new();
    let outcome = relay(&mut receiver, &mut sender, &mut |event, bytes| {
        seen.push(match event {
            Event::Pages(packet) => format!(
                "{} of {} pages, {} zero, {} to {bytes} bytes",
                packet.number(),
                packet.pages().len(),
                packet.zero_pages().len(),
                packet.payload_len(),
            ),
            other => format!("{other:?} {bytes}"),
        });
    });
    let outcome = outcome.map_err(|error| chain(&error));
    let written = written.lock().clone();
    Observed { outcome, seen, written }
}

#[test]
fn the_bytes_are_those_of_packets_relayed_one_by_one() {
    for from in all_settings() {
        let stream = packets(&from).concat();
        for to in all_settings() {
            let observe = |relay| observe(relay, &stream, (&from, &to), usize::MAX);
            let expected = observe(one_by_one);
            assert_eq!(expected.outcome, Ok(()));
            for relay in [serial, pipelined] {
                assert!(observe(relay) == expected, "{from:?} {to:?}");
            }
        }
    }
}

#[test]
fn errors_in_any_packet_are_those_of_packets_relayed_one_by_one() {
    for method in Method::ALL {
        let (from, to) = (Settings::new(method), Settings::new(Method::Uadk));
        let packets = packets(&from);
        for damaged in 1..packets.len() {
            let len = packets[damaged].len();
            let (before, after) = (packets[..damaged].concat(), packets[damaged + 1..].concat());
            // The magic, the name of a ramblock or device, the payload if there is one.
            let flipped = [0, 64, 1400].into_iter().filter(|at| *at < len).map(|at| {
                let mut packet = packets[damaged].clone();
                packet[at] ^= 0x80;
                [&before[..], &packet, &after].concat()
            });
            let cut = [&before[..], &packets[damaged][..len / 2]].concat();
            for stream in flipped.chain([cut]) {
                let observe = |relay| observe(relay, &stream, (&from, &to), usize::MAX);
                let expected = observe(one_by_one);
                assert!(observe(pipelined) == expected, "{method}, {:?}", expected.outcome);
            }
        }
    }
}

#[test]
fn a_destination_that_fails_is_the_error_of_the_packet_that_did_not_fit() {
    for method in Method::ALL {
        let (from, to) = (Settings::new(Method::Uadk), Settings::new(method));
        let stream = packets(&from).concat();
        let whole = observe(one_by_one, &stream, (&from, &to), usize::MAX).written.len();
        for capacity in (64..whole).step_by(whole / 40) {
            let observe = |relay| observe(relay, &stream, (&from, &to), capacity);
            let expected = observe(one_by_one);
            let outcome = expected.outcome.as_ref().unwrap_err();
            assert!(outcome.starts_with("the channel to the destination failed"), "{outcome}");
            assert!(observe(pipelined) == expected, "{method}, {outcome}");
        }
    }
}

/// QEMU sends nothing after a SYNC before the destination has answered it.
#[test]
fn every_packet_comes_out_before_the_source_sends_another() {
    for from in all_settings() {
        for to in all_settings() {
            let settings = from.clone();
            with_timeout(move || {
                let packets = packets(&settings);
                let (source, input) = controlled_source();
                let (passed, relayed) = channel();
                source.send(&packets[0]);
                let relaying = thread::spawn(move || {
                    let mut receiver = Receiver::new(input, &settings).expect("a hello");
                    let output = Destination::new(usize::MAX);
                    let numbers = PacketNumbers::default();
                    let mut sender = Sender::new(output, 3, &to, numbers).expect("a hello");
                    relay_pipelined(
                        &mut receiver,
                        &mut sender,
                        || (),
                        |_, _| {
                            passed.send(()).expect("the test waits for it");
                        },
                    )
                });
                for packet in &packets[1..] {
                    source.send(packet);
                    relayed.recv().expect("relayed");
                }
                source.close();
                relaying.join().expect("no panic").expect("intact");
            });
        }
    }
}

#[test]
fn two_packets_are_at_the_engine_at_once() {
    let engine = || Settings::new(Method::Uadk).codec(HookedEngine::new(Rendezvous::default()));
    let zstd = HookedEngine::for_format(Format::Zstd, Rendezvous::default());
    for (from, to) in [
        (Settings::new(Method::None), frames().codec(zstd)),
        (Settings::new(Method::None), engine()),
        (engine(), Settings::new(Method::None)),
        (Settings::new(Method::Zstd), engine()),
    ] {
        with_timeout(move || {
            let stream = packets(&from.clone().codec(HookedEngine::new(NoHook))).concat();
            let observed = observe(pipelined, &stream, (&from, &to), usize::MAX);
            assert_eq!(observed.outcome, Ok(()));
        });
    }
}

#[test]
fn at_most_four_packets_and_one_device_state_are_in_memory() {
    let settings = Settings::new(Method::Uadk);
    let (source, input) = controlled_source();
    let packets = packets(&settings);
    for packet in &packets {
        source.send(packet);
    }
    let begun = source.begun();
    source.close();
    let mut receiver = Receiver::new(input, &settings).expect("a hello");
    let numbers = PacketNumbers::default();
    let output = Destination::new(usize::MAX);
    let mut sender = Sender::new(output, 3, &settings, numbers).expect("a hello");
    // The hello; each call adds a packet.
    let mut relayed = 1;
    relay_pipelined(
        &mut receiver,
        &mut sender,
        || (),
        |event, _| {
            relayed += 1;
            let ahead = if matches!(event, Event::DeviceState(_)) { 0 } else { 3 };
            // Time to read more than allowed.
            thread::sleep(Duration::from_millis(2));
            assert!(begun.load(Relaxed) <= relayed + ahead, "{event:?}");
        },
    )
    .expect("intact");
    assert_eq!(relayed, packets.len());
}

/// Relays a source that is silent after `sent` packets to a destination that fails after `capacity`
/// bytes.
fn relay_from_silent_source(
    sent: usize,
    from: Settings,
    to: Settings,
    capacity: usize,
    seen: impl FnMut(Event<'_>, u64) + Send + 'static,
) -> Result<(), Error> {
    with_timeout(move || {
        let (source, input) = controlled_source();
        let packets = packets(&from.clone().codec(HookedEngine::new(NoHook)));
        for packet in &packets[..=sent] {
            source.send(packet);
        }
        let mut receiver = Receiver::new(input, &from).expect("a hello");
        let numbers = PacketNumbers::default();
        let mut sender = Sender::new(Destination::new(capacity), 3, &to, numbers).expect("a hello");
        let mut source = Some(source);
        let interrupt = move || drop(source.take());
        relay_pipelined(&mut receiver, &mut sender, interrupt, seen)
    })
}

#[test]
fn a_failure_interrupts_the_wait_for_a_silent_source() {
    let (none, uadk) = (Settings::new(Method::None), Settings::new(Method::Uadk));
    let sent = packets(&none);
    let stream = sent.concat();
    let whole = observe(one_by_one, &stream, (&none, &uadk), usize::MAX);
    let (sent, capacity) = (sent.len() - 1, whole.written.len() - 1);
    let error = relay_from_silent_source(sent, none.clone(), uadk.clone(), capacity, |_, _| ())
        .unwrap_err();
    let expected = format!("multifd channel 3 failed at packet {}", sent - 1);
    assert!(chain(&error).contains(&expected), "{}", chain(&error));
    assert!(matches!(error, Error::Destination(_)), "{error:?}");

    let software = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("supports the format");
    let refusing = FaultInjector::new(software, |_| Some(Fault::Refuse));
    let refusing = uadk.codec(Arc::new(refusing));
    let error = relay_from_silent_source(1, refusing, none, usize::MAX, |_, _| ()).unwrap_err();
    assert!(matches!(error, Error::Source(_)), "{error:?}");
}

#[test]
fn a_codec_that_panics_is_an_error_of_the_packet() {
    let uadk = || Settings::new(Method::Uadk);
    let panicking = || uadk().codec(HookedEngine::new(PanicsAt(ODD_PAGES)));
    for (from, to) in [(uadk(), panicking()), (panicking(), uadk())] {
        let error =
            relay_from_silent_source(ODD_PACKET + 1, from, to, usize::MAX, |_, _| ()).unwrap_err();
        let expected = format!(
            "multifd channel 3 failed at packet {ODD_PACKET}: a job panicked: panic in the codec"
        );
        assert_eq!(chain(&error), expected);
    }
}

#[test]
fn a_panic_of_the_caller_unwinds_though_the_source_is_silent() {
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let (from, to) = (Settings::new(Method::None), Settings::new(Method::Uadk));
        let mut sent = 0;
        relay_from_silent_source(5, from, to, usize::MAX, move |_, _| {
            sent += 1;
            assert!(sent < 5, "panic in the caller");
        })
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"panic in the caller"));
}
