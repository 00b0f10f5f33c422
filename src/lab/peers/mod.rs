//! Peers: what others would take for this job, and what cannot be a scheme.
//!
//! A [scheme](crate::scheme) promises a **hold**: while one lives no suspend completes, and while
//! one is suspended none begins. The peers here promise less, or own their data, or are not Rust; so
//! they are [`Contender`]s of their own. They run the same loops on the same table, return the same
//! checksum, and every table says beside the name what a row [gives](Gives): a grace period is never
//! ranked as a hold without a word.
//!
//! What a peer's `suspend` does, therefore, is the most that its library can do:
//!
//! | gives | `suspend` |
//! |---|---|
//! | [`Gives::Hold`] | takes the lock that keeps readers out |
//! | [`Gives::GracePeriod`] | publishes another table, and waits until nobody can use the old one; readers go on all the time |
//! | [`Gives::Snapshot`] | makes the sequence odd, and waits for nobody; readers spin until it is even, and read again |
//! | [`Gives::Nothing`] | nothing: a control |
//!
//! **To add a peer**: one file here with the peer's name (of one in C, in [`c`]), and its line in
//! [`KNOWN`]. A row of it is then demanded in every run; tests fail if there is none.

use crate::lab::measure::contender::Contender;
use crate::lab::measure::p2m::P2m;
use crate::lab::sample::Workload;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

pub mod arc_swap;
pub mod arc_swap_cache;
pub mod c;
pub mod crossbeam_epoch;
pub mod kit;
pub mod left_right;
pub mod one_xchg;
pub mod seize;

#[cfg(test)]
mod tests;

/// What a contender gives whoever uses an MFN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// While it lasts no suspend completes, and during a suspend none begins.
    Hold,
    /// The suspender waits for whoever was there when it asked; whoever comes later is not kept out.
    GracePeriod,
    /// What was read was true at one instant; by the time that it is used it may not be.
    Snapshot,
    /// No protection at all.
    Nothing,
}

impl Gives {
    /// What stands beside a name in a table; nothing beside who holds, and beside controls.
    pub const fn suffix(self) -> &'static str {
        match self {
            Gives::Hold | Gives::Nothing => "",
            Gives::GracePeriod => " (grace)",
            Gives::Snapshot => " (snapshot)",
        }
    }

    /// What the suffix means, in a line below a table.
    pub const fn note(self) -> Option<&'static str> {
        match self {
            Gives::Hold | Gives::Nothing => None,
            Gives::GracePeriod => {
                Some("(grace): no hold: waits for readers that were there, and keeps none out")
            }
            Gives::Snapshot => Some("(snapshot): no hold: true when read, perhaps not when used"),
        }
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Gives::Hold => "hold",
            Gives::GracePeriod => "grace period",
            Gives::Snapshot => "snapshot",
            Gives::Nothing => "nothing",
        })
    }
}

/// A contender's name as tables show it: with what it gives, unless that is a hold.
pub(crate) fn labelled(name: &str, gives: Option<Gives>) -> String {
    format!("{name}{}", gives.map_or("", Gives::suffix))
}

/// What a contender is made for.
#[derive(Debug)]
pub struct Order<'o> {
    /// The table that its own is a copy of: all contenders read the same.
    pub table: &'o Arc<P2m>,
    /// Threads at once.
    pub threads: usize,
    /// The operation.
    pub workload: Workload,
}

/// How a peer's contender is made.
pub type Make = fn(&'static Peer, &Order<'_>) -> Box<dyn Contender>;

/// A peer.
#[derive(Debug)]
pub struct Peer {
    /// Its key in every table; of a library's peer, also its file's stem.
    pub name: &'static str,
    /// Which library, and what of it.
    pub precedent: &'static str,
    /// What it gives.
    pub gives: Gives,
    /// Whether a read within a read is allowed, whoever waits.
    pub nests: bool,
    /// Why it cannot do the job, or what doing it costs: one line.
    pub lacks: &'static str,
    /// Whether it is built only on demand (feature `c-peers`).
    pub optional: bool,
    /// The first [format](crate::lab::provenance::Provenance::format) of a run that must have a row of it.
    pub since: u32,
    /// How its contender is made; `None` where it was not built.
    pub make: Option<Make>,
}

impl Peer {
    /// Why it has no row of a workload.
    pub fn excuse(&self, workload: Workload) -> Option<&'static str> {
        match workload {
            Workload::PmapExtract
            | Workload::PmapEnter
            | Workload::Replay
            | Workload::ReplayGccMake
            | Workload::ReplayCargoBuild => {
                Some("a peer reads a table of its own: it cannot stand under a pmap")
            }
            Workload::HoldFar
            | Workload::DependentFar
            | Workload::Hold10
            | Workload::Hold100
            | Workload::Hold1000
            | Workload::Nested4
            | Workload::HoldSuspended => {
                Some("a peer is measured on the small table, with empty holds, one deep and two")
            }
            Workload::Snapshot => None,
            Workload::Hold | Workload::Nested | Workload::Dependent
                if self.gives == Gives::Snapshot =>
            {
                Some("a snapshot holds nothing")
            }
            Workload::Nested if !self.nests => {
                Some("does not nest: a hold within a hold may deadlock")
            }
            Workload::Hold | Workload::Nested | Workload::Dependent => None,
        }
    }
}

/// Every peer, whether or not it was built, in the order of the tables.
pub const KNOWN: &[Peer] = &[
    crossbeam_epoch::PEER,
    seize::PEER,
    left_right::PEER,
    arc_swap::PEER,
    arc_swap_cache::PEER,
    one_xchg::PEER,
    c::RAW,
    c::MEMB,
    c::MB,
    c::QSBR,
    c::BP,
    c::BRLOCK,
    c::BYTELOCK,
    c::RWLOCK,
    c::PFLOCK,
    c::EPOCH,
    c::SEQUENCE,
    c::PTHREAD,
    c::PTHREAD_WRITER,
];

/// What stands below a table that has schemes only.
pub(crate) fn peers_note(why: &str) -> String {
    let names: Vec<&str> = KNOWN.iter().map(|peer| peer.name).collect();
    format!("no rows for {}: {why}", names.join(", "))
}

/// The peers that this program can run.
pub fn built() -> impl Iterator<Item = (&'static Peer, Make)> {
    KNOWN
        .iter()
        .filter_map(|peer| peer.make.map(|make| (peer, make)))
}

/// The peer of that name.
pub fn named(name: &str) -> Option<&'static Peer> {
    KNOWN.iter().find(|peer| peer.name == name)
}
