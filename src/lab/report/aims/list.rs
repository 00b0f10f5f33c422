//! The aims themselves, from the cheapest hold to the quickest suspend.

use super::{Aim, Bound, Figure, MET, MISSED, UNKNOWN, View};
use crate::backend::Native;
use crate::lab::agreement::{self, Compared, FACTOR};
use crate::lab::measure::clocked::HEAVY_FENCE;
use crate::lab::peers::{Gives, KNOWN, c, one_xchg};
use crate::lab::sample::Workload;
use crate::lab::summary::{BASELINE, Row};
use crate::lab::table::number::{count, plain};
use crate::native::{parking_lot_rwlock::ParkingLotRwLock, std_rwlock::StdRwLock};
use crate::scheme::{Describe, percpu::PerCpu, percpu_asym::PerCpuAsym};

const ASYM: &str = <PerCpuAsym<Native> as Describe>::NAME;
const PERCPU: &str = <PerCpu<Native> as Describe>::NAME;
const STD: &str = <StdRwLock as Describe>::NAME;
const PARKING_LOT: &str = <ParkingLotRwLock as Describe>::NAME;
const MEMB: &str = c::MEMB.name;
const XCHG: &str = one_xchg::PEER.name;

/// Within this of a bare locked instruction a hold has one, too, and beyond it, it is dearer.
const NEAR: f64 = 0.05;

/// So many bare heavy fences takes a suspend that waited for a reader without a CPU.
const FENCES: f64 = 10.0;

pub(super) fn all(view: &View<'_>, agreement: Option<&[Compared]>) -> Vec<Aim> {
    let mut all = Vec::from(holds(view));
    all.extend(
        [
            (MEMB, 1, 3.0),
            (STD, 1, 20.0),
            (PARKING_LOT, 1, 20.0),
            (STD, 2, 100.0),
            (PARKING_LOT, 2, 100.0),
        ]
        .map(|(other, threads, least)| cheaper(view, other, threads, least)),
    );
    all.extend([1, 2].map(|threads| one_instruction(view, threads)));
    all.extend([1, 2].map(|threads| nobody_below(view, threads)));
    all.extend(suspends(view));
    all.push(agrees(view, agreement));
    all
}

/// What a hold of `percpu_asym` costs, one way and another.
fn holds(view: &View<'_>) -> [Aim; 5] {
    let ratio = |workload, threads| view.ratio(workload, ASYM, threads);
    let quotient = |a: Option<Figure>, b: Option<Figure>| Some(a?.by(b?));
    let alone = ratio(Workload::Hold, 1);
    let nested = ratio(Workload::Nested, 1);
    [
        Aim::new(
            format!("`{ASYM}`: hold, 1 thread, in unprotected reads"),
            Bound::Most(1.6),
            alone,
        ),
        Aim::new(
            format!("`{ASYM}`: hold, 2 threads by 1"),
            Bound::Within(0.1),
            quotient(ratio(Workload::Hold, 2), alone),
        ),
        Aim::new(
            format!("`{ASYM}`: nested, 1 thread, in unprotected reads"),
            Bound::Most(2.0),
            nested,
        ),
        Aim::new(
            format!("`{ASYM}`: nested by outermost, 1 thread"),
            Bound::NoMore,
            quotient(nested, alone),
        ),
        Aim::new(
            format!("`{ASYM}`: dependent, 1 thread, in unprotected reads"),
            Bound::Most(1.03),
            ratio(Workload::Dependent, 1),
        ),
    ]
}

/// How many times cheaper than another's a hold of `percpu_asym` is, and how many times it could be.
fn cheaper(view: &View<'_>, other: &str, threads: u32, least: f64) -> Aim {
    let theirs = view.ratio(Workload::Hold, other, threads);
    let ours = view.ratio(Workload::Hold, ASYM, threads);
    let factor = theirs.zip(ours).map(|(theirs, ours)| theirs.by(ours));
    let what = format!(
        "`{ASYM}`: times cheaper than `{other}`, {}",
        count(threads, "thread")
    );
    let mut aim = Aim::new(what, Bound::Least(least), factor);
    let ns = |scheme| view.figures(Workload::Hold, scheme, threads).map(|f| f.ns);
    if let (Some(theirs), Some(their_ns), Some(raw_ns)) = (theirs, ns(other), ns(BASELINE)) {
        let reach = if theirs.value < least {
            "out of reach here: "
        } else {
            ""
        };
        aim.ceiling = format!(
            "{reach}{} times, by a hold that costs nothing: `{other}` takes {} ns, the read alone {} ns",
            plain(theirs.value),
            plain(their_ns),
            plain(raw_ns)
        );
    }
    aim
}

/// `percpu` by one bare exchange.
fn one_instruction(view: &View<'_>, threads: u32) -> Aim {
    let ratio = |scheme| view.ratio(Workload::Hold, scheme, threads);
    let by = ratio(PERCPU)
        .zip(ratio(XCHG))
        .map(|(ours, bare)| ours.by(bare));
    let what = format!(
        "`{PERCPU}`: hold by one bare locked instruction (`{XCHG}`), {}",
        count(threads, "thread")
    );
    Aim::new(what, Bound::Most(1.0 + NEAR), by)
}

/// Whether a contender is faster than `percpu` that has a locked instruction, too: one that costs as much.
fn nobody_below(view: &View<'_>, threads: u32) -> Aim {
    let ratio = |scheme| view.ratio(Workload::Hold, scheme, threads);
    let mut aim = Aim {
        what: format!(
            "no contender with a locked instruction below `{PERCPU}`, {}",
            count(threads, "thread")
        ),
        bound: format!("none that takes as long as `{XCHG}`"),
        measured: String::from("not in this run"),
        came: UNKNOWN,
        ceiling: String::new(),
    };
    let Some((ours, bare)) = ratio(PERCPU).zip(ratio(XCHG)) else {
        return aim;
    };
    let here =
        |row: &&Row| row.workload == Workload::Hold && row.threads == threads && row.scheme != XCHG;
    let below = view.run.rows.iter().filter(here).filter_map(|row| {
        let theirs = Figure::of(&row.figures?.ratio);
        let locked = theirs.value >= bare.value * (1.0 - NEAR);
        (locked && theirs.high < ours.low).then(|| format!("{} {}", row.label(), theirs.shown()))
    });
    let below: Vec<String> = below.collect();
    aim.came = if below.is_empty() { MET } else { MISSED };
    aim.measured = match below.is_empty() {
        true => format!("none; `{PERCPU}` {}", ours.shown()),
        false => format!("{}; `{PERCPU}` {}", below.join(", "), ours.shown()),
    };
    aim
}

/// How long a suspend waits.
fn suspends(view: &View<'_>) -> Vec<Aim> {
    let (fewest, most) = view.readers().unwrap_or((1, 8));
    let service = |scheme| view.time(scheme, fewest, |s| s.service_ns);
    let fences = service(ASYM)
        .zip(service(HEAVY_FENCE))
        .map(|(ours, bare)| ours.by(bare));
    let among = count(fewest, "hot reader");
    let mut all = vec![
        Aim::new(
            format!("suspend of `{PERCPU}` against {among}, median"),
            Bound::Most(2.0),
            view.time(PERCPU, fewest, |s| s.exclusivity_ns),
        )
        .in_unit(" us")
        .crowded(view.crowded(fewest)),
        Aim::new(
            format!("suspend of `{ASYM}` against {among}, in bare heavy fences"),
            Bound::Most(2.0),
            fences,
        )
        .crowded(view.crowded(fewest)),
    ];
    all.extend([PERCPU, ASYM].map(|scheme| shorter(view, scheme, most)));
    all
}

/// How many times shorter a suspend is than of those that wait for a grace period, of which the least counts.
fn shorter(view: &View<'_>, scheme: &str, readers: u32) -> Aim {
    const BOUND: Bound = Bound::Least(100.0);
    let service = |scheme: &str| view.time(scheme, readers, |s| s.service_ns);
    let grace = KNOWN.iter().filter(|peer| peer.gives == Gives::GracePeriod);
    let mut by: Vec<(&str, Figure)> = grace
        .filter_map(|peer| Some((peer.name, service(peer.name)?.by(service(scheme)?))))
        .collect();
    by.sort_by(|(_, a), (_, b)| a.value.total_cmp(&b.value));
    let what = format!(
        "suspend of `{scheme}`: times shorter than of any that waits for a grace period, {}",
        count(readers, "hot reader")
    );
    let mut aim = Aim::new(what, BOUND, by.first().map(|(_, least)| *least));
    if let Some((first, _)) = by.first() {
        let missed = by.iter().filter(|(_, figure)| !BOUND.holds(figure)).count();
        let shown = by
            .iter()
            .take(missed + 1)
            .map(|(name, figure)| format!("{} of `{name}`", figure.shown()));
        aim.measured = match missed {
            0 => format!("least: {} of `{first}`", by[0].1.shown()),
            _ => format!("least: {}", shown.collect::<Vec<_>>().join(", ")),
        };
    }
    aim.crowded(view.crowded(readers))
}

/// Whether both methods rank alike.
fn agrees(view: &View<'_>, agreement: Option<&[Compared]>) -> Aim {
    let run = view.run.folder.rsplit('/').next().unwrap_or_default();
    let rows = agreement.unwrap_or_default();
    let mut aim = Aim {
        what: format!(
            "`cargo bench` and `ptom compare` rank alike, wherever either sees a factor of {FACTOR}"
        ),
        bound: String::from("no pair"),
        measured: format!(
            "{} has nothing of this run: {}",
            agreement::FILE,
            agreement::CURE
        ),
        came: UNKNOWN,
        ceiling: String::new(),
    };
    if !rows.is_empty() && rows.iter().all(|row| row.run == run) {
        let differ = agreement::disagreements(rows).len();
        aim.came = if differ == 0 && agreement::too_few(rows).is_none() {
            MET
        } else {
            MISSED
        };
        aim.measured = format!(
            "{differ} of {} pairs ranked differently; {} of {} rows left out",
            agreement::pairs(rows),
            agreement::left_out(rows).len(),
            rows.len()
        );
    }
    aim
}

/// How many suspends among the most readers waited for one that had no CPU.
pub(super) fn waited(view: &View<'_>) -> Option<String> {
    let (fewest, most) = view.readers()?;
    let fence = view.time(HEAVY_FENCE, fewest, |s| s.service_ns)?;
    let grace = KNOWN.iter().filter(|peer| peer.gives == Gives::GracePeriod);
    let names = [PERCPU, ASYM]
        .into_iter()
        .chain(grace.map(|peer| peer.name));
    let shares = names.filter_map(|name| {
        let times: Vec<u64> = view.suspends(name, most).map(|s| s.service_ns).collect();
        let long = |ns: &&u64| **ns as f64 > FENCES * fence.value * 1_000.0;
        let waited = times.iter().filter(long).count();
        (!times.is_empty()).then(|| format!("`{name}` {waited} of {}", times.len()))
    });
    let shares: Vec<String> = shares.collect();
    Some(format!(
        "Suspends against {} that took longer than {FENCES} bare heavy fences ({} us each), so that they waited for a reader without a CPU: {}.",
        count(most, "hot reader"),
        plain(fence.value),
        shares.join(", ")
    ))
}
