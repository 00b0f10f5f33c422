//! `results/footprint.csv`: bytes a lock and a reader, as an allocator counts them.

use super::Row;
use crate::lab::footprint::{CURE, FILE, Footprint, READERS};
use crate::lab::peers::peers_note;
use crate::lab::table::Grid;

impl Row for Footprint {
    const FILE: &'static str = FILE;
    const COLUMNS: &'static [&'static str] = &Footprint::COLUMNS;
    const CURE: &'static str = CURE;
}

/// One line a scheme: the whole, by readers, and what another reader adds.
pub(crate) fn grid(rows: &[Footprint]) -> Grid {
    let titles = READERS.map(|readers| match readers {
        1 => String::from("bytes, 1 reader"),
        n => format!("bytes, {n} readers"),
    });
    let columns: Vec<&str> = ["scheme"]
        .into_iter()
        .chain(titles.iter().map(String::as_str))
        .chain(["bytes another reader"])
        .collect();
    let mut grid = Grid::new("", &columns);
    let mut schemes: Vec<&str> = Vec::new();
    for row in rows {
        if !schemes.contains(&row.scheme.as_str()) {
            schemes.push(&row.scheme);
        }
    }
    for scheme in schemes {
        let total = |readers| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row.scheme == scheme && row.readers == readers);
            row.map(Footprint::total)
        };
        let shown = |bytes: Option<i64>| bytes.map_or(String::from("-"), |b| b.to_string());
        let mut cells = vec![scheme.to_owned()];
        cells.extend(READERS.map(|readers| shown(total(readers))));
        let [.., fewer, more] = READERS;
        let slope = total(more).zip(total(fewer));
        let slope = slope.map(|(more_bytes, bytes)| (more_bytes - bytes) / (more - fewer) as i64);
        cells.push(shown(slope));
        grid.rows.push(cells);
    }
    grid.notes.push(peers_note(
        "counted is what a scheme and its readers take, and a peer has a copy of the table in it",
    ));
    grid
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn the_whole_is_lock_heap_and_handles() {
        let text = "scheme,readers,lock,made,reader,held\n\
            percpu,1,100,256,24,256\n\
            percpu,64,100,8320,24,8320\n\
            percpu,1024,100,131200,24,131200\n";
        let grid = grid(&parse::<Footprint>(text).unwrap());
        assert_eq!(grid.rows[0], ["percpu", "380", "9956", "155876", "152"]);
    }
}
