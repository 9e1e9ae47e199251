//! `pages info`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::{hex, open_snapshot};
use crate::error::{self, Error};
use crate::size;

/// Says what a snapshot has, without reading its pages
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The snapshot
    snapshot: PathBuf,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Prints it.
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
    let mut text = format!("id        {}\n", hex(&header.id));
    text += &match parent {
        Some(parent) => format!("delta on  {parent}\n"),
        None => "base\n".to_owned(),
    };
    for region in regions {
        text += &format!("region    {:#x}, {} bytes\n", region.address, region.len);
    }
    text += &format!(
        "pages     {pages} of {}, {data} of them with data\n",
        size::display(layout.page_size())
    );
    text += &format!(
        "clusters  {} of {} in {}\nfile      {file} bytes",
        snapshot.clusters(),
        size::display(layout.cluster_size()),
        header.format
    );
    if file > 0 {
        let ratio = (data * layout.page_size() as u64) as f64 / file as f64;
        text += &format!(", its pages compressed {ratio:.2} : 1");
    }
    error::print(&(text + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
