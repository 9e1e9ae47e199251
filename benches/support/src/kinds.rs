//! Real files of this machine, of six kinds.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use walkdir::WalkDir;

/// Data of one kind.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The bytes, to be split into blocks.
    pub data: Vec<u8>,
}

/// Maximum bytes taken from one file, so that no single file dominates a kind.
const FILE_LIMIT: usize = 192 << 10;

/// Returns the given number of bytes, or slightly more.
type Maker = fn(usize) -> Vec<u8>;

/// Gathers `limit` bytes of each kind, or reads them from the directory `cache` if they exist
/// there.
#[must_use]
pub fn gather(limit: usize, cache: &Path) -> Vec<Kind> {
    let makers: [(&'static str, Maker); 6] = [
        ("text", text),
        ("binaries", binaries),
        ("json-csv", json_csv),
        ("tree", tree),
        ("rocksdb", rocksdb_blocks),
        ("memory", memory_pages),
    ];
    makers
        .into_iter()
        .map(|(name, make)| {
            let path = cache.join(format!("{name}-{limit}"));
            let data = fs::read(&path).unwrap_or_else(|_| {
                let mut data = make(limit);
                data.truncate(limit);
                let _ = fs::create_dir_all(cache);
                let _ = fs::write(&path, &data);
                data
            });
            Kind { name, data }
        })
        .collect()
}

fn home() -> PathBuf {
    std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default()
}

fn files(roots: &[PathBuf], keep: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    roots
        .iter()
        .flat_map(|root| WalkDir::new(root).sort_by_file_name())
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && keep(entry.path()))
        .map(walkdir::DirEntry::into_path)
        .collect()
}

fn extension_in(path: &Path, list: &[&str]) -> bool {
    path.extension().is_some_and(|e| list.iter().any(|x| e == *x))
}

/// Concatenates files spread evenly over the list, until there are `limit` bytes.
fn spread(list: &[PathBuf], limit: usize, keep: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    // An odd stride visits files far apart.
    let mut at = 0;
    let stride = (list.len() / 97).max(1) * 2 + 1;
    for _ in 0..list.len() {
        if out.len() >= limit {
            break;
        }
        if let Ok(mut file) = fs::File::open(&list[at]) {
            let len = file.metadata().map_or(0, |m| m.len() as usize);
            let mut piece = Vec::new();
            // Takes the middle of long files.
            let from = if len > 2 * FILE_LIMIT { (len / 2) as u64 } else { 0 };
            let mut head = [0; 4];
            let _ = file.read(&mut head);
            if keep(&head)
                && file.seek(SeekFrom::Start(from)).is_ok()
                && file.take(FILE_LIMIT as u64).read_to_end(&mut piece).is_ok()
            {
                out.extend_from_slice(&piece);
            }
        }
        at = (at + stride) % list.len();
    }
    out
}

fn text(limit: usize) -> Vec<u8> {
    let docs = files(&["/usr/share/doc".into(), "/usr/include".into()], |path| {
        !extension_in(path, &["gz", "xz", "bz2", "png", "jpg", "pdf"])
    });
    let sources = files(&["/usr/lib/python3".into(), home().join(".cargo/registry/src")], |path| {
        extension_in(path, &["rs", "py", "md", "c", "cc", "cpp", "h", "txt"])
    });
    let mut out = spread(&docs, limit / 2, |_| true);
    out.truncate(limit / 2);
    out.extend(spread(&sources, limit - out.len(), |_| true));
    out
}

fn binaries(limit: usize) -> Vec<u8> {
    let programs = files(&["/usr/bin".into(), "/usr/sbin".into()], |_| true);
    let libraries =
        files(&["/usr/lib/x86_64-linux-gnu".into(), "/usr/lib/aarch64-linux-gnu".into()], |p| {
            p.to_string_lossy().contains(".so")
        });
    let archives = files(&[home().join(".rustup")], |path| extension_in(path, &["rlib", "so"]));
    let mut out = spread(&programs, limit * 2 / 5, |head| head == b"\x7fELF");
    out.truncate(limit * 2 / 5);
    out.extend(spread(&libraries, limit * 2 / 5, |head| head == b"\x7fELF"));
    out.truncate(limit * 4 / 5);
    out.extend(spread(&archives, limit - out.len(), |_| true));
    out
}

fn json_csv(limit: usize) -> Vec<u8> {
    let json = files(
        &["/usr/share".into(), "/usr/lib".into(), home().join(".pyenv"), home().join(".cargo")],
        |path| {
            extension_in(path, &["json", "csv", "jsonl"])
                && fs::metadata(path).is_ok_and(|m| m.len() > 4096)
        },
    );
    let mut out = spread(&json, limit / 2, |_| true);
    out.truncate(limit / 2);
    // The registry's index holds one JSON record per version.
    let index = files(&[home().join(".cargo/registry/index")], |_| true);
    out.extend(spread(&index, limit / 4, |_| true));
    out.truncate(limit * 3 / 4);
    // A table of the installed packages.
    let status = fs::read_to_string("/var/lib/dpkg/status").unwrap_or_default();
    let mut table = b"package,version,architecture,section,size,maintainer,description\n".to_vec();
    for package in status.split("\n\n") {
        let field = |name: &str| {
            package.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").replace('"', "")
        };
        let _ = writeln!(
            table,
            "{},{},{},{},{},\"{}\",\"{}\"",
            field("Package: "),
            field("Version: "),
            field("Architecture: "),
            field("Section: "),
            field("Installed-Size: "),
            field("Maintainer: "),
            field("Description: ")
        );
    }
    out.extend_from_slice(&table);
    // A table of files: path, size, owner, time.
    for path in files(&["/usr/share".into(), "/usr/lib".into()], |_| true) {
        if out.len() >= limit {
            break;
        }
        if let Ok(m) = fs::metadata(&path) {
            let _ = writeln!(
                out,
                "{},{},{},{},{:o},{}.{:09}",
                path.display(),
                m.len(),
                m.uid(),
                m.ino(),
                m.mode(),
                m.mtime(),
                m.mtime_nsec()
            );
        }
    }
    out
}

/// Returns header blocks and padded contents, as in a tar archive.
fn tree(limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut crates: Vec<_> = fs::read_dir(home().join(".cargo/registry/src"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .flat_map(|registry| fs::read_dir(registry.path()).into_iter().flatten())
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    crates.sort();
    let share = limit / crates.len().clamp(1, 40) + 1;
    let stride = (crates.len() / 40).max(1);
    for package in crates.iter().step_by(stride) {
        let start = out.len();
        for path in files(std::slice::from_ref(package), |_| true) {
            let Ok(contents) = fs::read(&path) else { continue };
            if out.len() - start >= share {
                break;
            }
            let mut header = [0; 512];
            let name = path.to_string_lossy();
            let name = &name.as_bytes()[name.len().saturating_sub(99)..];
            header[..name.len()].copy_from_slice(name);
            header[100..108].copy_from_slice(b"0000644\0");
            header[124..135].copy_from_slice(format!("{:011o}", contents.len()).as_bytes());
            header[136..147].copy_from_slice(b"14567123456");
            header[257..263].copy_from_slice(b"ustar ");
            out.extend_from_slice(&header);
            out.extend_from_slice(&contents[..contents.len().min(FILE_LIMIT)]);
            out.resize(out.len().next_multiple_of(512), 0);
        }
    }
    out
}

/// Returns keys and values: half of them file metadata, half chunks of files. Keys have shared
/// prefixes removed, with restart points every 16 entries.
fn rocksdb_blocks(limit: usize) -> Vec<u8> {
    let list =
        files(&["/usr/share".into(), "/usr/include".into(), "/usr/lib/python3".into()], |_| true);
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut bytes = 0;
    let stride = (list.len() / 5000).max(1);
    for (number, path) in list.iter().step_by(stride).enumerate() {
        let Ok(m) = fs::metadata(path) else { continue };
        let mut value = Vec::new();
        for n in [m.ino(), m.len(), m.mtime().unsigned_abs(), u64::from(m.mode()), m.blocks()] {
            value.extend_from_slice(&n.to_le_bytes());
        }
        value.extend_from_slice(path.file_name().map_or(&[][..], |n| n.as_encoded_bytes()));
        let mut key = b"m/".to_vec();
        key.extend_from_slice(path.as_os_str().as_encoded_bytes());
        bytes += key.len() + value.len();
        entries.push((key, value));
        if bytes < limit * 2
            && !extension_in(path, &["gz", "png", "xz"])
            && let Ok(contents) = fs::read(path)
        {
            for (piece, value) in contents.chunks(400).take(8).enumerate() {
                let mut key = b"d".to_vec();
                key.extend_from_slice(&(number as u32).to_be_bytes());
                key.extend_from_slice(&(piece as u32).to_be_bytes());
                bytes += key.len() + value.len();
                entries.push((key, value.to_vec()));
            }
        }
    }
    entries.sort();
    // A fixed share of each half.
    let split = entries.partition_point(|(key, _)| key[0] == b'd');
    let (pieces, metadata) = entries.split_at(split);
    let mut out = table(pieces, limit * 2 / 3);
    out.truncate(limit * 2 / 3);
    out.extend(table(metadata, limit - out.len()));
    out
}

fn table(entries: &[(Vec<u8>, Vec<u8>)], limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last: &[u8] = &[];
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    for (i, (key, value)) in entries.iter().enumerate() {
        if out.len() >= limit {
            break;
        }
        let shared =
            if i % 16 == 0 { 0 } else { last.iter().zip(key).take_while(|(a, b)| a == b).count() };
        for n in [shared, key.len() + 8 - shared, value.len()] {
            let mut n = n;
            while n > 127 {
                out.push(n as u8 | 128);
                n >>= 7;
            }
            out.push(n as u8);
        }
        out.extend_from_slice(&key[shared..]);
        // Sequence number and type.
        let sequence = rng.random_range(0..5_000_000_u64);
        out.extend_from_slice(&(sequence << 8 | 1).to_le_bytes());
        out.extend_from_slice(value);
        last = key;
    }
    out
}

/// Returns the non-zero pages of two running processes.
fn memory_pages(limit: usize) -> Vec<u8> {
    let python = "import json,ssl,decimal,email,sqlite3,asyncio,http.client,random\n\
        t=[open('/usr/include/stdio.h').read().split() for _ in range(20)]\n\
        d={str(i):{'a':random.random(),'b':[i]*3,'c':'item %d'%i} for i in range(20000)}\n\
        s=json.dumps(d)\nb=sqlite3.connect(':memory:')\nb.execute('create table t(a,b,c)')\n\
        b.executemany('insert into t values(?,?,?)',\
        ((i,str(i*7),random.random()) for i in range(20000)))\n\
        print('ready',flush=True)\ninput()";
    let perl = "my %h; $h{$_}={a=>rand(),b=>[$_,$_*2],c=>\"item $_\"} for 1..30000; \
        $|=1; print \"ready\\n\"; <STDIN>";
    let mut pages = Vec::new();
    for (program, flag, script) in [("python3", "-c", python), ("perl", "-e", perl)] {
        let child = Command::new(program)
            .args([flag, script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else { continue };
        if let Some(out) = child.stdout.as_mut() {
            let _ = out.read(&mut [0; 6]);
        }
        let bytes = process_pages(child.id());
        let _ = child.kill();
        let _ = child.wait();
        pages.push(bytes);
    }
    let mut out = Vec::new();
    for (i, bytes) in pages.iter().enumerate() {
        let share = (limit - out.len()) / (pages.len() - i);
        // Takes runs of 16 pages, since larger blocks of guest memory are contiguous too.
        let runs: Vec<_> = bytes.chunks(16 * 4096).collect();
        let wanted = (share / (16 * 4096)).clamp(1, runs.len().max(1));
        let stride = runs.len() / wanted;
        for run in runs.iter().step_by(stride.max(1)).take(wanted + 1) {
            out.extend_from_slice(run);
        }
    }
    out
}

fn process_pages(pid: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else { return out };
    let Ok(memory) = fs::File::open(format!("/proc/{pid}/mem")) else { return out };
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(access)) = (fields.next(), fields.next()) else { continue };
        let Some((from, to)) = range.split_once('-') else { continue };
        let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16))
        else {
            continue;
        };
        if !access.starts_with('r') || line.contains("[v") {
            continue;
        }
        let mut page = [0; 4096];
        for at in (from..to).step_by(4096) {
            if memory.read_exact_at(&mut page, at).is_ok() && page.iter().any(|&b| b != 0) {
                out.extend_from_slice(&page);
            }
        }
    }
    out
}
