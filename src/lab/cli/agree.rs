//! `ptom agree`: whether `cargo bench` and the newest comparison rank alike.
//!
//! Criterion measures one contender after the other, `compare` in turns, so times differ; an order by
//! a factor must not. Compared is what either says of a contender in unprotected operations beside
//! it; a ratio that is not to be trusted is left out, and counted. Only one thread is
//! compared, since the benchmarks have one.

use super::Error;
use super::output::Out;
use crate::lab::measure::beside::Ratio;
use crate::lab::provenance::Kind;
use crate::lab::sample::Workload;
use crate::lab::store::{ResultsError, Run, newest};
use crate::lab::summary;
use std::path::PathBuf;

/// A difference that both methods must see alike.
const FACTOR: f64 = 1.5;

/// What `ptom agree` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the results are.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// Where criterion left its estimates.
    #[arg(long, value_name = "DIR", default_value = "target/criterion")]
    criterion: PathBuf,
}

/// A contender's time by either method, in unprotected operations.
#[derive(Clone, Debug, PartialEq)]
struct Both {
    scheme: String,
    compared: f64,
    benched: f64,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let failed = |e: ResultsError| Error::Failed(e.to_string());
    let Some(dir) = newest(&args.results, Kind::Compare).map_err(failed)? else {
        let results = args.results.display();
        return Err(Error::Failed(format!("no comparison in {results}")));
    };
    let rows = summary::rows(&Run::read(&dir).map_err(failed)?).map_err(failed)?;
    let (mut pairs, mut doubted, mut lines) = (0, 0, Vec::new());
    for workload in Workload::ALL {
        let here = rows
            .iter()
            .filter(|row| row.workload == workload && row.threads == 1);
        let both: Vec<Both> = here
            .filter_map(|row| {
                let folder = args.criterion.join(workload.name()).join(&row.scheme);
                let benched = Ratio::read(&folder.join("new"))?;
                if benched.doubt().is_some() {
                    doubted += 1;
                    return None;
                }
                Some(Both {
                    scheme: row.scheme.clone(),
                    compared: row.figures?.ratio.median,
                    benched: benched.value(),
                })
            })
            .collect();
        pairs += both.len() * both.len().saturating_sub(1) / 2;
        lines.extend(disagreements(workload.name(), &both));
    }
    if doubted > 0 {
        out.line(&format!(
            "{doubted} figures of the benchmark are left out: they are not to be trusted"
        ))?;
    }
    if pairs == 0 {
        let criterion = args.criterion.display();
        return Err(Error::Failed(format!(
            "nothing in {criterion} to compare with: run `cargo bench` first, on an idle machine"
        )));
    }
    for line in &lines {
        out.line(line)?;
    }
    let found = lines.len();
    match found {
        0 => out.line(&format!("{pairs} pairs, none ranked differently")),
        _ => Err(Error::Failed(format!(
            "{found} of {pairs} pairs are ranked differently"
        ))),
    }
}

/// The pairs that one method puts apart by [`FACTOR`], and the other the other way round.
fn disagreements(workload: &str, both: &[Both]) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, a) in both.iter().enumerate() {
        for b in both.iter().skip(at + 1) {
            let (compared, benched) = (a.compared / b.compared, a.benched / b.benched);
            let apart = compared.max(benched) >= FACTOR || compared.min(benched) <= 1.0 / FACTOR;
            if apart && (compared - 1.0) * (benched - 1.0) < 0.0 {
                lines.push(format!(
                    "{workload}: {} by {} is {compared:.2} in the comparison, {benched:.2} in the benchmark",
                    a.scheme, b.scheme
                ));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(scheme: &str, compared: f64, benched: f64) -> Both {
        Both {
            scheme: scheme.to_owned(),
            compared,
            benched,
        }
    }

    #[test]
    fn only_an_order_by_a_factor_must_be_the_same() {
        let near = [both("a", 1.0, 10.0), both("b", 1.2, 9.0)];
        assert_eq!(disagreements("hold", &near), [""; 0]);
        let alike = [both("a", 1.0, 10.0), both("b", 9.0, 12.0)];
        assert_eq!(disagreements("hold", &alike), [""; 0]);
        let apart = [both("a", 1.0, 10.0), both("b", 1.6, 9.0)];
        assert_eq!(disagreements("hold", &apart).len(), 1);
    }
}
