//! flate2 and tar.

use std::env;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::process::ExitCode;

use flate2::bufread::{GzDecoder, MultiGzDecoder};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [method, file] = &arguments[..] else {
        eprintln!("usage: read METHOD FILE");
        return ExitCode::from(64);
    };
    match read(method, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{method}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(method: &str, file: &str) -> io::Result<()> {
    let file = BufReader::new(File::open(file)?);
    match method {
        "GzDecoder" => print(GzDecoder::new(file)),
        "MultiGzDecoder" => print(MultiGzDecoder::new(file)),
        "tar on GzDecoder" => extract(GzDecoder::new(file)),
        "tar on MultiGzDecoder" => extract(MultiGzDecoder::new(file)),
        _ => Err(io::Error::other("unknown method")),
    }
}

fn print(mut input: impl Read) -> io::Result<()> {
    io::copy(&mut input, &mut io::stdout()).map(drop)
}

fn extract(input: impl Read) -> io::Result<()> {
    tar::Archive::new(input).unpack(".")
}
