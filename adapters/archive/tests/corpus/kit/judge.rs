//! Compares three trees: ours is right where it equals one of the peers'.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::ours::{Member, Outcome, on_disk};
use super::tarball::{BLOCK, CHECKSUM, MAGIC, NAME, SIZE, TYPE};
use super::tree::{Kind, Node, Tree};

/// What differs for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    /// Both peers have it, we don't.
    Missing,
    /// We have it, no peer does.
    Extra,
    Kind,
    Contents,
    Target,
    Mode,
    Time,
    /// Which names are hard links to one file.
    Names,
    /// A sound entry that at least one peer has, and we don't.
    Lost,
    /// A peer has it, we don't, and we reported nothing.
    Silent,
}

/// Additional evidence about a case.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) ours: Outcome,
    tar: Vec<u8>,
    /// The messages of the peers.
    pub(crate) gnu: String,
    pub(crate) bsd: String,
    /// Whether `before.txt` and `after.txt` are sound.
    pub(crate) is_sound: bool,
}

impl Evidence {
    pub(crate) fn new(tar: &[u8], is_sound: bool, ours: Outcome, gnu: String, bsd: String) -> Self {
        Self { ours, tar: tar.to_vec(), gnu, bsd, is_sound }
    }

    /// Returns the names that the file has in the trees, those of its link targets, and those of
    /// entries that have its name in a header or record that another one overrides.
    pub(crate) fn names(&self, difference: &Difference) -> BTreeSet<Vec<u8>> {
        let nodes = [&difference.ours, &difference.gnu, &difference.bsd].into_iter().flatten();
        let first_names = nodes.map(|node| node.first_name.clone());
        let mut names: BTreeSet<_> = first_names.chain([difference.path.clone()]).collect();
        for member in &self.ours.members {
            if self.blocks(member).any(|block| mentions_name(block, &difference.path)) {
                names.insert(member.path.clone());
            }
        }
        for member in self.ours.members.iter().rev() {
            if let Some(target) = member.target.as_ref().filter(|_| names.contains(&member.path)) {
                names.insert(target.clone());
            }
        }
        names
    }

    /// Returns our complaints about the file or anything below it.
    pub(crate) fn complaints_about(&self, difference: &Difference) -> Vec<&str> {
        self.names(difference)
            .into_iter()
            .flat_map(|name| about_path(&self.ours.complaints, &name))
            .collect()
    }

    /// Returns our notices about the file or anything below it.
    pub(crate) fn notices_about(&self, difference: &Difference) -> Vec<&str> {
        self.names(difference)
            .into_iter()
            .flat_map(|name| about_path(&self.ours.notices, &name))
            .collect()
    }

    /// Returns whether we complained about the file with one of these phrases.
    pub(crate) fn complained(&self, difference: &Difference, words: &[&str]) -> bool {
        let said = |complaint: &&str| words.iter().any(|words| complaint.contains(words));
        self.complaints_about(difference).iter().any(said)
    }

    /// Returns whether we complained about anything with one of these phrases.
    pub(crate) fn complained_anywhere(&self, words: &[&str]) -> bool {
        let said = |complaint: &String| words.iter().any(|words| complaint.contains(words));
        self.ours.complaints.iter().any(said)
    }

    /// Returns whether we complained about a parent directory with this phrase.
    pub(crate) fn complained_above(&self, path: &[u8], words: &str) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut said = slashes.flat_map(|(at, _)| about_path(&self.ours.complaints, &path[..at]));
        said.any(|complaint| complaint.contains(words))
    }

    /// Returns whether GNU tar complained about the file or anything below it with this phrase.
    pub(crate) fn gnu_complained(&self, difference: &Difference, words: &str) -> bool {
        let lines = self.gnu.split(['\n', '|']).map(|line| line.trim().trim_start_matches("tar: "));
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        let mut said =
            self.names(difference).into_iter().flat_map(|name| about_path(&lines, &name));
        said.any(|line| line.contains(words))
    }

    /// Returns our entries for this file or below it.
    pub(crate) fn members(&self, difference: &Difference) -> Vec<&Member> {
        let names = self.names(difference);
        let is_of = |member: &&Member| {
            let rest = |name: &Vec<u8>| member.path.strip_prefix(&name[..]);
            names.iter().any(|name| matches!(rest(name), Some([] | [b'/', ..])))
        };
        self.ours.members.iter().filter(is_of).collect()
    }

    /// Returns the blocks of an entry in the tar: headers, contents, and what was skipped before
    /// them.
    pub(crate) fn blocks(&self, member: &Member) -> impl Iterator<Item = &[u8]> {
        let end = member.end.min(self.tar.len());
        self.tar.get(member.start..end).unwrap_or_default().chunks_exact(BLOCK)
    }

    /// Returns whether any block of the file's entries satisfies `is`.
    pub(crate) fn has_block(&self, difference: &Difference, is: impl Fn(&[u8]) -> bool) -> bool {
        self.members(difference).iter().any(|member| self.blocks(member).any(&is))
    }

    /// Returns whether an entry for the file is sparse.
    pub(crate) fn is_sparse(&self, difference: &Difference) -> bool {
        self.has_block(difference, marks_sparse)
    }

    /// Returns whether one of GNU's long names starts with this path or this path starts with it.
    pub(crate) fn has_long_name(&self, path: &[u8]) -> bool {
        let mut pairs = self.tar.chunks_exact(BLOCK).zip(self.tar.chunks_exact(BLOCK).skip(1));
        pairs.any(|(header, data)| {
            let name = data.split(|byte| *byte == 0).next().map(on_disk).unwrap_or_default();
            let begin_alike = name.starts_with(path) || path.starts_with(&name);
            matches!(header[TYPE.start], b'L' | b'K') && begin_alike
        })
    }

    /// Returns the offset of the first header about which we complained with one of these phrases.
    pub(crate) fn first(&self, words: &[&str]) -> Option<usize> {
        let said = |what: &str| words.iter().any(|words| what.contains(words));
        self.ours.dropped.iter().filter(|(_, what)| said(what)).map(|(at, _)| *at).min()
    }

    /// Returns whether the file has an entry behind this offset in the tar, or none at all.
    pub(crate) fn is_behind(&self, difference: &Difference, at: usize) -> bool {
        let members = self.members(difference);
        members.is_empty() || members.iter().any(|member| member.end > at)
    }

    /// Returns whether a damaged header that we skipped has only NULs as its checksum, and the sum
    /// of its signed bytes is 0, too.
    pub(crate) fn has_empty_checksum(&self) -> bool {
        let damaged = self.ours.dropped.iter().filter(|(_, what)| what.contains("skipping to the"));
        let mut blocks = damaged.filter_map(|(at, _)| self.tar.get(*at..at + BLOCK));
        let signed =
            |bytes: &[u8]| -> i64 { bytes.iter().map(|byte| i64::from(byte.cast_signed())).sum() };
        blocks.any(|block| {
            let (before, field) = block.split_at(CHECKSUM.start);
            let (field, behind) = field.split_at(CHECKSUM.len);
            let sum = signed(before) + signed(behind) + 8 * i64::from(b' ');
            field.iter().all(|byte| *byte == 0) && sum == 0
        })
    }

    /// Returns whether an entry of a kind without contents is marked as sparse.
    pub(crate) fn has_sparse_nothing(&self) -> bool {
        let mut members = self.ours.members.iter();
        members.any(|member| self.is_empty_kind(member) && self.blocks(member).any(marks_sparse))
    }

    /// Returns whether a sparse file precedes the file's entry.
    pub(crate) fn is_behind_sparse(&self, difference: &Difference) -> bool {
        let is_sparse = |member: &&Member| self.blocks(member).any(marks_sparse);
        let first = self.ours.members.iter().find(is_sparse).map(|member| member.start);
        let starts = self.members(difference).iter().map(|member| member.start).max();
        first.zip(starts).is_some_and(|(sparse, start)| sparse < start)
    }

    /// Returns whether an old sparse map in the archive has a region that isn't whole blocks before
    /// another region.
    pub(crate) fn has_short_region(&self) -> bool {
        let mut headers = self.tar.chunks_exact(BLOCK).filter(|block| block[TYPE.start] == b'S');
        headers.any(|header| {
            let regions: Vec<_> = header[OLD_MAP].chunks(2 * OLD_NUMBER).collect();
            let len = |region: &[u8]| octal(&region[OLD_NUMBER..]).unwrap_or(0);
            regions.windows(2).any(|pair| len(pair[0]) % BLOCK != 0 && len(pair[1]) > 0)
        })
    }

    /// Returns whether a header with this name is inside the contents of another entry of a
    /// damaged archive.
    pub(crate) fn is_inside(&self, path: &[u8]) -> bool {
        let is_inside =
            |member: &Member| self.blocks(member).any(|block| mentions_name(block, path));
        let members = &self.ours.members;
        !self.ours.complaints.is_empty()
            && members.iter().all(|member| member.path != path)
            && members.iter().any(is_inside)
    }

    /// Returns the offset of the first global header of which we dropped something.
    pub(crate) fn damaged_global(&self) -> Option<usize> {
        let is_global =
            |what: &str| what.starts_with("dropped ") || what.starts_with("a PAX record");
        self.ours.dropped.iter().filter(|(_, what)| is_global(what)).map(|(at, _)| *at).min()
    }

    /// Returns whether any header of this type has this name.
    pub(crate) fn has_header(&self, kind: u8, path: &[u8]) -> bool {
        let mut blocks = self.tar.chunks_exact(BLOCK);
        blocks.any(|block| block[TYPE.start] == kind && mentions_name(block, path))
    }

    /// Returns whether the data of a global header satisfies `is`.
    pub(crate) fn has_global(&self, is: impl Fn(&[u8]) -> bool) -> bool {
        let data = self.globals().into_iter().map(|at| self.tar.get(at + BLOCK..at + 2 * BLOCK));
        data.flatten().any(is)
    }

    /// Returns the offset of the first hard link with a size and no header behind it.
    pub(crate) fn link_contents(&self) -> Option<usize> {
        let pairs = self.tar.chunks_exact(BLOCK).zip(self.tar.chunks_exact(BLOCK).skip(1));
        let is_header = |block: &[u8]| block[MAGIC.start..].starts_with(b"ustar");
        let has_size = |block: &[u8]| {
            block[SIZE.start..SIZE.start + SIZE.len].iter().any(|byte| !matches!(byte, b'0' | 0))
        };
        let in_records = self.tar.chunks_exact(BLOCK).any(|block| has(block, b"size="));
        let is_link = |header: &[u8]| is_header(header) && header[TYPE.start] == b'1';
        pairs
            .enumerate()
            .filter(|(_, (header, behind))| is_link(header) && !is_header(behind))
            .find(|(_, (header, _))| has_size(header) || in_records)
            .map(|(n, _)| n * BLOCK)
    }

    /// Returns whether an extended header has NULs behind its records, a tab in one, or blanks
    /// before one.
    pub(crate) fn has_lenient_records(&self) -> bool {
        let is_extended = |header: &[u8]| {
            matches!(header[TYPE.start], b'x' | b'g') && header[MAGIC.start..].starts_with(b"ustar")
        };
        let mut pairs = self.tar.chunks_exact(BLOCK).zip(self.tar.chunks_exact(BLOCK).skip(1));
        pairs.any(|(header, data)| {
            let size = String::from_utf8_lossy(&header[SIZE.start..][..SIZE.len]).into_owned();
            let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap_or(0);
            let (mut at, mut is_odd) = (0, false);
            while let Some((len, behind)) = record_len(&data[at..]) {
                is_odd |= behind == b'\t' || data[at] == b' ';
                at += len;
            }
            let padded = at < size && data.get(at) == Some(&0);
            is_extended(header) && at > 0 && (padded || is_odd)
        })
    }

    /// Returns whether an entry that satisfies `is` precedes the file's last one, or is that one.
    pub(crate) fn is_behind_block(
        &self,
        difference: &Difference,
        is: impl Fn(&Member) -> bool,
    ) -> bool {
        let last = self.members(difference).iter().map(|member| member.start).max();
        self.ours
            .members
            .iter()
            .any(|member| last.is_none_or(|at| member.start <= at) && is(member))
    }

    /// Returns whether an entry is of a kind without contents.
    pub(crate) fn is_empty_kind(&self, member: &Member) -> bool {
        self.blocks(member).any(|block| {
            block[MAGIC.start..].starts_with(b"ustar") && matches!(block[TYPE.start], b'1'..=b'6')
        })
    }

    /// Returns the offsets of the global headers.
    pub(crate) fn globals(&self) -> Vec<usize> {
        let blocks = self.tar.chunks_exact(BLOCK).enumerate();
        let is_global =
            |block: &[u8]| block[TYPE.start] == b'g' && block[MAGIC.start..].starts_with(b"ustar");
        blocks.filter(|(_, block)| is_global(block)).map(|(n, _)| n * BLOCK).collect()
    }
}

/// Returns whether a header block has this name or one below it, or a record of an extended header
/// has this name.
pub(crate) fn mentions_name(block: &[u8], path: &[u8]) -> bool {
    let is_header = block[MAGIC.start..].starts_with(b"ustar");
    let name = block[..NAME.len].split(|byte| *byte == 0).next().unwrap_or_default();
    if is_header {
        return matches!(on_disk(name).strip_prefix(path), Some([] | [b'/', ..]));
    }
    let values = block.split(|byte| *byte == b'\n').filter_map(|record| {
        record.iter().position(|byte| *byte == b'=').map(|equals| &record[equals + 1..])
    });
    path.len() > 1 && values.map(on_disk).any(|value| value == path)
}

/// Returns the length stated by the record at the start of `data`, and the byte behind that number.
fn record_len(data: &[u8]) -> Option<(usize, u8)> {
    let blanks = data.iter().take_while(|byte| **byte == b' ').count();
    let digits = data[blanks..].split(|byte| !byte.is_ascii_digit()).next()?;
    let len = str::from_utf8(digits).ok()?.parse::<usize>().ok()?;
    let behind = *data.get(blanks + digits.len())?;
    (len > digits.len() && data.get(len - 1) == Some(&b'\n')).then_some((len, behind))
}

/// Returns whether a block contains these bytes.
pub(crate) fn has(block: &[u8], bytes: &[u8]) -> bool {
    block.windows(bytes.len()).any(|found| found == bytes)
}

/// The four regions of an old sparse header: offsets and lengths.
const OLD_MAP: Range<usize> = 386..386 + 4 * 2 * OLD_NUMBER;
const OLD_NUMBER: usize = 12;

/// Returns the number at the start of a field.
fn octal(field: &[u8]) -> Option<usize> {
    let len = field.iter().position(|byte| !matches!(byte, b'0'..=b'7')).unwrap_or(field.len());
    usize::from_str_radix(std::str::from_utf8(&field[..len]).ok()?, 8).ok()
}

fn marks_sparse(block: &[u8]) -> bool {
    block[TYPE.start] == b'S' || has(block, b"GNU.sparse")
}

/// Returns the messages about a path or anything below it.
fn about_path<'a>(all: &'a [String], path: &[u8]) -> Vec<&'a str> {
    let path = printable(&String::from_utf8_lossy(path));
    let is_of = |what: &&str| {
        // As on disk, where repeated slashes and `.` components mean nothing.
        let mut what = format!("/{}", printable(what));
        while what.contains("//") || what.contains("/./") {
            what = what.replace("//", "/").replace("/./", "/");
        }
        what[1..].strip_prefix(&path).is_some_and(|rest| rest.starts_with([':', '/']))
    };
    all.iter().map(String::as_str).filter(is_of).collect()
}

/// Escapes control characters as warnings do.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) path: Vec<u8>,
    pub(crate) aspect: Aspect,
    pub(crate) ours: Option<Node>,
    pub(crate) gnu: Option<Node>,
    pub(crate) bsd: Option<Node>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.escape_ascii().to_string();
        let shown = |node: &Option<Node>| match node {
            None => "-".to_owned(),
            Some(node) => self.shown(node),
        };
        let (ours, gnu, bsd) = (shown(&self.ours), shown(&self.gnu), shown(&self.bsd));
        write!(f, "{path:.60}: {:?}: ours {ours}, GNU {gnu}, bsdtar {bsd}", self.aspect)
    }
}

impl Difference {
    fn shown(&self, node: &Node) -> String {
        match (self.aspect, &node.kind) {
            (Aspect::Mode, _) => format!("{:o}", node.mode),
            (Aspect::Time, _) => node
                .mtime
                .map_or("now".to_owned(), |(seconds, nano)| format!("{seconds}.{nano:09}")),
            (Aspect::Names, _) => node.first_name.escape_ascii().to_string(),
            (_, Kind::File { len, hash }) => format!("{len} bytes ({:04x})", hash & 0xffff),
            (_, Kind::Symlink(target)) => format!("-> {}", target.escape_ascii()),
            (_, kind) => kind.name().to_owned(),
        }
    }
}

/// Names of the sound entries of each archive: losing them is losing data.
const SOUND: [&[u8]; 2] = [b"before.txt", b"after.txt"];

/// Returns where our tree differs from both peers'.
pub(crate) fn differences(
    ours: &Tree,
    gnu: &Tree,
    bsd: &Tree,
    evidence: &Evidence,
) -> Vec<Difference> {
    // If one peer has the same names as we do, a name that only the other one has is not a loss.
    let is_silent = evidence.ours.complaints.is_empty()
        && ![gnu, bsd].iter().any(|peer| peer.keys().eq(ours.keys()));
    let paths: BTreeSet<_> = ours.keys().chain(gnu.keys()).chain(bsd.keys()).collect();
    let mut all = Vec::new();
    for path in paths {
        let (ours, gnu, bsd) = (ours.get(path), gnu.get(path), bsd.get(path));
        let mut tell = |aspect| {
            let (ours, gnu, bsd) = (ours.cloned(), gnu.cloned(), bsd.cloned());
            all.push(Difference { path: path.clone(), aspect, ours, gnu, bsd });
        };
        match (ours, gnu, bsd) {
            (None, Some(_), Some(_)) => tell(Aspect::Missing),
            (None, ..) if evidence.is_sound && SOUND.contains(&&path[..]) => tell(Aspect::Lost),
            (None, ..) if is_silent => tell(Aspect::Silent),
            (Some(_), None, None) => tell(Aspect::Extra),
            (Some(ours), ..) => {
                let peers: Vec<_> = [gnu, bsd].into_iter().flatten().collect();
                compare(ours, &peers).into_iter().for_each(tell);
            }
            _ => {}
        }
    }
    all
}

fn compare(ours: &Node, peers: &[&Node]) -> Vec<Aspect> {
    let of_kind = |node: &&&Node| node.kind.name() == ours.kind.name();
    let peers: Vec<_> = peers.iter().filter(of_kind).collect();
    if peers.is_empty() {
        return vec![Aspect::Kind];
    }
    let mut aspects = Vec::new();
    let mut check = |aspect, same: &dyn Fn(&Node) -> bool| {
        if !peers.iter().any(|peer| same(peer)) {
            aspects.push(aspect);
        }
    };
    let contents =
        if matches!(ours.kind, Kind::Symlink(_)) { Aspect::Target } else { Aspect::Contents };
    check(contents, &|peer| peer.kind == ours.kind);
    if !matches!(ours.kind, Kind::Symlink(_)) {
        check(Aspect::Mode, &|peer| peer.mode == ours.mode);
    }
    check(Aspect::Time, &|peer| peer.mtime == ours.mtime);
    check(Aspect::Names, &|peer| peer.first_name == ours.first_name);
    aspects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(names: &[(&str, u64)]) -> Tree {
        let node = |name: &str, hash| Node {
            kind: Kind::File { len: 1, hash },
            mode: 0o644,
            mtime: None,
            inode: None,
            first_name: name.into(),
        };
        names.iter().map(|(name, hash)| (name.as_bytes().to_vec(), node(name, *hash))).collect()
    }

    fn aspects(ours: &Tree, gnu: &Tree, bsd: &Tree, complaint: Option<&str>) -> Vec<Aspect> {
        let complaints = complaint.into_iter().map(str::to_owned).collect();
        let outcome = Outcome { complaints, ..Outcome::default() };
        let evidence = Evidence::new(b"", true, outcome, String::new(), String::new());
        let differences = differences(ours, gnu, bsd, &evidence);
        differences.into_iter().map(|difference| difference.aspect).collect()
    }

    #[test]
    fn one_peer_is_enough_to_be_right() {
        let (one, two, three) = (tree(&[("a", 1)]), tree(&[("a", 2)]), tree(&[("a", 3)]));
        assert_eq!(aspects(&one, &two, &one, None), []);
        assert_eq!(aspects(&two, &two, &one, None), []);
        assert_eq!(aspects(&three, &two, &one, None), [Aspect::Contents]);
    }

    #[test]
    fn entries_left_out_are_reported_and_are_not_sound() {
        let (none, odd, other) = (tree(&[]), tree(&[("odd", 1)]), tree(&[("other", 1)]));
        let after = tree(&[("after.txt", 1)]);
        assert_eq!(aspects(&none, &odd, &odd, Some("why")), [Aspect::Missing]);
        assert_eq!(aspects(&none, &odd, &none, Some("why")), []);
        assert_eq!(aspects(&none, &odd, &other, None), [Aspect::Silent, Aspect::Silent]);
        assert_eq!(aspects(&odd, &odd, &other, None), []);
        assert_eq!(aspects(&none, &after, &none, Some("why")), [Aspect::Lost]);
        assert_eq!(aspects(&odd, &none, &none, Some("why")), [Aspect::Extra]);
    }
}
