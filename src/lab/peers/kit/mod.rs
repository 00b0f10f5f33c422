//! What peers are made of: their contender, two tables, and a wait that ends.

mod on_own;
mod patience;
mod tables;

pub use on_own::{OnOwn, Protection, contender};
pub use patience::{PATIENCE, wait};
pub use tables::Tables;
