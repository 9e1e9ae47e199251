//! GNU tar's four formats for sparse files, with sound and wrong maps.

use super::Case;
use crate::kit::tarball::{BLOCK, Header, SIZE, Tarball, record};

/// Offsets and lengths of the data.
type Map = Vec<(i64, i64)>;

struct Sparse {
    what: &'static str,
    map: Map,
    real_size: i64,
    /// Bytes of data in the archive.
    stored: usize,
}

pub(super) fn add(cases: &mut Vec<Case>) {
    for sparse in maps() {
        for (format, make) in FORMATS {
            let tar = make(&sparse);
            cases.push(Case::new(format!("sparse/{format}/{}", sparse.what), tar));
        }
    }
    odd_old_headers(cases);
    odd_records(cases);
    odd_maps_in_data(cases);
}

fn maps() -> Vec<Sparse> {
    let sparse = |what, map: &[(i64, i64)], real_size, stored| Sparse {
        what,
        map: map.to_vec(),
        real_size,
        stored,
    };
    let many: Map = (0..40).map(|i| (i * 4096, 512)).collect();
    let tiny: Map = (0..6).map(|i| (i * 10, 3)).collect();
    vec![
        sparse("sound", &[(1024, 512), (4096, 100)], 8192, 612),
        sparse("full", &[(0, 1000)], 1000, 1000),
        sparse("end-marker", &[(1024, 512), (8192, 0)], 8192, 512),
        sparse("only-hole", &[], 8192, 0),
        sparse("only-hole-marked", &[(8192, 0)], 8192, 0),
        sparse("nothing", &[], 0, 0),
        sparse("empty-pieces", &[(0, 0), (512, 512), (2048, 0)], 4096, 512),
        Sparse { what: "many", map: many, real_size: 40 * 4096, stored: 40 * 512 },
        Sparse { what: "tiny", map: tiny, real_size: 100, stored: 18 },
        sparse("overlapping", &[(0, 512), (256, 512)], 4096, 1024),
        sparse("backwards", &[(4096, 512), (0, 512)], 8192, 1024),
        sparse("twice", &[(512, 512), (512, 512)], 4096, 1024),
        sparse("beyond-end", &[(4096, 512)], 2048, 512),
        sparse("across-end", &[(1900, 512)], 2048, 512),
        sparse("sum-less-than-stored", &[(0, 100)], 4096, 512),
        sparse("sum-more-than-stored", &[(0, 1024)], 4096, 512),
        sparse("real-size-too-small", &[(0, 512)], 100, 512),
        sparse("negative-offset", &[(-512, 512)], 4096, 512),
        sparse("negative-length", &[(512, -512)], 4096, 512),
        sparse("negative-size", &[(0, 512)], -1, 512),
        sparse("huge-offset", &[(i64::MAX - 512, 512)], i64::MAX, 512),
        sparse("huge-hole", &[(0, 512)], 1 << 40, 512),
    ]
}

type Make = fn(&Sparse) -> Vec<u8>;

const FORMATS: [(&str, Make); 5] = [
    ("old", old),
    ("0.0", |sparse| {
        let mut records = size_records(sparse, b"GNU.sparse.size");
        records.extend(record(b"GNU.sparse.numblocks", sparse.map.len().to_string().as_bytes()));
        for (offset, len) in &sparse.map {
            records.extend(record(b"GNU.sparse.offset", offset.to_string().as_bytes()));
            records.extend(record(b"GNU.sparse.numbytes", len.to_string().as_bytes()));
        }
        with_records(&records, &contents(sparse.stored))
    }),
    ("0.1", |sparse| {
        let mut records = size_records(sparse, b"GNU.sparse.size");
        records.extend(record(b"GNU.sparse.numblocks", sparse.map.len().to_string().as_bytes()));
        records.extend(record(b"GNU.sparse.name", b"odd"));
        records.extend(record(b"GNU.sparse.map", joined(&sparse.map, ",").as_bytes()));
        with_records(&records, &contents(sparse.stored))
    }),
    ("1.0", |sparse| with_records(&records_1_0(sparse), &data_1_0(sparse))),
    // As written by old versions of bsdtar: the header's size is that of the file with its holes.
    ("1.0-real-size", |sparse| {
        let data = data_1_0(sparse);
        let real_size = u64::try_from(sparse.real_size).unwrap_or(0).min((1 << 33) - 1);
        let mut header = Header::ustar(b"GNUSparseFile.0/odd", b'0', real_size);
        header.number(SIZE, real_size);
        let mut tarball = Tarball::new();
        let mut records = records_1_0(sparse);
        records.extend(record(b"size", data.len().to_string().as_bytes()));
        tarball.pax(b'x', &records).entry(&header, &data).after()
    }),
];

fn contents(len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + (i / 512 % 26) as u8).collect()
}

fn joined(map: &Map, between: &str) -> String {
    let numbers = map.iter().flat_map(|(offset, len)| [offset.to_string(), len.to_string()]);
    numbers.collect::<Vec<_>>().join(between)
}

fn size_records(sparse: &Sparse, key: &[u8]) -> Vec<u8> {
    record(key, sparse.real_size.to_string().as_bytes())
}

fn records_1_0(sparse: &Sparse) -> Vec<u8> {
    let mut records = record(b"GNU.sparse.major", b"1");
    records.extend(record(b"GNU.sparse.minor", b"0"));
    records.extend(record(b"GNU.sparse.name", b"odd"));
    records.extend(size_records(sparse, b"GNU.sparse.realsize"));
    records
}

fn data_1_0(sparse: &Sparse) -> Vec<u8> {
    let mut data = format!("{}\n", sparse.map.len()).into_bytes();
    for (offset, len) in &sparse.map {
        data.extend(format!("{offset}\n{len}\n").bytes());
    }
    data.resize(data.len().next_multiple_of(BLOCK), 0);
    data.extend(contents(sparse.stored));
    data
}

fn with_records(records: &[u8], data: &[u8]) -> Vec<u8> {
    let header = Header::ustar(b"GNUSparseFile.0/odd", b'0', data.len() as u64);
    Tarball::new().pax(b'x', records).entry(&header, data).after()
}

/// Returns twelve bytes of octal digits, or in base 256 if the number does not fit.
fn number(value: i64) -> [u8; 12] {
    let mut field = [0; 12];
    if (0..1 << 33).contains(&value) {
        field[..11].copy_from_slice(format!("{value:011o}").as_bytes());
    } else {
        field[..4].fill(if value < 0 { 0xff } else { 0 });
        field[0] |= 0x80;
        field[4..].copy_from_slice(&value.to_be_bytes());
    }
    field
}

/// The old format: four pieces in the header, and 21 in each block behind it.
fn old(sparse: &Sparse) -> Vec<u8> {
    let mut header = Header::gnu(b"odd", b'S', sparse.stored as u64);
    header.raw(483, &number(sparse.real_size));
    let (in_header, rest) = sparse.map.split_at(sparse.map.len().min(4));
    let pairs = |map: &[(i64, i64)]| {
        map.iter()
            .flat_map(|(offset, len)| [number(*offset), number(*len)].concat())
            .collect::<Vec<_>>()
    };
    header.raw(386, &pairs(in_header)).raw(482, &[u8::from(!rest.is_empty())]);
    let mut tarball = Tarball::new();
    tarball.raw(&header.sealed());
    let mut blocks = rest.chunks(21).peekable();
    while let Some(map) = blocks.next() {
        let mut block = pairs(map);
        block.resize(BLOCK, 0);
        block[504] = u8::from(blocks.peek().is_some());
        tarball.raw(&block);
    }
    tarball.data(&contents(sparse.stored)).after()
}

fn odd_old_headers(cases: &mut Vec<Case>) {
    let header = || {
        let mut header = Header::gnu(b"odd", b'S', 512);
        header.raw(386, &number(1024)).raw(398, &number(512)).raw(483, &number(4096));
        header
    };
    for (what, at, bytes) in [
        ("real-size-empty", 483, &[0; 12][..]),
        ("real-size-blank", 483, &[b' '; 12]),
        ("real-size-letters", 483, &[b'z'; 12]),
        ("offset-empty", 386, &[0; 12]),
        ("offset-letters", 386, &[b'z'; 12]),
        ("length-empty", 398, &[0; 12]),
        ("length-letters", 398, &[b'z'; 12]),
        ("says-more-follows", 482, &[1]),
        ("says-more-oddly", 482, b"x"),
        ("ustar-magic", 257, b"ustar\x0000"),
    ] {
        let tar = Tarball::new().entry(header().raw(at, bytes), &contents(512)).after();
        cases.push(Case::new(format!("sparse/old/{what}"), tar));
    }
    let extended = header().raw(482, &[1]).sealed();
    for (what, block) in [("zeros", [0; BLOCK]), ("letters", [b'z'; BLOCK])] {
        let mut tarball = Tarball::new();
        tarball.raw(&extended).raw(&block).data(&contents(512));
        cases.push(Case::new(format!("sparse/old/extension-of-{what}"), tarball.after()));
    }
    cases.push(Case::new("sparse/old/cut-in-extension", Tarball::new().raw(&extended).open_end()));
}

fn odd_records(cases: &mut Vec<Case>) {
    let size = record(b"GNU.sparse.size", b"4096");
    let pair = |a: &[u8], b: &[u8]| {
        [record(b"GNU.sparse.offset", a), record(b"GNU.sparse.numbytes", b)].concat()
    };
    let map = |map: &[u8]| [&size[..], &record(b"GNU.sparse.map", map)].concat();
    let numbered =
        |n: &[u8], rest: &[u8]| [&size[..], &record(b"GNU.sparse.numblocks", n), rest].concat();
    for (what, records) in [
        ("size-only", size.clone()),
        ("realsize-only", record(b"GNU.sparse.realsize", b"4096")),
        ("map-empty", map(b"")),
        ("map-odd", map(b"1024,512,2048")),
        ("map-one", map(b"1024")),
        ("map-commas", map(b"1024,,512")),
        ("map-comma-last", map(b"1024,512,")),
        ("map-spaces", map(b"1024, 512")),
        ("map-letters", map(b"a,b")),
        ("map-huge", map(b"99999999999999999999999,512")),
        ("map-without-size", record(b"GNU.sparse.map", b"1024,512")),
        ("numblocks-more", numbered(b"2", &pair(b"1024", b"512"))),
        ("numblocks-less", numbered(b"0", &pair(b"1024", b"512"))),
        ("numblocks-huge", numbered(b"99999999999", &pair(b"1024", b"512"))),
        ("offset-only", numbered(b"1", &record(b"GNU.sparse.offset", b"1024"))),
        ("numbytes-only", numbered(b"1", &record(b"GNU.sparse.numbytes", b"512"))),
        ("offset-twice", numbered(b"1", &record(b"GNU.sparse.offset", b"1024").repeat(2))),
        ("numblocks-missing", [&size[..], &pair(b"1024", b"512")].concat()),
        ("size-last", [pair(b"1024", b"512"), size.clone()].concat()),
    ] {
        cases.push(Case::new(
            format!("sparse/record/{what}"),
            with_records(&records, &contents(512)),
        ));
    }
    let mut global = Tarball::new();
    global.pax(b'g', &size).entry(&Header::ustar(b"odd", b'0', 512), &contents(512));
    cases.push(Case::new("sparse/record/global", global.after()));
    for (what, major, minor) in [
        ("2.0", &b"2"[..], &b"0"[..]),
        ("1.1", b"1", b"1"),
        ("0.9", b"0", b"9"),
        ("letters", b"x", b"y"),
        ("empty", b"", b""),
    ] {
        let mut records = record(b"GNU.sparse.major", major);
        records.extend(record(b"GNU.sparse.minor", minor));
        records.extend(record(b"GNU.sparse.name", b"odd"));
        records.extend(record(b"GNU.sparse.realsize", b"4096"));
        let mut data = b"1\n1024\n512\n".to_vec();
        data.resize(BLOCK, 0);
        data.extend(contents(512));
        cases.push(Case::new(format!("sparse/version/{what}"), with_records(&records, &data)));
    }
}

fn odd_maps_in_data(cases: &mut Vec<Case>) {
    let sparse = Sparse { what: "", map: vec![(1024, 512)], real_size: 4096, stored: 512 };
    for (what, map) in [
        ("empty", &b""[..]),
        ("no-number", b"\n"),
        ("letters", b"x\ny\n"),
        ("count-too-small", b"0\n1024\n512\n"),
        ("count-too-large", b"3\n1024\n512\n"),
        ("count-huge", b"99999999999999999999\n"),
        ("count-negative", b"-1\n"),
        ("spaces", b" 1\n 1024\n 512\n"),
        ("carriage-returns", b"1\r\n1024\r\n512\r\n"),
        ("line-long", &[b'1'; 400]),
        ("leading-zeros", b"0001\n00001024\n00512\n"),
        ("unfinished", b"1\n1024\n512"),
    ] {
        let mut data = map.to_vec();
        data.resize(BLOCK, 0);
        data.extend(contents(512));
        let tar = with_records(&records_1_0(&sparse), &data);
        cases.push(Case::new(format!("sparse/map-in-data/{what}"), tar));
    }
    for (what, size) in [("zero", 0), ("map-only", 512), ("half-a-map", 100)] {
        let data = data_1_0(&sparse);
        let header = Header::ustar(b"GNUSparseFile.0/odd", b'0', size as u64);
        let mut tarball = Tarball::new();
        tarball.pax(b'x', &records_1_0(&sparse)).entry(&header, &data[..size]);
        cases.push(Case::new(format!("sparse/map-in-data/size-{what}"), tarball.after()));
    }
    // Continued files of multi-volume archives have other maps.
    let data = data_1_0(&sparse);
    let mut tarball = Tarball::new();
    let header = Header::ustar(b"odd", b'M', data.len() as u64);
    tarball.pax(b'x', &records_1_0(&sparse)).entry(&header, &data);
    cases.push(Case::new("sparse/map-in-data/continued", tarball.after()));
    // No size record, and the header has the real size.
    let header = Header::ustar(b"GNUSparseFile.0/odd", b'0', 4096);
    let mut tarball = Tarball::new();
    tarball.pax(b'x', &records_1_0(&sparse)).entry(&header, &data_1_0(&sparse));
    cases.push(Case::new("sparse/map-in-data/real-size-in-header", tarball.after()));
}
