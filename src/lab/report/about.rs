//! Tables about the comparison itself: who was in it, how it came about, what it lacks.

use super::data::Measured;
use crate::lab::peers::KNOWN;
use crate::lab::sample::Failure;
use crate::lab::table::Grid;
use crate::lab::table::number::percent;
use crate::platform::origin;

/// The peers, whether or not they were built: what each gives, and what it lacks.
pub(super) fn peers() -> Grid {
    let columns = ["peer", "gives", "nests", "what it lacks", "precedent"];
    let mut grid = Grid::new("", &columns);
    grid.words = vec![1, 2, 3, 4];
    for peer in KNOWN {
        let nests = if peer.nests { "yes" } else { "no" };
        let gives = peer.gives.to_string();
        let cells = [peer.name, &gives, nests, peer.lacks, peer.precedent];
        grid.rows.push(cells.map(str::to_owned).to_vec());
    }
    grid
}

/// How the run came about, and what it said while it ran.
pub(super) fn provenance(measured: &Measured) -> Grid {
    let p = &measured.run.provenance;
    let mut grid = Grid::new("", &["what", "value"]);
    grid.words = vec![1];
    let seeds: Vec<_> = p.seeds.iter().map(u64::to_string).collect();
    let yes = |yes| String::from(if yes { "yes" } else { "no" });
    let mut add = |what: &str, value: String| grid.rows.push(vec![what.to_owned(), value]);
    add("run", measured.folder.clone());
    add("started", p.started.clone());
    add("command", format!("`{}`", p.command));
    add("version", p.version.clone());
    add("commit", p.commit_shown());
    add("compiler", p.rustc.clone());
    add("kernel", p.kernel.clone());
    add("CPU", p.cpu.clone());
    add("CPU, exactly", p.cpu_id.clone());
    let clock = p.clock_mhz.map(|mhz| format!("{mhz} MHz"));
    add("clock, as it began", clock.unwrap_or_else(origin::unknown));
    add("CPUs", p.cores.to_string());
    add("threads pinned", yes(p.pinned));
    add("membarrier(2)", yes(p.membarrier));
    add("seeds", seeds.join(", "));
    for (name, value) in &p.parameters {
        add(name, value.clone());
    }
    let stolen = p.stolen.map(|share| format!("{} %", percent(share)));
    add(
        "time that other guests had",
        stolen.unwrap_or_else(origin::unknown),
    );
    grid.notes.extend(
        p.notes
            .iter()
            .map(|note| format!("Said while it ran: {note}.")),
    );
    if p.debug {
        grid.notes.push(String::from(
            "Built with debug assertions: these figures say nothing about a release build.",
        ));
    }
    grid
}

/// Which rows there are not, and why.
pub(super) fn errors(measured: &Measured) -> String {
    let failures = &measured.run.failures;
    if failures.is_empty() {
        return String::from("None: every contender ran every workload.\n");
    }
    let mut grid = Grid::new(
        "",
        &["scheme", "workload", "threads", "why there is no row"],
    );
    grid.words = vec![1, 3];
    let mut alike: Vec<(&Failure, Vec<&str>)> = Vec::new();
    for failure in failures {
        let same = |other: &Failure| {
            (&other.workload, other.threads, &other.err)
                == (&failure.workload, failure.threads, &failure.err)
        };
        match alike.iter_mut().find(|(other, _)| same(other)) {
            Some((_, schemes)) => schemes.push(&failure.scheme),
            None => alike.push((failure, vec![&failure.scheme])),
        }
    }
    for (failure, mut schemes) in alike {
        schemes.dedup();
        grid.rows.push(vec![
            schemes.join(", "),
            failure.workload.clone(),
            failure.threads.to_string(),
            failure.err.clone(),
        ]);
    }
    grid.markdown()
}
