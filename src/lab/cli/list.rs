//! `ptom list`: every scheme of the registry, and the peers beside them.

use super::Error;
use super::names::{Known, schemes};
use super::output::{Format, Out};
use crate::lab::peers::{Gives, KNOWN, Peer, built};
use serde::Serialize;

/// What `ptom list` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A scheme, as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    scheme: &'static str,
    /// It excludes nobody: checkers must catch it.
    control: bool,
    holds: bool,
    gives: Gives,
    nests: bool,
    bounded_wait: bool,
    sleeps_in_hold: bool,
    snapshot_free_of_writes: bool,
    needs_quiescence: bool,
    precedent: &'static str,
}

impl From<Known> for Line {
    fn from(known: Known) -> Self {
        let claims = known.claims;
        Self {
            scheme: known.name,
            control: !claims.holds,
            holds: claims.holds,
            gives: if claims.holds {
                Gives::Hold
            } else {
                Gives::Nothing
            },
            nests: claims.nests,
            bounded_wait: claims.bounded_wait,
            sleeps_in_hold: claims.sleeps_in_hold,
            snapshot_free_of_writes: claims.snapshot_free_of_writes,
            needs_quiescence: claims.needs_quiescence,
            precedent: known.precedent,
        }
    }
}

/// A peer, as it is printed.
#[derive(Debug, Serialize)]
struct PeerLine {
    peer: &'static str,
    gives: Gives,
    nests: bool,
    lacks: &'static str,
    precedent: &'static str,
}

impl From<&Peer> for PeerLine {
    fn from(peer: &Peer) -> Self {
        Self {
            peer: peer.name,
            gives: peer.gives,
            nests: peer.nests,
            lacks: peer.lacks,
            precedent: peer.precedent,
        }
    }
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let lines = schemes().into_iter().map(Line::from);
    if args.format == Format::Json {
        for line in lines {
            out.json(&line)?;
        }
        for (peer, _) in built() {
            out.json(&PeerLine::from(peer))?;
        }
        return Ok(());
    }
    let heading = [
        "scheme",
        "role",
        "nests",
        "bounded",
        "sleeps",
        "snapshot",
        "quiesce",
        "precedent",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let yes = |claim: bool| if claim { "yes" } else { "-" }.to_owned();
    rows.extend(lines.map(|line| {
        vec![
            line.scheme.to_owned(),
            if line.control { "control" } else { "scheme" }.to_owned(),
            yes(line.nests),
            yes(line.bounded_wait),
            yes(line.sleeps_in_hold),
            yes(line.snapshot_free_of_writes),
            yes(line.needs_quiescence),
            line.precedent.to_owned(),
        ]
    }));
    out.columns(&rows, usize::MAX)?;
    out.line("")?;
    out.line("nests: a hold within a hold cannot deadlock; bounded: a suspender waits only for holds that")?;
    out.line(
        "began before it asked; sleeps: a reader may sleep in its hold; snapshot: without a write;",
    )?;
    out.line("quiesce: a suspend waits for every reader to say so. A control excludes nobody.")?;
    out.line("")?;
    peers(out)
}

/// The peers, in a table of their own: they promise less, or nothing that is checked.
fn peers(out: &mut Out) -> Result<(), Error> {
    let heading = ["peer", "gives", "nests", "what it lacks"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(built().map(|(peer, _)| {
        vec![
            peer.name.to_owned(),
            peer.gives.to_string(),
            if peer.nests { "yes" } else { "-" }.to_owned(),
            peer.lacks.to_owned(),
        ]
    }));
    out.columns(&rows, usize::MAX)?;
    out.line("")?;
    out.line("A peer is measured beside the schemes, on a table of its own, and cannot replace them. grace")?;
    out.line("period: the suspender waits for readers that were there, and keeps none out.")?;
    let missing = KNOWN.iter().filter(|peer| peer.make.is_none()).count();
    if missing > 0 {
        out.line(&format!(
            "{missing} more, in C, are built with `--features c-peers`."
        ))?;
    }
    Ok(())
}
