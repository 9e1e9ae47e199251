//! `--owner` and `--group`.

use std::fs;

use super::super::job::Owner;

/// Parses `NAME`, `NAME:NUMBER`, `:NUMBER` or `NUMBER`. The missing part is looked up in `file`,
/// which is `/etc/passwd` or `/etc/group`. With an unknown name, entries keep their numbers, as in
/// GNU tar.
pub(super) fn parse(text: &str, file: &str) -> Result<Owner, String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let lines = fs::read_to_string(file).unwrap_or_default();
    let known = || {
        lines.lines().filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, number(fields.nth(1)?)?))
        })
    };
    let name_of = |number| known().find(|(_, n)| *n == number).map(|(name, _)| name.to_owned());
    if let Some((name, digits)) = text.split_once(':') {
        let number = number(digits).ok_or_else(|| format!("invalid number \"{digits}\""))?;
        let name = if name.is_empty() { name_of(number) } else { Some(name.to_owned()) };
        return Ok(Owner { name, number: Some(number) });
    }
    if let Some((name, number)) = known().find(|(name, _)| *name == text) {
        return Ok(Owner { name: Some(name.to_owned()), number: Some(number) });
    }
    Ok(match number(text) {
        Some(number) => Owner { name: name_of(number), number: Some(number) },
        None => Owner { name: Some(text.to_owned()), number: None },
    })
}
