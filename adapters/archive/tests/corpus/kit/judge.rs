//! Compares three trees: ours is right where it is as one of the peers'.

use std::collections::BTreeSet;
use std::fmt;

use super::ours::Outcome;
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
    outcome: &Outcome,
) -> Vec<Difference> {
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
            (None, ..) if SOUND.contains(&&path[..]) => tell(Aspect::Lost),
            (None, ..) if outcome.complaints.is_empty() => tell(Aspect::Silent),
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
        let differences = differences(ours, gnu, bsd, &outcome);
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
        let (none, odd, after) = (tree(&[]), tree(&[("odd", 1)]), tree(&[("after.txt", 1)]));
        assert_eq!(aspects(&none, &odd, &odd, Some("why")), [Aspect::Missing]);
        assert_eq!(aspects(&none, &odd, &none, Some("why")), []);
        assert_eq!(aspects(&none, &odd, &none, None), [Aspect::Silent]);
        assert_eq!(aspects(&none, &after, &none, Some("why")), [Aspect::Lost]);
        assert_eq!(aspects(&odd, &none, &none, Some("why")), [Aspect::Extra]);
    }
}
