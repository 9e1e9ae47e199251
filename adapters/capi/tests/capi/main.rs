//! The library as C and C++ programs see it: header, exported symbols, behaviour, examples.

mod examples;
mod header;
mod programs;
mod symbols;
mod tools;
