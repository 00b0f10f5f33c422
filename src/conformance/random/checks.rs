//! Random schedules and progress as the kit's tests and rows.

use super::{Job, Picks, Plan, World, progress, table};
use crate::conformance::sampled::{Check, Effort, Line, Table};

/// Who chooses, in turn.
const PICKS: [Picks; 2] = [Picks::Random, Picks::Pct { depth: 4 }];

/// The whole world under a scheme, on one kind of machine.
pub(in crate::conformance) fn schedules(job: Job) -> Check {
    Check {
        table: Table::Schedules,
        name: format!("schedules/{}/{}", job.scheme, job.fences),
        needs_two_cpus: false,
        run: Box::new(move |effort| {
            let lines = PICKS.map(|picks| schedules_line(job, picks, effort));
            Ok(lines.into())
        }),
    }
}

fn schedules_line(job: Job, picks: Picks, effort: &Effort) -> Line {
    let checked = (job.check)(&Plan {
        world: World::USUAL,
        picks,
        seed: effort.seed,
        schedules: effort.schedules as usize,
    });
    let again = |schedule: &String| format!("replay {} {} {schedule}", job.scheme, job.fences);
    Line {
        fields: table::row(&checked),
        expected: checked.is_expected(),
        again: checked.schedule.as_ref().map(again),
    }
}

/// Who waits for whom under a scheme, on one kind of machine.
pub(in crate::conformance) fn progress(job: Job) -> Check {
    let line = |row: &progress::Row| Line {
        fields: progress::row(row),
        expected: row.is_expected(),
        again: None,
    };
    Check {
        table: Table::Progress,
        name: format!("progress/{}/{}", job.scheme, job.fences),
        needs_two_cpus: false,
        run: Box::new(move |effort| {
            let rows = (job.progress)(effort.seed, effort.seeds);
            Ok(rows.iter().map(line).collect())
        }),
    }
}
