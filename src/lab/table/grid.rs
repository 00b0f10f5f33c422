//! A table before it has a form: one content for the terminal and for the report.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// Columns of a note on a terminal.
const WIDTH: usize = 99;

/// A table: title, columns, rows of as many cells, notes below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// What it shows.
    pub title: String,
    /// Names of the columns, with units. The first is left-aligned, the others are numbers.
    pub columns: Vec<String>,
    /// Columns after the first that hold words, so they are left-aligned too.
    pub words: Vec<usize>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
    /// What must be known to read it, one line each.
    pub notes: Vec<String>,
}

impl Grid {
    /// An empty table.
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            ..Self::default()
        }
    }

    /// Whether a column's cells begin at its left.
    fn left(&self, column: usize) -> bool {
        column == 0 || self.words.contains(&column)
    }

    /// For a terminal or a pipe: aligned by spaces, without colour.
    pub fn text(&self) -> String {
        let mut table = Table::new();
        let rule = LineStyle::none().fill('-').junction('-');
        table.load_style(TableStyle::new().header_separator(rule));
        table.set_header(&self.columns);
        table.add_rows(&self.rows);
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, u16::from(at + 1 < self.columns.len())));
            if !self.left(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text = format!("{}\n", self.title);
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for note in &self.notes {
            wrapped(&one_line(note), &mut text);
        }
        text
    }

    /// For `report.md`: the title in bold, the table, the notes as a paragraph each.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&format!("**{}**\n\n", escape(&self.title)));
        }
        text.push_str(&markdown_row(&self.columns));
        for at in 0..self.columns.len() {
            text.push_str(if self.left(at) { "|---" } else { "|---:" });
        }
        text.push_str("|\n");
        for row in &self.rows {
            text.push_str(&markdown_row(row));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{}\n", escape(note)));
        }
        text
    }
}

fn markdown_row(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| escape(cell)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Text that is neither a cell's end nor markup, on one line.
fn escape(text: &str) -> String {
    let text = one_line(text);
    let text = text.replace('|', "\\|").replace('<', "&lt;");
    text.replace('*', "\\*")
}

/// Lines of at most [`WIDTH`] columns, if the words allow it.
fn wrapped(note: &str, text: &mut String) {
    let mut width = 0;
    for word in note.split(' ') {
        let long = word.chars().count();
        if width > 0 && width + 1 + long > WIDTH {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += long;
    }
    text.push('\n');
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new("title", &["scheme", "ns", "verdict"]);
        grid.words = vec![2];
        for row in [["percpu_asym", "1.80", "slower"], ["a|b", "255", "-"]] {
            grid.rows.push(row.map(str::to_owned).to_vec());
        }
        grid.notes.push(String::from("two\nlines"));
        grid
    }

    #[test]
    fn text_is_aligned() {
        let lines = grid().text();
        let expected = [
            "title",
            "scheme         ns  verdict",
            "percpu_asym  1.80  slower",
            "a|b           255  -",
            "two lines",
        ];
        let found: Vec<_> = lines
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn markdown_cannot_be_broken_by_a_cell() {
        let text = grid().markdown();
        assert!(text.contains("|---|---:|---|\n"), "{text}");
        assert!(text.contains("| a\\|b | 255 | - |\n"), "{text}");
        assert!(text.ends_with("\ntwo lines\n"), "{text}");
    }
}
