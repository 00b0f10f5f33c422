//! The registry as data: what every table must have a row of, and in which order.

use crate::backend::Native;
use crate::scheme::{Claims, Ours, Registry, Scheme, Visit, each_native};

/// A registered scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its key.
    pub name: &'static str,
    /// Where it comes from.
    pub precedent: &'static str,
    /// What it promises.
    pub claims: Claims,
    /// Whether models check it: a scheme of ours, not a library's.
    pub modelled: bool,
}

/// Every registered scheme, ours first, in registry order.
pub fn registered() -> Vec<Registered> {
    let mut ours = Collect(Vec::new());
    Ours::each(&mut ours);
    let mut all = Collect(Vec::new());
    each_native(&mut all);
    for scheme in &mut all.0 {
        scheme.modelled = ours.0.iter().any(|own| own.name == scheme.name);
    }
    all.0
}

struct Collect(Vec<Registered>);

impl Visit<Native> for Collect {
    fn visit<S: Scheme<Native>>(&mut self) {
        self.0.push(Registered {
            name: S::NAME,
            precedent: S::PRECEDENT,
            claims: S::CLAIMS,
            modelled: false,
        });
    }
}

/// Where a scheme stands in a table: registry order, then names that are not registered (contenders
/// that are measured only), alphabetically.
pub(crate) fn place(registered: &[Registered], name: &str) -> (usize, String) {
    let at = registered.iter().position(|scheme| scheme.name == name);
    (at.unwrap_or(registered.len()), name.to_owned())
}
