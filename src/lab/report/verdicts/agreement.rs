//! `results/agree.csv`: whether two methods of measuring rank alike. It decides about no scheme.

use super::Row;
use crate::lab::agreement::{CURE, Compared, FILE};

impl Row for Compared {
    const FILE: &'static str = FILE;
    const COLUMNS: &'static [&'static str] = &Compared::COLUMNS;
    const CURE: &'static str = CURE;
}
