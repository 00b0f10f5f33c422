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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::measure::beside::{Ratio, Stamp};
    use crate::lab::store::{Store, strict};
    use crate::lab::summary::tests::made_up;
    use std::fs;
    use tempfile::TempDir;

    /// A folder with a comparison in `results`, and what `ptom agree` takes to look there.
    fn compared() -> (TempDir, Args) {
        let dir = tempfile::tempdir().unwrap();
        let (results, criterion) = (dir.path().join("results"), dir.path().join("criterion"));
        let run = made_up(3);
        let mut store = Store::create(&results, &run.provenance).unwrap();
        for sample in &run.samples {
            store.sample(sample).unwrap();
        }
        for sample in &run.suspends {
            store.suspend(sample).unwrap();
        }
        for failure in &run.failures {
            store.failure(failure).unwrap();
        }
        store.finish().unwrap();
        (dir, Args { results, criterion })
    }

    /// Leaves a benchmark of every row, by what the comparison says of it.
    fn bench(args: &Args, benched: impl Fn(&str, f64) -> f64) {
        let dir = newest(&args.results, Kind::Compare).unwrap().unwrap();
        let rows = summary::rows(&Run::read(&dir).unwrap()).unwrap();
        let made = Stamp::of_this_program();
        for row in agreement::compare("run", &rows, &args.criterion) {
            let folder = args.criterion.join(row.workload.name()).join(&row.scheme);
            fs::create_dir_all(folder.join("new")).unwrap();
            let halves = [benched(&row.scheme, row.compared); 2];
            let ratio = Ratio { halves, lost: 0.0 };
            ratio.write(&folder.join("new"), &made).unwrap();
        }
    }

    fn said(args: &Args) -> String {
        match run(args, &mut Out::new()) {
            Ok(()) => String::new(),
            Err(Error::Failed(why)) => why,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn nothing_compared_is_no_agreement_and_is_not_kept() {
        let (_dir, args) = compared();
        assert!(said(&args).contains("only 0 of "), "{}", said(&args));
        assert!(!args.results.join(agreement::FILE).exists());
    }

    #[test]
    fn what_was_compared_is_kept_and_a_pair_the_other_way_round_fails() {
        let (_dir, args) = compared();
        let file = args.results.join(agreement::FILE);
        let kept = || strict::read::<Compared>(&file, &Compared::COLUMNS, "", "").unwrap();
        bench(&args, |_, compared| compared);
        assert_eq!(said(&args), "");
        // As near as a number comes back from JSON.
        let same = |row: &Compared| {
            let benched = row.benched.unwrap_or(f64::NAN);
            (benched / row.compared - 1.0).abs() < 1e-9
        };
        assert!(kept().iter().all(|(_, row)| same(row)));
        bench(&args, |scheme, compared| match scheme {
            "std_rwlock" => 0.001,
            _ => compared,
        });
        assert!(said(&args).contains("are ranked differently"));
        let dear = kept()
            .into_iter()
            .filter(|(_, row)| row.scheme == "std_rwlock");
        assert!(dear.map(|(_, row)| row.benched).all(|it| it == Some(0.001)));
    }
}
