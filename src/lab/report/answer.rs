//! The answer in a few lines, each computed: no figure and no scheme is named by hand.
//!
//! Invariant: schemes whose rows cannot be told apart are not ranked, and whoever does not exclude
//! suspends is not a candidate. Nor is a scheme that needs quiescent points, since it cannot take a lock's
//! place unless every reader has them; where it is cheaper that is said. A run whose ranking is noisy says so
//! first; of any other noisy table its name and its fault come last, and no figure is taken from it without a
//! word.

#[cfg(test)]
mod tests;

use super::claims;
use super::data::{Data, Measured};
use super::whole;
use crate::lab::sample::Workload;
use crate::lab::summary::noise::{self, Complaint};
use crate::lab::summary::{self, Figures, Registered, Row, SuspendRow};
use crate::lab::table::number::{count, interval, micros, plain};

/// What every kernel programmer would take first: the yardstick.
const YARDSTICK: &str = "std_rwlock";

/// The lines, as a list; nothing where nothing holds.
pub(super) fn lines(data: &Data, measured: &Measured) -> Vec<String> {
    let answer = Answer { data, measured };
    let distrust = summary::distrust(&measured.run);
    let warning = noise::verdict(&distrust);
    // A noisy table that nobody is ranked by leaves the answer as it is.
    let (before, after) = match distrust.iter().any(Complaint::is_main) {
        true => (
            warning.map(|line| format!("**Before all else: {line}.**")),
            None,
        ),
        false => (
            None,
            warning.map(|line| format!("What does not count: {line}.")),
        ),
    };
    let Some(best) = answer.cheapest() else {
        return vec![String::from("No scheme that holds has a row.")];
    };
    [
        before,
        answer.hold(&best),
        answer.yardstick(&best),
        answer.suspend(&best),
        answer.price(&best),
        whole::line(data, measured, &distrust),
        after,
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Answer<'d> {
    data: &'d Data,
    measured: &'d Measured,
}

/// A scheme with its hold row at the most threads.
struct Candidate<'d> {
    scheme: &'d Registered,
    threads: u32,
    figures: Figures,
}

impl<'d> Answer<'d> {
    fn figures(&self, name: &str, threads: u32) -> Option<Figures> {
        let here = |row: &&Row| {
            row.workload == Workload::Hold && row.threads == threads && row.scheme == name
        };
        self.measured.rows.iter().find(here)?.figures
    }

    /// Registered schemes that hold, and ask nothing more of a reader, with a row.
    fn candidates(&self) -> Vec<Candidate<'d>> {
        let mut all = self.holders();
        all.retain(|candidate| !candidate.scheme.claims.needs_quiescence);
        all
    }

    /// Registered schemes that hold, with a row.
    fn holders(&self) -> Vec<Candidate<'d>> {
        let rows = self.measured.rows.iter();
        let held = rows.filter(|row| row.workload == Workload::Hold && !row.crowded);
        let Some(threads) = held.map(|row| row.threads).max() else {
            return Vec::new();
        };
        let holds = |scheme: &&Registered| {
            scheme.claims.holds && !claims::holds_no_more(scheme, &self.data.verdicts)
        };
        let candidate = |scheme| {
            Some(Candidate {
                scheme,
                threads,
                figures: self.figures(scheme.name, threads)?,
            })
        };
        self.data
            .registered
            .iter()
            .filter(holds)
            .filter_map(candidate)
            .collect()
    }

    fn cheapest(&self) -> Option<Candidate<'d>> {
        let ratio = |candidate: &Candidate<'_>| candidate.figures.ratio.median;
        self.candidates()
            .into_iter()
            .min_by(|a, b| ratio(a).total_cmp(&ratio(b)))
    }

    /// What a hold costs, and who is as cheap.
    fn hold(&self, best: &Candidate<'_>) -> Option<String> {
        let shown = |f: &Figures| format!("{} ({})", plain(f.ratio.median), interval(&f.ratio));
        let mut line = format!(
            "The cheapest hold is `{}`: {} times the unprotected read with {}",
            best.scheme.name,
            shown(&best.figures),
            count(best.threads, "thread")
        );
        if best.threads > 1
            && let Some(alone) = self.figures(best.scheme.name, 1)
        {
            line.push_str(&format!(", {} with 1 thread", shown(&alone)));
        }
        let same: Vec<String> = self
            .candidates()
            .iter()
            .filter(|other| other.scheme.name != best.scheme.name)
            .filter(|other| other.figures.ratio.low <= best.figures.ratio.high)
            .map(|other| format!("`{}`", other.scheme.name))
            .collect();
        if !same.is_empty() {
            line.push_str(&format!("; not to be told from it: {}", same.join(", ")));
        }
        let cheaper = |other: &Candidate<'_>| {
            other.scheme.claims.needs_quiescence
                && other.figures.ratio.high < best.figures.ratio.low
        };
        for other in self.holders().iter().filter(|other| cheaper(other)) {
            line.push_str(&format!(
                "; cheaper is `{}` ({}), where every reader says often that it holds nothing",
                other.scheme.name,
                plain(other.figures.ratio.median)
            ));
        }
        Some(line + ".")
    }

    /// Against the yardstick.
    fn yardstick(&self, best: &Candidate<'_>) -> Option<String> {
        let part = |threads| {
            let own = self.figures(best.scheme.name, threads)?.ratio.median;
            let other = self.figures(YARDSTICK, threads)?.ratio.median;
            Some(format!(
                "{} with {} ({} times `{}`)",
                plain(other),
                count(threads, "thread"),
                plain(other / own),
                best.scheme.name
            ))
        };
        let mut threads = vec![best.threads, 1];
        threads.dedup();
        let parts: Vec<String> = threads.into_iter().filter_map(part).collect();
        if parts.is_empty() {
            return None;
        }
        Some(format!(
            "A hold of `{YARDSTICK}` costs, in unprotected reads: {}.",
            parts.join(", ")
        ))
    }

    /// Suspends with the fewest readers, which never pause, and the least dwell.
    fn suspends(&self) -> impl Iterator<Item = &'d SuspendRow> {
        let rows = self.measured.suspends.iter();
        let first = self.measured.suspends.first().map(SuspendRow::condition);
        rows.filter(move |row| Some(row.condition()) == first)
    }

    /// How long its suspender waits.
    fn suspend(&self, best: &Candidate<'_>) -> Option<String> {
        let row = self.suspends().find(|row| row.scheme == best.scheme.name)?;
        let mut line = format!(
            "A suspend of `{}` waits {} us for exclusivity in the median",
            row.scheme,
            micros(row.exclusivity_ns.median)
        );
        if let Some(p90) = row.exclusivity_ns.p90 {
            line.push_str(&format!(", {} us in nine of ten cases", micros(p90)));
        }
        let readers = count(row.readers, "reader");
        let (dwell, n) = (row.dwell_us, row.n);
        Some(format!("{line} ({readers}, dwell {dwell} us, n = {n})."))
    }

    /// What the cheap hold is paid with: a longer suspend, promises not made.
    fn price(&self, best: &Candidate<'_>) -> Option<String> {
        let own = self.suspends().find(|row| row.scheme == best.scheme.name)?;
        let holders = self.candidates();
        let quickest = self
            .suspends()
            .filter_map(|row| {
                let holder = holders
                    .iter()
                    .find(|holder| holder.scheme.name == row.scheme)?;
                Some((row, holder))
            })
            .min_by_key(|(row, _)| row.exclusivity_ns.median)?;
        let (row, holder) = quickest;
        let (slow, quick) = (own.exclusivity_ns.median, row.exclusivity_ns.median);
        let mut line = if row.scheme == own.scheme {
            String::from("The price: none in suspend latency, where it is the quickest too")
        } else {
            format!(
                "The price: `{}` would suspend in {} us, though a hold of it costs {} times the read",
                row.scheme,
                micros(quick),
                plain(holder.figures.ratio.median)
            )
        };
        let saved = holder.figures.ns - best.figures.ns;
        if slow > quick && saved > 0.0 {
            line.push_str(&format!(
                "; {:.0} holds of `{}` make up for one suspend",
                ((slow - quick) as f64 / saved).ceil(),
                own.scheme
            ));
        }
        Some(line + ".")
    }
}
