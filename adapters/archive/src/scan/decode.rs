//! From header blocks to what they say of an entry.

use super::head::{Head, Owner};
use super::pax::Extensions;
use super::raw::{NoNumber, Raw};
use crate::EntryKind;
use crate::warning::{Warning, Warnings};

/// The headers before the one of the entry itself, which say more about it.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) pax: Option<Box<Extensions>>,
    pub(super) long_name: Option<Vec<u8>>,
    pub(super) long_link: Option<Vec<u8>>,
    pub(super) solaris_acl: bool,
}

impl Before {
    pub(super) const fn is_empty(&self) -> bool {
        self.pax.is_none()
            && self.long_name.is_none()
            && self.long_link.is_none()
            && !self.solaris_acl
    }
}

/// A header that is no entry.
pub(super) enum NoEntry {
    /// Nobody knows how many bytes follow.
    Size,
    /// It has no name; so many bytes follow.
    Name(u64),
}

/// What the headers of an entry say. Attributes that can't be read are dropped, with a warning. `left` is
/// the most that can be behind the headers.
pub(super) fn head(
    raw: Raw<'_>,
    (start, at, left): (u64, u64, u64),
    globals: &Extensions,
    before: Before,
    warnings: &mut Warnings,
) -> Result<(Head, Box<Extensions>), NoEntry> {
    let mut pax = globals.overlaid(before.pax.unwrap_or_default());
    let kind = EntryKind::from_byte(raw.kind());
    let given = |name: &Option<Vec<u8>>| name.as_ref().is_some_and(|name| !name.is_empty());
    let mut dropped = std::mem::take(&mut pax.dropped);
    if before.long_name.is_some() && !given(&before.long_name) {
        dropped.push("its long name is empty; it is dropped".into());
    }
    if before.long_link.is_some() && !given(&before.long_link) {
        dropped.push("its long link target is empty; it is dropped".into());
    }
    let long_name = before.long_name.filter(|name| !name.is_empty());
    let path = pax.path.take().or(long_name).unwrap_or_else(|| raw.path());
    let long_link = before.long_link.filter(|name| !name.is_empty());
    let link = match kind {
        EntryKind::HardLink | EntryKind::Symlink => {
            pax.link.take().or(long_link).unwrap_or_else(|| raw.link().to_vec())
        }
        _ => Vec::new(),
    };
    // As tars had it before they knew folders.
    let is_old_folder = matches!(raw.kind(), b'0' | b'7' | 0) && path.ends_with(b"/");
    let kind = if is_old_folder { EntryKind::Directory } else { kind };
    let has_data = kind.has_data() || raw.kind() == b'D';
    let stored = if has_data { pax.size.or_else(|| raw.size()) } else { Some(0) };
    let stored = stored.filter(|stored| *stored <= left).ok_or(NoEntry::Size)?;

    let mut told = |what: String| warnings.push(Warning::new(&path, at, what));
    dropped.into_iter().for_each(&mut told);
    if path.is_empty() {
        told("an entry without a name is left out".into());
        return Err(NoEntry::Name(stored));
    }
    let mut field = |name: &str, value: Result<Option<i64>, NoNumber>, default: i64| {
        value.map_or_else(
            |NoNumber| {
                told(format!("its {name} is dropped: the field of the header has no number"));
                default
            },
            Option::unwrap_or_default,
        )
    };
    // Nobody but the owner gets in, if it is not known who may.
    let closed = if kind == EntryKind::Directory { 0o700 } else { 0o600 };
    let in_range = |value: Result<Option<i64>, NoNumber>, highest: i64| match value {
        Ok(Some(value)) if !(0..=highest).contains(&value) => Err(NoNumber),
        value => value,
    };
    // The bits above are those of kinds of files, which some writers store.
    let mode = in_range(raw.mode(), i64::from(u32::MAX));
    let mode = field("mode", mode, closed).cast_unsigned() as u32 & 0o7777;
    let (mtime, nanoseconds) = pax.mtime.unwrap_or_else(|| (field("mtime", raw.mtime(), 0), 0));
    let mut number = |name, given: Option<u32>, value: Result<Option<i64>, NoNumber>| {
        given.or_else(|| {
            // The highest number stands for none.
            let value = in_range(value, i64::from(u32::MAX) - 1);
            u32::try_from(field(name, value, -1)).ok()
        })
    };
    let uid = number("uid", pax.uid, raw.uid());
    let gid = number("gid", pax.gid, raw.gid());
    let device = match kind {
        EntryKind::CharDevice | EntryKind::BlockDevice => raw.device().ok(),
        _ => None,
    };
    let mut attributes = std::mem::take(&mut pax.attributes);
    attributes.acl_foreign |= before.solaris_acl;
    let head = Head {
        start,
        header_len: 0,
        kind,
        path,
        link,
        size: if kind.has_data() { stored } else { 0 },
        stored,
        mode,
        mtime,
        nanoseconds,
        uid: uid.unwrap_or(0).into(),
        gid: gid.unwrap_or(0).into(),
        owner: Owner {
            user: pax.user.take().unwrap_or_else(|| raw.user().to_vec()),
            group: pax.group.take().unwrap_or_else(|| raw.group().to_vec()),
            uid,
            gid,
        },
        device,
        sparse: None,
        unreadable: None,
        attributes,
    };
    Ok((head, pax))
}
