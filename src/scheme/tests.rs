//! Every scheme takes tables of every size.

use super::{Ours, Registry, Scheme, Size, Tables, Translate, Visit};
use crate::backend::Native;

/// Makes each scheme with so many locks and places, and holds with more readers than either.
struct Holds(usize);

impl Visit<Native> for Holds {
    fn visit<S: Scheme<Native>>(&mut self) {
        let tables = Tables {
            shards: self.0,
            visible: self.0,
            ..Tables::SMALL
        };
        let scheme = S::new(Size { readers: 8, tables });
        for reader in core::array::from_fn::<_, 8, _>(|_| scheme.reader()) {
            drop(reader.expect("a slot for each").hold());
        }
    }
}

#[test]
fn tables_need_not_be_powers_of_two() {
    for size in 0..6 {
        Ours::each(&mut Holds(size));
    }
}
