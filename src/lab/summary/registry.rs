//! The registry as data: what every table must have a row of, and in which order.

use crate::backend::Native;
use crate::lab::peers::{self, Gives, KNOWN};
use crate::native::each_native;
use crate::scheme::{Claims, Ours, Registry, Scheme, Visit};

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
    /// Why its instructions are not counted, if they are not.
    pub uncounted: Option<&'static str>,
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
            uncounted: S::UNCOUNTED,
        });
    }
}

/// Where a contender stands in a table: registry order, then peers, then names that nobody knows,
/// alphabetically.
pub(crate) fn place(registered: &[Registered], name: &str) -> (usize, String) {
    let scheme = registered.iter().position(|scheme| scheme.name == name);
    let peer = || KNOWN.iter().position(|peer| peer.name == name);
    let at = scheme.or_else(|| peer().map(|at| registered.len() + at));
    (
        at.unwrap_or(registered.len() + KNOWN.len()),
        name.to_owned(),
    )
}

/// What a contender gives; `None` where nobody knows it.
pub(crate) fn gives(registered: &[Registered], name: &str) -> Option<Gives> {
    let scheme = registered.iter().find(|scheme| scheme.name == name);
    match scheme {
        Some(scheme) if scheme.claims.holds => Some(Gives::Hold),
        Some(_) => Some(Gives::Nothing),
        None => peers::named(name).map(|peer| peer.gives),
    }
}
