//! `results/orderings.csv`: the ordering audit, weakening by weakening.

use super::Row;
use crate::lab::table::Grid;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a weakening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fate {
    /// A model noticed.
    Killed,
    /// None did, and a comment beside the code says why.
    Explained,
    /// None did.
    Survived,
    /// The exploration gave up.
    Unknown,
}

/// One weakening of one ordering, under one scheme.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Weakening {
    pub(crate) scheme: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) operation: String,
    pub(crate) ordering: String,
    pub(crate) weaker: String,
    pub(crate) verdict: Fate,
    /// The model that noticed, after the scheme, or the machine, that it ran on.
    pub(crate) model: String,
    pub(crate) readers: Option<u32>,
    pub(crate) bound: Option<u32>,
    pub(crate) executions: Option<u64>,
    pub(crate) finding: String,
}

impl Row for Weakening {
    const FILE: &'static str = "orderings.csv";
    const COLUMNS: &'static [&'static str] = &[
        "scheme",
        "file",
        "line",
        "column",
        "operation",
        "ordering",
        "weaker",
        "verdict",
        "model",
        "readers",
        "bound",
        "executions",
        "finding",
    ];
    const CURE: &'static str = "make it with `cargo run -p loom-tests --release -- record`";
}

impl Weakening {
    /// The killer without the scheme's own name: `exclusion`, or `percpu_asym-symmetric/exclusion`.
    fn killer(&self) -> &str {
        let own = self.model.strip_prefix(&self.scheme);
        own.and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(&self.model)
    }
}

/// One line a scheme; whatever is neither killed nor explained below.
pub(crate) fn grid(rows: &[Weakening]) -> Grid {
    let columns = [
        "scheme",
        "orderings",
        "weakenings",
        "killed",
        "explained",
        "survived",
        "unknown",
        "killed by",
    ];
    let mut grid = Grid::new("", &columns);
    grid.words = vec![columns.len() - 1];
    let mut schemes: Vec<&str> = rows.iter().map(|row| row.scheme.as_str()).collect();
    schemes.dedup();
    for scheme in schemes {
        let of: Vec<&Weakening> = rows.iter().filter(|row| row.scheme == scheme).collect();
        let sites: BTreeSet<_> = of
            .iter()
            .map(|r| (&r.file, r.line, r.column, &r.operation, &r.ordering))
            .collect();
        let count = |fate| of.iter().filter(|row| row.verdict == fate).count();
        grid.rows.push(vec![
            scheme.to_owned(),
            sites.len().to_string(),
            of.len().to_string(),
            count(Fate::Killed).to_string(),
            count(Fate::Explained).to_string(),
            count(Fate::Survived).to_string(),
            count(Fate::Unknown).to_string(),
            killers(&of),
        ]);
    }
    for row in rows {
        let what = match row.verdict {
            Fate::Killed | Fate::Explained => continue,
            Fate::Survived => "nobody noticed, and nobody says why",
            Fate::Unknown => "nothing is known",
        };
        grid.notes.push(format!(
            "{}:{} {} of {} as {}, in {}: {what}. {}",
            row.file, row.line, row.operation, row.ordering, row.weaker, row.scheme, row.finding
        ));
    }
    grid
}

/// Which models noticed how many, the busiest first.
fn killers(of: &[&Weakening]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in of.iter().filter(|row| row.verdict == Fate::Killed) {
        *counts.entry(row.killer()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(model, count)| (usize::MAX - count, *model));
    let shown: Vec<_> = counts
        .iter()
        .map(|(model, count)| format!("{model} {count}"))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    const TEXT: &str = "scheme,file,line,column,operation,ordering,weaker,verdict,model,readers,bound,executions,finding\n\
        percpu,src/scheme/percpu.rs,98,5,fence,SeqCst,AcqRel,killed,percpu/exclusion,1,2,7,race: x\n\
        percpu,src/scheme/percpu.rs,98,5,fence,SeqCst,Relaxed,killed,percpu-stale-failures/twice,1,2,7,race: x\n\
        percpu,src/primitive/gate.rs,53,9,load,Acquire,Relaxed,explained,,,,,the fence acquires too\n\
        percpu,src/primitive/gate.rs,60,9,load,Acquire,Relaxed,survived,,,,,\n\
        epoch,src/scheme/epoch.rs,98,5,fence,SeqCst,AcqRel,unknown,,,,,maximum number of branches\n";

    #[test]
    fn the_audit_by_scheme() {
        let rows: Vec<Weakening> = parse(TEXT).unwrap();
        let grid = grid(&rows);
        let percpu = [
            "percpu",
            "3",
            "4",
            "2",
            "1",
            "1",
            "0",
            "exclusion 1, percpu-stale-failures/twice 1",
        ];
        assert_eq!(grid.rows[0], percpu);
        assert_eq!(grid.rows[1][6], "1");
        assert_eq!(grid.notes.len(), 2);
        assert!(grid.notes[0].contains("src/primitive/gate.rs:60"));
    }

    #[test]
    fn a_verdict_that_nobody_knows_is_an_error() {
        let text = TEXT.replace("survived", "forgiven");
        let error = parse::<Weakening>(&text).unwrap_err();
        assert!(error.contains("orderings.csv:5"), "{error}");
    }
}
