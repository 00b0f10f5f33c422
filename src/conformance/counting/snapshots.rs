//! What a snapshot of each scheme writes: the rows of `results/snapshots.csv`.
//!
//! Two snapshots of each scheme are counted, by the thread that takes them, which is alone: one that
//! nothing disturbs, and, where that writes nothing, one that a suspend overtakes, so that its section
//! runs again. That a snapshot never writes on any other way through the code is not shown.

use super::{Counting, Writes, uncounted, written};
use crate::backend::{Backend, Native};
use crate::conformance::sampled::{Check, Line, Table};
use crate::scheme::{Claims, Reader, Registry, Scheme, Size, Visit};

/// One snapshot: a row of `results/snapshots.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The scheme.
    pub scheme: &'static str,
    /// What it claims.
    pub claims: Claims,
    /// Whether a suspend overtook it.
    pub overtaken: bool,
    /// What it wrote.
    pub writes: Writes,
}

/// The columns.
pub const HEADER: [&str; 6] = [
    "scheme",
    "overtaken",
    "stores",
    "rmws",
    "verdict",
    "expected",
];

impl Row {
    /// Whether nothing was written.
    pub fn passed(&self) -> bool {
        self.writes == Writes::default()
    }

    /// Whether nothing may be written; `None` for a control that does not say so, and whose snapshot is
    /// no snapshot.
    pub fn expected(&self) -> Option<bool> {
        let claimed = self.claims.snapshot_free_of_writes;
        (claimed || self.claims.holds).then_some(claimed)
    }

    /// Whether it is as it must be.
    pub fn is_expected(&self) -> bool {
        self.expected()
            .is_none_or(|expected| expected == self.passed())
    }

    /// The row as it stands in the file.
    pub fn fields(&self) -> Vec<String> {
        let verdict = |pass: bool| if pass { "pass" } else { "fail" }.to_owned();
        vec![
            self.scheme.to_owned(),
            if self.overtaken { "yes" } else { "no" }.to_owned(),
            self.writes.stores.to_string(),
            self.writes.rmws.to_string(),
            verdict(self.passed()),
            self.expected().map_or("unclaimed".to_owned(), verdict),
        ]
    }
}

/// Counts for every scheme of a registry, on a backend that is usable outside of a checker.
pub fn all<B: Backend, R: Registry>() -> Vec<Row> {
    let mut count = Count(Vec::new());
    R::each::<Counting<B>>(&mut count);
    count.0
}

struct Count(Vec<Row>);

impl<B: Backend> Visit<Counting<B>> for Count {
    fn visit<S: Scheme<Counting<B>>>(&mut self) {
        let row = |overtaken, writes| Row {
            scheme: S::NAME,
            claims: S::CLAIMS,
            overtaken,
            writes,
        };
        let alone = row(false, undisturbed::<Counting<B>, S>());
        let free = alone.passed();
        self.0.push(alone);
        if free && !S::CLAIMS.needs_quiescence {
            // Whoever writes nothing keeps no suspend waiting, so this ends; unless a suspend waits for
            // the reader's next quiescent point.
            self.0.push(row(true, overtaken::<Counting<B>, S>()));
        }
    }
}

fn undisturbed<B: Backend, S: Scheme<B>>() -> Writes {
    let scheme = S::new(Size::readers(1));
    let reader = scheme.reader().expect("room for one");
    written(|| reader.snapshot(|| ()))
}

fn overtaken<B: Backend, S: Scheme<B>>() -> Writes {
    let scheme = S::new(Size::readers(2));
    let reader = scheme.reader().expect("room for two");
    let mut suspender = scheme.reader().expect("room for two");
    let mut first = true;
    written(|| {
        reader.snapshot(|| {
            if std::mem::take(&mut first) {
                // The suspender's writes are its own.
                uncounted(|| drop(suspender.suspend()));
            }
        });
    })
}

/// What a snapshot of each scheme of a registry writes, as one check.
pub(in crate::conformance) fn check<R: Registry>() -> Check {
    let line = |row: &Row| Line {
        fields: row.fields(),
        expected: row.is_expected(),
        again: None,
    };
    Check {
        table: Table::Snapshots,
        name: "snapshots/writes".to_owned(),
        needs_two_cpus: false,
        run: Box::new(move |_| Ok(all::<Native, R>().iter().map(line).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::Ours;

    #[test]
    fn a_snapshot_writes_nothing_if_and_only_if_its_scheme_says_so() {
        let rows = all::<Native, Ours>();
        assert!(rows.iter().any(|row| row.overtaken && row.claims.holds));
        for row in rows {
            assert!(row.is_expected(), "{row:?}");
        }
    }
}
