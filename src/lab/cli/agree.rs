//! `ptom agree`: whether `cargo bench` and the newest comparison rank alike, kept in `agree.csv`.

use super::Error;
use super::output::Out;
use crate::lab::agreement::{self, Compared};
use crate::lab::provenance::Kind;
use crate::lab::report;
use crate::lab::store::{ResultsError, Run, newest};
use crate::lab::summary;
use std::path::PathBuf;

/// What `ptom agree` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the results are; agree.csv is written there.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// Where criterion left its estimates.
    #[arg(long, value_name = "DIR", default_value = "target/criterion")]
    criterion: PathBuf,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let failed = |e: ResultsError| Error::Failed(e.to_string());
    let Some(dir) = newest(&args.results, Kind::Compare).map_err(failed)? else {
        let results = args.results.display();
        return Err(Error::Failed(format!(
            "no comparison in {results}: measure with `ptom compare`"
        )));
    };
    let rows = summary::rows(&Run::read(&dir).map_err(failed)?).map_err(failed)?;
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let compared = agreement::compare(&name, &rows, &args.criterion);
    for line in agreement::left_out(&compared) {
        out.line(&format!("left out: {line}"))?;
    }
    if let Some(why) = agreement::too_few(&compared) {
        let criterion = args.criterion.display();
        return Err(Error::Failed(format!("{criterion}: {why}")));
    }
    report::write(&args.results.join(agreement::FILE), &csv(&compared)?).map_err(failed)?;
    let (pairs, lines) = (
        agreement::pairs(&compared),
        agreement::disagreements(&compared),
    );
    for line in &lines {
        out.line(line)?;
    }
    match lines.len() {
        0 => out.line(&format!("{pairs} pairs, none ranked differently")),
        found => Err(Error::Failed(format!(
            "{found} of {pairs} pairs are ranked differently"
        ))),
    }
}

fn csv(rows: &[Compared]) -> Result<String, Error> {
    let failed = |why: &dyn std::fmt::Display| Error::Failed(why.to_string());
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.serialize(row).map_err(|why| failed(&why))?;
    }
    let bytes = csv.into_inner().map_err(|why| failed(&why))?;
    String::from_utf8(bytes).map_err(|why| failed(&why))
}
