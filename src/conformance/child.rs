//! A process of its own for each exploration, and what it says at its end.
//!
//! A child is this very program, run again with `--child`. It prints a [`Report`]: the sites that it
//! reached, a line each, and the outcome. A child that says nothing of the kind is a failure.

use super::exhaustive::site::Ordered;
use super::verdict::{Failure, Kind, Outcome};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::process::Command;

/// Makes this program a child; what to do follows it.
pub(super) const FLAG: &str = "--child";

/// What a child has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The case that was explored last: the one that failed, if any has.
    pub case: String,
    /// Its bound, as results files have it.
    pub bound: String,
    /// What came of that case.
    pub outcome: Outcome,
    /// The sites that were reached.
    pub sites: BTreeSet<Ordered>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for site in &self.sites {
            writeln!(f, "site\t{site}")?;
        }
        let Outcome {
            executions,
            failure,
        } = &self.outcome;
        let (kind, message) = match failure {
            None => ("pass".to_owned(), ""),
            Some(Failure { kind, message }) => (kind.to_string(), message.as_str()),
        };
        let Self { case, bound, .. } = self;
        writeln!(f, "end\t{case}\t{bound}\t{executions}\t{kind}\t{message}")
    }
}

fn parse(output: &str) -> Option<Report> {
    let mut sites = BTreeSet::new();
    for line in output.lines() {
        if let Some(site) = line.strip_prefix("site\t") {
            sites.insert(site.parse().ok()?);
        } else if let Some(end) = line.strip_prefix("end\t") {
            let mut fields = end.splitn(5, '\t');
            let case = fields.next()?.to_owned();
            let bound = fields.next()?.to_owned();
            let executions = fields.next()?.parse().ok()?;
            let failure = match fields.next()? {
                "pass" => None,
                kind => Some(Failure {
                    kind: Kind::named(kind)?,
                    message: fields.next()?.to_owned(),
                }),
            };
            let outcome = Outcome {
                executions,
                failure,
            };
            return Some(Report {
                case,
                bound,
                outcome,
                sites,
            });
        }
    }
    None
}

/// Runs this program as a child.
///
/// # Errors
/// If it cannot be started.
pub(super) fn run(what: &[&str]) -> io::Result<Report> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).arg(FLAG).args(what).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(parse(&said).unwrap_or_else(|| {
        let wrote = String::from_utf8_lossy(&output.stderr);
        let last = wrote.lines().last().unwrap_or("nothing").to_owned();
        let message = format!("the child ended with {}; it wrote: {last}", output.status);
        let kind = Kind::Broken;
        let failure = Some(Failure { kind, message });
        Report {
            case: String::new(),
            bound: String::new(),
            outcome: Outcome {
                executions: 0,
                failure,
            },
            sites: BTreeSet::new(),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let site = "src/scheme/percpu.rs:12:9:light_fence:SeqCst";
        let report = Report {
            case: "percpu/exclusion/1".to_owned(),
            bound: "3".to_owned(),
            outcome: Outcome {
                executions: 7,
                failure: Some(Failure {
                    kind: Kind::Race,
                    message: "Causality violation: a\tb".to_owned(),
                }),
            },
            sites: BTreeSet::from([site.parse().unwrap()]),
        };
        assert_eq!(parse(&report.to_string()), Some(report));
        assert_eq!(parse("Segmentation fault"), None);
    }
}
