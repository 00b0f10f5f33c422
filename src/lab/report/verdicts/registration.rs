//! `results/registration.csv`: instructions of registering a reader, by how many there are.

use super::Row;
use crate::lab::footprint::READERS;
use crate::lab::instructions::CURE;
use crate::lab::instructions::registration::{FILE, Registration};
use crate::lab::peers::peers_note;
use crate::lab::table::Grid;

impl Row for Registration {
    const FILE: &'static str = FILE;
    const COLUMNS: &'static [&'static str] = &Registration::COLUMNS;
    const CURE: &'static str = CURE;
}

/// One line a scheme, in the order of the file; a column a number of readers.
pub(crate) fn grid(rows: &[Registration]) -> Grid {
    let titles = READERS.map(|readers| match readers {
        1 => String::from("instructions, the first"),
        n => format!("instructions, 1 of {n}"),
    });
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
        cells.extend(READERS.map(|readers| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row.scheme == scheme && row.readers == readers);
            row.map_or(String::from("-"), |row| format!("{:.0}", row.instructions))
        }));
        grid.rows.push(cells);
    }
    grid.notes.push(peers_note(
        "counted is what a scheme's `reader()` takes, and a peer has none",
    ));
    grid
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_scheme_is_a_line_and_a_number_of_readers_a_column() {
        let text = "scheme,readers,instructions,target,compiler\n\
            percpu,1,31.01,x86_64,rustc 1\n\
            percpu,64,220,x86_64,rustc 1\n\
            rwlock,1024,3.5,x86_64,rustc 1\n";
        let grid = grid(&parse::<Registration>(text).unwrap());
        assert_eq!(grid.rows[0], ["percpu", "31", "220", "-"]);
        assert_eq!(grid.rows[1], ["rwlock", "-", "-", "4"]);
    }
}
