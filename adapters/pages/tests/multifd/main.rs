//! Multifd streams: what is sent arrives, what real QEMUs sent arrives, and damage is an error.

mod accelerator;
mod damage;
mod guest;
mod lies;
mod mutations;
mod relay;
mod replay;
mod round_trip;
mod rounds;
mod writers;
