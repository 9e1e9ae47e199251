//! Block gzip and archives, against peers that know nothing of us.

mod append;
mod builder;
mod cases;
mod common;
mod damage;
mod device;
mod engines;
mod extract;
mod foreign;
mod fuzz;
mod gzip;
mod index;
mod memory;
mod neighbours;
mod peers;
mod resume;
mod tree;
