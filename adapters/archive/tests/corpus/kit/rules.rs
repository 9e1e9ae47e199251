//! The documented differences: where we do on purpose what neither GNU tar nor bsdtar does.

use super::judge::{Aspect, Difference, Evidence};
use super::tree::{Kind, Node};

/// Why a difference is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    applies: fn(&Difference, &Evidence) -> bool,
}

/// The rule that explains a difference.
pub(crate) fn explain(difference: &Difference, evidence: &Evidence) -> Option<&'static Rule> {
    RULES.iter().find(|rule| (rule.applies)(difference, evidence))
}

pub(crate) const RULES: [Rule; 19] = [
    Rule {
        name: "folder-time",
        why: "folders get their times when all is in them, also what comes late",
        applies: |difference, _| {
            let is_folder = |node: &Node| node.kind == Kind::Folder;
            let is_new = |node: &Node| node.mtime.is_none();
            difference.aspect == Aspect::Time
                && difference.ours.as_ref().is_some_and(is_folder)
                && difference.gnu.as_ref().is_some_and(is_new)
        },
    },
    Rule {
        name: "global-attributes",
        why: "a global header gives no entry its name, size or map: all would have the same",
        applies: |_, evidence| evidence.told("for all entries; it is dropped"),
    },
    Rule {
        name: "global-twice",
        why: "the last of a global header's records of one key counts, and not the first (POSIX)",
        applies: |difference, evidence| {
            let time = |node: &Option<Node>| node.as_ref().map(|node| node.mtime);
            difference.aspect == Aspect::Time
                && evidence.has_global
                && time(&difference.gnu) != time(&difference.bsd)
        },
    },
    Rule {
        name: "empty-name",
        why: "a long name or target that is empty is dropped, and the header's counts",
        applies: |difference, evidence| {
            evidence.told("long name is empty")
                || evidence.told("long link target is empty")
                || evidence.gnu.contains("for empty") && difference.bsd.is_none()
        },
    },
    Rule {
        name: "continued",
        why: "what begins in another archive is left out, and is not taken for whole",
        applies: |difference, evidence| {
            evidence.told_of(&difference.path).any(|complaint| complaint.contains("continued"))
        },
    },
    Rule {
        name: "cut-off",
        why: "a file that the archive's end cuts off is not left behind as if it were whole",
        applies: |difference, evidence| {
            // What was there before stays, too.
            let is_new =
                |node: &Option<Node>| node.as_ref().is_some_and(|node| node.mtime.is_none());
            difference.aspect == Aspect::Missing && evidence.told("ends in the middle")
                || difference.aspect != Aspect::Extra
                    && difference.ours.is_some()
                    && evidence.gnu.contains("Unexpected EOF")
                    && (difference.bsd.is_none() || is_new(&difference.gnu))
        },
    },
    Rule {
        name: "device",
        why: "devices are not made, not even those that anybody may make (0:0)",
        applies: |difference, evidence| {
            let is_device =
                |node: &Option<Node>| node.as_ref().is_none_or(|node| node.kind == Kind::Other);
            is_device(&difference.gnu)
                && is_device(&difference.bsd)
                && evidence.told("devices are not made")
        },
    },
    Rule {
        name: "dropped-attribute",
        why: "a mode or time that can't be read is dropped, and is not the part of it that can be",
        applies: |difference, evidence| {
            let gnu_drops =
                evidence.gnu.contains("numeric mode_t") || evidence.gnu.contains("numeric time_t");
            matches!(difference.aspect, Aspect::Mode | Aspect::Time)
                && (evidence.told("dropped") || gnu_drops)
        },
    },
    Rule {
        name: "dropped-size",
        why: "a size with a NUL in it is dropped, and is not what is before the NUL",
        applies: |difference, evidence| {
            let sizes = ["its size is dropped", "size is dropped", "its GNU.sparse"];
            difference.aspect == Aspect::Contents && sizes.iter().any(|what| evidence.told(what))
        },
    },
    Rule {
        name: "wrong-map",
        why: "a sparse file whose map is wrong is left out: nobody knows which bytes are where",
        applies: |difference, evidence| {
            let is_refused = evidence.told("sparse file")
                || evidence.has_sparse && evidence.told_of(&difference.path).next().is_some();
            difference.aspect == Aspect::Missing && is_refused
                || difference.aspect == Aspect::Silent
                    && evidence.gnu.contains("sparse archive member")
        },
    },
    Rule {
        name: "odd-map",
        why: "a map that can be read is, where peers that call it malformed make up other contents",
        applies: |difference, evidence| {
            let len = |node: &Option<Node>| match node.as_ref().map(|node| &node.kind) {
                Some(Kind::File { len, hash }) => Some((*len, *hash)),
                _ => None,
            };
            matches!(difference.aspect, Aspect::Contents | Aspect::Kind | Aspect::Extra)
                && evidence.has_sparse
                && (difference.aspect == Aspect::Extra
                    || len(&difference.gnu) != len(&difference.bsd))
        },
    },
    Rule {
        name: "size-of-nothing",
        why: "the size of what has no contents is not looked at",
        applies: |difference, evidence| {
            let has_none = |node: &Node| !matches!(node.kind, Kind::File { .. });
            difference.ours.as_ref().is_some_and(has_none) && evidence.gnu.contains("off_t")
        },
    },
    Rule {
        name: "found-again",
        why: "behind damage, or something that is dropped, we find entries that peers lose",
        applies: |difference, evidence| {
            let damage = ["skipping to the next", "dropped", "sparse file"];
            difference.aspect == Aspect::Extra && damage.iter().any(|what| evidence.told(what))
        },
    },
    Rule {
        name: "behind-zeros",
        why: "zeros end no archive while a header is looked for: files have zeros, too",
        applies: |difference, evidence| {
            difference.ours.is_some() && evidence.has_more && evidence.told("skipping to the next")
        },
    },
    Rule {
        name: "long-path",
        why: "peers can't finish what has a path of more than 4095 bytes",
        applies: |difference, _| difference.path.len() > 4095,
    },
    Rule {
        name: "long-name-size",
        why: "a long name is as long as its header says, and does not go on to the next NUL",
        applies: |difference, evidence| {
            let is_name = matches!(difference.aspect, Aspect::Extra | Aspect::Silent);
            is_name && evidence.has_long && difference.bsd.is_none()
        },
    },
    Rule {
        name: "slash-behind-target",
        why: "a slash behind the target of a hard link does not matter",
        applies: |difference, evidence| {
            difference.ours.is_some() && evidence.gnu.contains("Not a directory")
        },
    },
    Rule {
        name: "no-folder-for-nothing",
        why: "folders are not made for an entry that is then refused",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Missing
                && difference.gnu.as_ref().is_some_and(|node| node.kind == Kind::Folder)
                && evidence.told_of(&difference.path).next().is_some()
        },
    },
    Rule {
        name: "kept",
        why: "what is there stays when the entry that would replace it is refused",
        applies: |difference, evidence| {
            difference.ours.is_some()
                && evidence
                    .told_of(&difference.path)
                    .any(|complaint| !complaint.contains("dropped"))
        },
    },
];
