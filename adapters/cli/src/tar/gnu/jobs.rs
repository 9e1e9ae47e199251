//! Converts command lines to jobs.

use std::path::PathBuf;

use uadk_compress::Level;

use super::super::archive::{Archive, layout_of};
use super::super::job::{
    CompareJob, CreateJob, ExtractJob, ListJob, ListOutput, Lister, Members, Operand, Restore,
    Start, Store, WalkRules,
};
use super::super::long::Style;
use super::super::matching::wanted::Wanted;
use super::super::status::Status;
use super::super::{compare, create, extract, list};
use super::compression;
use super::settings::{Operation, Settings};
use super::usage::Usage;
use crate::error::Error;

/// Runs an operation.
pub(super) fn run(
    operation: Operation,
    settings: Settings,
) -> Result<Result<Status, Error>, Usage> {
    Ok(match operation {
        Operation::Create => create::run(&create_job(settings, Start::New)?),
        Operation::Append => create::run(&create_job(settings, Start::Append { create: true })?),
        Operation::Update => create::run(&create_job(settings, Start::Update)?),
        Operation::List => list::run(list_job(settings)),
        Operation::Extract => extract::run(extract_job(settings)),
        Operation::Compare => compare::run(compare_job(settings)),
        Operation::Help | Operation::Version => Ok(Status::default()),
    })
}

fn archive(settings: &Settings) -> Archive {
    let file = settings.file.clone().unwrap_or_else(|| PathBuf::from("-"));
    Archive { file, threads: settings.threads, memory_limit: settings.memory_limit }
}

const fn style(settings: &Settings, long: bool) -> Style {
    let Settings { numeric_owner, times, quoting, .. } = settings;
    Style { long, numeric_owner: *numeric_owner, times: *times, quoting: *quoting }
}

fn create_job(settings: Settings, start: Start) -> Result<CreateJob, Usage> {
    let none = settings.names.all.is_empty() && !settings.names.from_files;
    if none && start == Start::New {
        return Err(Usage::meaning("Cowardly refusing to create an empty archive"));
    }
    let archive = archive(&settings);
    let is_new = start == Start::New || !archive.file.exists();
    let plain = compression::is_plain(&settings, &archive.file, is_new)?;
    let lister = match settings.verbose {
        0 => Lister::Nowhere,
        _ if archive.is_dash() && !settings.dry_run => Lister::Stderr,
        _ => Lister::Stdout,
    };
    let style = style(&settings, settings.verbose > 1);
    let mtime = settings.mtime();
    let operands = settings.names.all.into_iter().map(|named| Operand {
        folder: named.folder,
        name: named.name,
        recurse: named.recurse,
    });
    Ok(CreateJob {
        archive,
        start,
        level: settings.level.unwrap_or(Level::BALANCED),
        layout: layout_of(settings.bgzf),
        plain,
        operands: operands.collect(),
        walk: WalkRules {
            exclude: settings.exclude,
            tags: settings.tags,
            newer: settings.newer,
            one_file_system: settings.one_file_system,
            order: settings.order,
            refuse_parents: false,
            ignore_failed_read: settings.ignore_failed_read,
        },
        store: Store {
            sparse: settings.sparse,
            attributes: settings.attributes,
            dereference: settings.dereference,
            hard_dereference: settings.hard_dereference,
            mtime,
            owner: settings.owner,
            group: settings.group,
            numeric_owner: settings.numeric_owner,
            mode: settings.mode,
        },
        transform: settings.transform,
        lister,
        style,
        show_stored: settings.show_transformed,
        summary: settings.summary,
        remove_files: settings.remove_files,
        dry_run: settings.dry_run,
    })
}

/// Returns the named members, and the directory to use if none are named.
fn members(settings: &mut Settings) -> (Members, PathBuf) {
    let here = |folder: PathBuf| {
        if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }
    };
    let mut wanted = Wanted::default();
    for named in std::mem::take(&mut settings.names.all) {
        wanted.push(&named.name, named.flags, &here(named.folder));
    }
    wanted.occurrence(settings.occurrence);
    let members = Members {
        wanted,
        exclude: std::mem::take(&mut settings.exclude),
        newer: settings.newer,
        ignore_zeros: settings.ignore_zeros,
    };
    (members, here(std::mem::take(&mut settings.names.folder)))
}

fn list_job(mut settings: Settings) -> ListJob {
    let (members, _) = members(&mut settings);
    let long = settings.verbose > 0;
    let style = style(&settings, long);
    let headers = long && (!style.numeric_owner || style.times.full);
    ListJob {
        archive: archive(&settings),
        members,
        output: ListOutput::Lines { style, headers },
        transform: settings.transform,
        show_transformed: settings.show_transformed,
        summary: settings.summary,
    }
}

fn extract_job(mut settings: Settings) -> ExtractJob {
    let archive = archive(&settings);
    let (members, folder) = members(&mut settings);
    let is_root = rustix::process::geteuid().is_root();
    let style = style(&settings, settings.verbose > 1);
    let lister = match settings.verbose {
        0 => Lister::Nowhere,
        _ if settings.to_stdout => Lister::Stderr,
        _ => Lister::Stdout,
    };
    let mut transform = settings.transform;
    transform.top = settings.one_top_level.map(|top| {
        if top.is_empty() { compression::stem(&archive.file) } else { top.into_encoded_bytes() }
    });
    ExtractJob {
        archive,
        members,
        folder,
        restore: Restore {
            permissions: settings.permissions.unwrap_or(is_root),
            owner: settings.same_owner.unwrap_or(is_root),
            numeric_owner: settings.numeric_owner,
            attributes: settings.attributes,
            touch: settings.touch,
            existing: settings.existing,
            keep_directory_symlink: settings.keep_directory_symlink,
            max_size: settings.max_size,
        },
        transform,
        to_stdout: settings.to_stdout,
        keep_newer: settings.keep_newer,
        lister,
        style,
        show_transformed: settings.show_transformed,
        summary: settings.summary,
        dry_run: settings.dry_run,
    }
}

fn compare_job(mut settings: Settings) -> CompareJob {
    let (members, folder) = members(&mut settings);
    let style = style(&settings, settings.verbose > 1);
    CompareJob {
        archive: archive(&settings),
        members,
        folder,
        transform: settings.transform,
        verbose: settings.verbose > 0,
        style,
        summary: settings.summary,
    }
}
