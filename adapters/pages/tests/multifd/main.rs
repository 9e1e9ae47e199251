//! Multifd streams: pages that this crate or a real QEMU sends arrive, and damage is an error.

mod accelerator;
mod damage;
mod frames;
mod guest;
mod lies;
mod mutations;
mod relay;
mod replay;
mod round_trip;
mod rounds;
mod writers;
