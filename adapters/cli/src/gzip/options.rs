//! The options of gzip and bgzip.

use super::getopt::Opt;

/// The meaning of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// Only matters on systems with other line endings.
    Ascii,
    /// The bits of compress's format for gzip, an offset for bgzip.
    BitsOrOffset,
    Bgzf,
    Decompress,
    Force,
    Help,
    Index,
    IndexName,
    Json,
    Keep,
    Level,
    LevelDigit(u8),
    License,
    List,
    Lzw,
    Name,
    NoName,
    NoTime,
    Quiet,
    Rebgzip,
    RecursiveOrReindex,
    Rsyncable,
    Size,
    Stats,
    Stdout,
    Suffix,
    Synchronous,
    Test,
    Threads,
    Time,
    Verbose,
    Version,
}

const fn opt(
    flag: Flag,
    short: &'static str,
    long: &'static [&'static str],
    help: &'static str,
) -> Opt<Flag> {
    Opt { flag, short, long, value: None, help, is_extension: false }
}

const fn hidden(flag: Flag, short: &'static str) -> Opt<Flag> {
    opt(flag, short, &[], "")
}

impl Opt<Flag> {
    const fn with(self, value: &'static str) -> Self {
        Self { value: Some(value), ..self }
    }

    const fn extension(self) -> Self {
        Self { is_extension: true, ..self }
    }
}

/// The help of `--stats`.
const STATS: &str = "report the blocks of each engine, and why the accelerator was not used";

/// The options of gzip, in the order of its help, followed by our extensions.
pub(super) const GZIP: &[Opt<Flag>] = &[
    opt(Flag::Ascii, "a", &["ascii"], ""),
    opt(Flag::BitsOrOffset, "b", &["bits"], "").with("BITS"),
    opt(
        Flag::Stdout,
        "c",
        &["stdout", "to-stdout"],
        "write on standard output, keep original files unchanged",
    ),
    opt(Flag::Decompress, "d", &["decompress", "uncompress"], "decompress"),
    opt(Flag::Force, "f", &["force"], "force overwrite of output file and compress links"),
    opt(Flag::Help, "hH?", &["help"], "give this help"),
    opt(Flag::Keep, "k", &["keep"], "keep (don't delete) input files"),
    opt(Flag::List, "l", &["list"], "list compressed file contents"),
    opt(Flag::License, "L", &["license"], "display software license"),
    hidden(Flag::NoTime, "m"),
    hidden(Flag::Time, "M"),
    opt(Flag::NoName, "n", &["no-name"], "do not save or restore the original name and timestamp"),
    opt(Flag::Name, "N", &["name"], "save or restore the original name and timestamp"),
    opt(Flag::Quiet, "q", &["quiet", "silent"], "suppress all warnings"),
    opt(Flag::Synchronous, "", &["synchronous"], "sync standard output, too (files always are)"),
    opt(Flag::RecursiveOrReindex, "r", &["recursive"], "operate recursively on directories"),
    opt(Flag::Rsyncable, "R", &["rsyncable"], ""),
    opt(Flag::Suffix, "S", &["suffix"], "use suffix SUF on compressed files").with("SUF"),
    opt(Flag::Test, "t", &["test"], "test compressed file integrity"),
    opt(Flag::Verbose, "v", &["verbose"], "verbose mode"),
    opt(Flag::Version, "V", &["version"], "display version number"),
    opt(Flag::Lzw, "Z", &["lzw"], ""),
    opt(Flag::LevelDigit(1), "1", &["fast"], "compress faster"),
    hidden(Flag::LevelDigit(2), "2"),
    hidden(Flag::LevelDigit(3), "3"),
    hidden(Flag::LevelDigit(4), "4"),
    hidden(Flag::LevelDigit(5), "5"),
    hidden(Flag::LevelDigit(6), "6"),
    hidden(Flag::LevelDigit(7), "7"),
    hidden(Flag::LevelDigit(8), "8"),
    opt(Flag::LevelDigit(9), "9", &["best"], "compress better"),
    opt(Flag::Level, "", &["level"], "level 1 to 12, 0 or fastest for the least CPU")
        .with("LEVEL")
        .extension(),
    opt(Flag::Threads, "p", &["processes", "threads"], "number of threads (default: one per CPU)")
        .with("N")
        .extension(),
    opt(Flag::Stats, "", &["stats"], STATS).extension(),
    opt(Flag::Json, "", &["json"], "with --stats: as JSON").extension(),
    opt(Flag::Bgzf, "", &["bgzf"], "write block gzip; -i, -I, -b, -s and -r work as in bgzip")
        .extension(),
    opt(Flag::Index, "i", &["index"], "with --bgzf: write an index, FILE.gz.gzi").extension(),
    opt(Flag::IndexName, "I", &["index-name"], "with --bgzf: name of the index file")
        .with("GZI")
        .extension(),
    opt(Flag::Size, "s", &["size"], "with --bgzf: decompress SIZE bytes").with("SIZE").extension(),
];

/// The options of bgzip.
pub(super) const BGZIP: &[Opt<Flag>] = &[
    opt(
        Flag::BitsOrOffset,
        "b",
        &["offset"],
        "decompress from this uncompressed offset on, to standard output",
    )
    .with("OFFSET"),
    opt(Flag::Stdout, "c", &["stdout"], "write on standard output, keep original files unchanged"),
    opt(Flag::Decompress, "d", &["decompress"], "decompress"),
    opt(Flag::Force, "f", &["force"], "overwrite files without asking"),
    opt(Flag::Rebgzip, "g", &["rebgzip"], ""),
    opt(Flag::Help, "h", &["help"], "give this help"),
    opt(Flag::Index, "i", &["index"], "compress and write an index, FILE.gz.gzi"),
    opt(Flag::IndexName, "I", &["index-name"], "name of the index file").with("GZI"),
    opt(Flag::Keep, "k", &["keep"], "don't delete input files"),
    opt(Flag::Level, "l", &["compress-level"], "level 1 to 12, 0 for the least CPU").with("LEVEL"),
    opt(Flag::RecursiveOrReindex, "r", &["reindex"], "(re)index compressed file"),
    opt(Flag::Size, "s", &["size"], "decompress SIZE bytes (uncompressed size)").with("SIZE"),
    opt(Flag::Test, "t", &["test"], "test integrity of compressed file"),
    opt(Flag::Threads, "@", &["threads"], "number of threads (default: one per CPU)").with("N"),
    opt(Flag::Version, "", &["version"], "display version number"),
    opt(Flag::Stats, "", &["stats"], STATS).extension(),
    opt(Flag::Json, "", &["json"], "with --stats: as JSON").extension(),
];
