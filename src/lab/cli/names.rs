//! Names that a user may give, checked against the registry.

use super::Error;
use crate::backend::Native;
use crate::lab::measure::contender::Selection;
use crate::lab::peers;
use crate::lab::sample::Workload;
use crate::native::each_native;
use crate::scheme::{Claims, Scheme, Visit};

/// What `--workload` calls the suspends.
pub(super) const SUSPEND: &str = "suspend";

/// A scheme of the registry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) precedent: &'static str,
    pub(super) claims: Claims,
}

/// The registry, in its order.
pub(super) fn schemes() -> Vec<Known> {
    struct Collect(Vec<Known>);
    impl Visit<Native> for Collect {
        fn visit<S: Scheme<Native>>(&mut self) {
            self.0.push(Known {
                name: S::NAME,
                precedent: S::PRECEDENT,
                claims: S::CLAIMS,
            });
        }
    }
    let mut all = Collect(Vec::new());
    each_native(&mut all);
    all.0
}

/// The named schemes, or all if none is named.
pub(super) fn selection(names: &[String]) -> Result<Selection, Error> {
    select(names, schemes().iter().map(|scheme| scheme.name).collect())
}

/// The named schemes and peers, or all if none is named.
pub(super) fn contenders(names: &[String]) -> Result<Selection, Error> {
    let schemes = schemes();
    let peers = peers::built().map(|(peer, _)| peer.name);
    let known = schemes.iter().map(|scheme| scheme.name).chain(peers);
    select(names, known.collect())
}

fn select(names: &[String], known: Vec<&str>) -> Result<Selection, Error> {
    for name in names {
        refuse_unknown("scheme", name, &known)?;
    }
    Ok(match names {
        [] => Selection::all(),
        names => Selection::only(names.to_vec()),
    })
}

/// The named workloads, and whether suspends are among them; by default `all`, and suspends.
pub(super) fn workloads(
    names: &[String],
    all: &[Workload],
) -> Result<(Vec<Workload>, bool), Error> {
    if names.is_empty() {
        return Ok((all.to_vec(), true));
    }
    let mut known: Vec<&str> = all.iter().map(|workload| workload.name()).collect();
    known.push(SUSPEND);
    for name in names {
        refuse_unknown("workload", name, &known)?;
    }
    let named = |name: &str| names.iter().any(|wanted| wanted == name);
    let workloads = all
        .iter()
        .copied()
        .filter(|workload| named(workload.name()));
    Ok((workloads.collect(), named(SUSPEND)))
}

fn refuse_unknown(what: &str, name: &str, known: &[&str]) -> Result<(), Error> {
    if known.contains(&name) {
        return Ok(());
    }
    let known = known.join(", ");
    Err(Error::Usage(format!(
        "there is no {what} `{name}`; there are: {known}"
    )))
}
