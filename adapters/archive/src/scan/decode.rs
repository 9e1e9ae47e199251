//! Decoding of the header blocks of an entry.

use super::head::{Head, Owner};
use super::pax::Extensions;
use super::raw::{NoNumber, Raw};
use crate::EntryKind;
use crate::warning::{Warning, Warnings};

/// The extension headers before the header of the entry itself.
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

/// Why a header is not an entry.
pub(super) enum NoEntry {
    /// The size of its contents is unknown.
    Size,
    /// It has no name; this many bytes of contents follow.
    Name(u64),
}

/// Decodes the headers of an entry. Unreadable attributes are dropped with a warning. `left` is the
/// maximum size of the contents.
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
        dropped.push("dropped empty long name".into());
    }
    if before.long_link.is_some() && !given(&before.long_link) {
        dropped.push("dropped empty long link target".into());
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
    // Old tars had no type for directories.
    let is_old_directory = matches!(raw.kind(), b'0' | b'7' | 0) && path.ends_with(b"/");
    let kind = if is_old_directory { EntryKind::Directory } else { kind };
    let has_data = kind.has_data() || raw.kind() == b'D';
    let stored = if has_data { pax.size.or_else(|| raw.size()) } else { Some(0) };
    let stored = stored.filter(|stored| *stored <= left).ok_or(NoEntry::Size)?;

    let mut warn = |what: String| warnings.push(Warning::new(&path, at, what));
    dropped.into_iter().for_each(&mut warn);
    if !has_data && raw.has_bad_size() {
        warn("dropped size: the header field is not a number".into());
    }
    if path.is_empty() {
        warn("skipped an entry without a name".into());
        return Err(NoEntry::Name(stored));
    }
    let mut field = |name: &str, value: Result<Option<i64>, NoNumber>, default: i64| {
        value.map_or_else(
            |NoNumber| {
                warn(format!("dropped {name}: the header field is not a number"));
                default
            },
            Option::unwrap_or_default,
        )
    };
    // If the mode is unknown, only the owner gets access.
    let closed = if kind == EntryKind::Directory { 0o700 } else { 0o600 };
    let in_range = |value: Result<Option<i64>, NoNumber>, highest: i64| match value {
        Ok(Some(value)) if !(0..=highest).contains(&value) => Err(NoNumber),
        value => value,
    };
    // Some writers store the file type in the higher bits.
    let mode = in_range(raw.mode(), i64::from(u32::MAX));
    let mode = field("mode", mode, closed).cast_unsigned() as u32 & 0o7777;
    let (mtime, nanoseconds) = pax.mtime.unwrap_or_else(|| (field("mtime", raw.mtime(), 0), 0));
    let mut number = |name, given: Option<u32>, value: Result<Option<i64>, NoNumber>| {
        given.or_else(|| {
            // The highest number means "no owner".
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
