//! Compares three trees: ours is right where it is as one of the peers'.

use std::collections::BTreeSet;
use std::fmt;

use super::ours::Outcome;
use super::tarball::{BLOCK, TYPE};
use super::tree::{Kind, Node, Tree};

/// What differs of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    /// Both peers have it.
    Missing,
    /// No peer has it.
    Extra,
    Kind,
    Contents,
    Target,
    Mode,
    Time,
    /// Which names are of one file.
    Names,
    /// Sound, in at least one peer's, and not in ours.
    Lost,
    /// In a peer's, not in ours, and nothing was said.
    Silent,
}

/// What else is known of a case.
#[allow(clippy::struct_excessive_bools)] // Independent facts.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) ours: Outcome,
    /// What the peers said.
    pub(crate) gnu: String,
    pub(crate) bsd: String,
    /// Whether the archive has a sparse file.
    pub(crate) has_sparse: bool,
    pub(crate) has_global: bool,
    /// GNU's long names.
    pub(crate) has_long: bool,
    /// Whether there is something behind zeros.
    pub(crate) has_more: bool,
    /// Whether `before.txt` and `after.txt` are sound.
    pub(crate) is_sound: bool,
}

impl Evidence {
    pub(crate) fn new(tar: &[u8], is_sound: bool, ours: Outcome, gnu: String, bsd: String) -> Self {
        let has =
            |kinds: &[u8]| tar.chunks_exact(BLOCK).any(|block| kinds.contains(&block[TYPE.start]));
        let (has_global, has_long) = (has(b"g"), has(b"LK"));
        let has_sparse = has(b"S") || tar.windows(10).any(|bytes| bytes == b"GNU.sparse");
        let blocks = tar.chunks_exact(BLOCK).map(|block| block.iter().all(|byte| *byte == 0));
        let has_more = blocks.skip_while(|is_zero| !is_zero).any(|is_zero| !is_zero);
        Self { ours, gnu, bsd, has_sparse, has_global, has_long, has_more, is_sound }
    }

    /// Whether we said something with these words in it.
    pub(crate) fn told(&self, words: &str) -> bool {
        self.ours.complaints.iter().any(|complaint| complaint.contains(words))
    }

    /// What we said of a path, or of what is below it.
    pub(crate) fn told_of(&self, path: &[u8]) -> impl Iterator<Item = &str> {
        let path = String::from_utf8_lossy(path).into_owned();
        let complaints = self.ours.complaints.iter();
        complaints.map(String::as_str).filter(move |complaint| {
            let complaint = complaint.trim_start_matches(['.', '/']);
            complaint.strip_prefix(&path).is_some_and(|rest| rest.starts_with([':', '/']))
        })
    }
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

/// Names that are sound in each archive: whoever loses them has lost data.
const SOUND: [&[u8]; 2] = [b"before.txt", b"after.txt"];

/// Where our tree is like neither peer's.
pub(crate) fn differences(
    ours: &Tree,
    gnu: &Tree,
    bsd: &Tree,
    evidence: &Evidence,
) -> Vec<Difference> {
    // A name that is another one in each tree is no loss.
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
        let outcome = Outcome { complaints: complaint.into_iter().map(str::to_owned).collect() };
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
    fn what_is_left_out_is_told_of_and_is_not_sound() {
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
