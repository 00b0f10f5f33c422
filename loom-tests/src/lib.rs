//! The proof of the schemes of this repository: the kit, and twins that must fail.
//!
//! The kit is `ptom::conformance`. [`twin`] takes one thing away at a time from a scheme: a model must
//! then fail, for its own reason, or it has proved nothing. [`litmus`] pins down what the kit's machine and
//! loom themselves do.
//!
//! The registry of schemes decides what is checked: a new scheme needs nothing here. What was found is
//! in `results/models.csv` and `results/orderings.csv`; the tests explore again, and compare.
//!
//! | to | run |
//! |---|---|
//! | check | `cargo test -p loom-tests` |
//! | rewrite the results: the whole proof | `cargo run -p loom-tests --release -- record` |
//! | see a part of it, and how long it takes | `cargo run -p loom-tests --release -- record --verbose models percpu/` |
//! | see what else there is | `cargo run -p loom-tests --release -- help` |

mod bound;
pub mod litmus;
pub mod twin;

use ptom::conformance::Kit;
use ptom::conformance::native::registry;
use ptom::scheme::Ours;

/// The kit for the schemes of this repository.
pub fn kit() -> Kit {
    Kit::bounded::<Ours>(bound::of)
        .with(twin::all())
        .with(litmus::all())
        .with_native(registry::libraries())
        .recorded_in(concat!(env!("CARGO_MANIFEST_DIR"), "/../results"))
}
