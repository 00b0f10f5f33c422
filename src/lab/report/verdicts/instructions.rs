//! `results/instructions.csv`: instructions an operation, as valgrind counts them.

use super::Row;
use crate::lab::instructions::{CURE, Count, FILE, WORKLOADS};
use crate::lab::measure::contender::BASELINE;
use crate::lab::summary::registered;
use crate::lab::table::Grid;

impl Row for Count {
    const FILE: &'static str = FILE;
    const COLUMNS: &'static [&'static str] = &Count::COLUMNS;
    const CURE: &'static str = CURE;
}

/// One line a scheme, in the order of the file; a column a workload, and what it is above the baseline's.
pub(crate) fn grid(rows: &[Count]) -> Grid {
    let titles = WORKLOADS.map(|workload| format!("{}, instructions", workload.name()));
    let titles = titles.iter().map(String::as_str);
    let columns: Vec<&str> = ["scheme"].into_iter().chain(titles).collect();
    let mut grid = Grid::new("", &columns);
    let mut schemes: Vec<&str> = Vec::new();
    for row in rows {
        if !schemes.contains(&row.scheme.as_str()) {
            schemes.push(&row.scheme);
        }
    }
    for scheme in schemes {
        let mut cells = vec![scheme.to_owned()];
        cells.extend(WORKLOADS.map(|workload| {
            let find = |name: &str| {
                let mut rows = rows.iter();
                rows.find(|row| row.scheme == name && row.workload == workload)
            };
            let Some(row) = find(scheme) else {
                return String::from("-");
            };
            match find(BASELINE) {
                Some(raw) if scheme != BASELINE => {
                    let more = row.instructions - raw.instructions;
                    format!("{:.2} ({more:+.2})", row.instructions)
                }
                _ => format!("{:.2}", row.instructions),
            }
        }));
        grid.rows.push(cells);
    }
    let mut made: Vec<String> = rows
        .iter()
        .map(|row| format!("{}, {}", row.compiler, row.target))
        .collect();
    made.dedup();
    grid.notes
        .push(format!("Machine code of {}.", made.join("; ")));
    for scheme in registered() {
        if let Some(why) = scheme.uncounted {
            grid.notes
                .push(format!("`{}` is not counted: {why}.", scheme.name));
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_scheme_is_a_line_and_its_own_share_stands_beside() {
        let text = "scheme,workload,instructions,target,compiler\n\
            unprotected,hold,5.5,x86_64,rustc 1\n\
            percpu,hold,14,x86_64,rustc 1\n\
            unprotected,dependent,4,x86_64,rustc 1\n";
        let grid = grid(&parse::<Count>(text).unwrap());
        assert_eq!(grid.rows[0], ["unprotected", "5.50", "-", "4.00"]);
        assert_eq!(grid.rows[1], ["percpu", "14.00 (+8.50)", "-", "-"]);
        assert_eq!(grid.notes[0], "Machine code of rustc 1, x86_64.");
        // Who has no row says why.
        for scheme in registered().iter().filter(|s| s.uncounted.is_some()) {
            let begin = format!("`{}` is not counted: ", scheme.name);
            let said = grid.notes.iter().any(|note| note.starts_with(&begin));
            assert!(said, "{:?}", grid.notes);
        }
    }
}
