//! What each act costs on a real machine, in nanoseconds.
//!
//! The defaults are **assumptions**: round figures of an order that is plausible for a server, measured
//! by nobody here. A hypercall of a 64-bit guest is a `syscall` in and out with a change of address space;
//! a checked update touches a few cache lines of Xen's; a shoot-down is commonly put at 1 to 10 us, and
//! grows with the CPUs. All of them can be set (`ptom sweep --charge`), and the verdict does not hang on
//! them: a sweep by mapping makes two hypercalls for each pmap there is, one by list makes one for 2,048
//! pmaps that need it.

use crate::pmap::{Act, Work};
use std::fmt;

/// A price for every act.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Charges {
    ns: [f64; Act::ALL.len()],
}

/// A price that is none, or of nothing known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAct(String);

impl fmt::Display for UnknownAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Act::ALL.map(name).join(", ");
        write!(
            f,
            "{:?} is no price: it must be ACT=NANOSECONDS, with one of {names}",
            self.0
        )
    }
}

impl std::error::Error for UnknownAct {}

/// The name of an act.
pub(super) const fn name(act: Act) -> &'static str {
    match act {
        Act::Read => "read",
        Act::Hypercall => "hypercall",
        Act::Update => "update",
        Act::Load => "load",
        Act::Flush => "flush",
        Act::Shootdown => "shootdown",
        Act::Fault => "fault",
    }
}

impl Default for Charges {
    fn default() -> Self {
        let ns = |act| match act {
            // A cache miss: roots are spread over all memory.
            Act::Read => 80.0,
            Act::Hypercall => 200.0,
            Act::Update => 100.0,
            // The misses that follow, mostly.
            Act::Load => 500.0,
            Act::Flush => 200.0,
            // To each of the other vCPUs.
            Act::Shootdown => 1_000.0,
            Act::Fault => 1_000.0,
        };
        Self {
            ns: Act::ALL.map(ns),
        }
    }
}

impl Charges {
    /// Sets one price, said as `hypercall=300`.
    ///
    /// # Errors
    /// [`UnknownAct`], if it is not said so.
    pub fn set(&mut self, text: &str) -> Result<(), UnknownAct> {
        let wrong = || UnknownAct(text.to_owned());
        let (act, price) = text.split_once('=').ok_or_else(wrong)?;
        let at = Act::ALL.iter().position(|known| name(*known) == act);
        let price: f64 = price.parse().map_err(|_| wrong())?;
        if !(0.0..=1e9).contains(&price) {
            return Err(wrong());
        }
        self.ns[at.ok_or_else(wrong)?] = price;
        Ok(())
    }

    /// What some work costs with so many vCPUs, in nanoseconds.
    pub fn of(&self, work: &Work, vcpus: usize) -> f64 {
        let others = vcpus.saturating_sub(1) as f64;
        let price = |(act, ns): (Act, f64)| {
            let times = work.of(act) as f64;
            match act {
                Act::Shootdown => times * ns * others,
                _ => times * ns,
            }
        };
        Act::ALL.into_iter().zip(self.ns).map(price).sum()
    }
}

impl fmt::Display for Charges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (act, ns)) in Act::ALL.into_iter().zip(self.ns).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {ns}", name(act))?;
        }
        f.write_str(" ns")
    }
}
