//! `pages info`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::id::hex;
use super::open::open_snapshot;
use crate::error::{self, Error};
use crate::size;

/// Describes a snapshot without reading its pages
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The snapshot
    snapshot: PathBuf,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Prints the description.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let snapshot = open_snapshot(&arguments.snapshot)?;
    let header = snapshot.header();
    let layout = &header.layout;
    let pages = layout.len() / layout.page_size() as u64;
    let (data, file) = (snapshot.data_pages(), snapshot.file_len());
    let parent = header.parent.as_ref().map(hex);
    let regions = layout.regions();
    if arguments.json {
        let regions: Vec<_> = regions
            .iter()
            .map(|region| json!({ "address": region.address, "size": region.len }))
            .collect();
        let value = json!({
            "id": hex(&header.id), "parent": parent, "regions": regions, "file": file,
            "page_size": layout.page_size(), "cluster_size": layout.cluster_size(),
            "format": header.format.name(), "pages": pages, "data_pages": data,
            "clusters": snapshot.clusters(),
        });
        error::print(&format!("{value}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = vec![format!("id        {}", hex(&header.id))];
    lines.push(parent.map_or("base".to_owned(), |parent| format!("delta on  {parent}")));
    lines.extend(
        regions
            .iter()
            .map(|region| format!("region    {:#x}, {} bytes", region.address, region.len)),
    );
    let page_size = size::display(layout.page_size());
    lines.push(format!("pages     {pages} of {page_size}, {data} of them with data"));
    let cluster_size = size::display(layout.cluster_size());
    let clusters = snapshot.clusters();
    lines.push(format!("clusters  {clusters} of {cluster_size} in {}", header.format));
    let ratio = (data * layout.page_size() as u64) as f64 / file.max(1) as f64;
    lines.push(format!("file      {file} bytes, its pages compressed {ratio:.2} : 1\n"));
    error::print(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}
