//! Tests of gzip and archives, against peers that know nothing of our extensions.

mod append;
mod builder;
mod cases;
mod common;
mod damage;
mod device;
mod engines;
mod extract;
mod features;
mod foreign;
mod fuzz;
mod gzip;
mod headers;
mod index;
mod inputs;
mod joined;
mod layouts;
mod members;
mod memory;
mod neighbours;
mod peers;
mod plain;
mod resume;
mod tree;
