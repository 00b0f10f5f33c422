//! Threads, forks, exec and exit, on traces made by hand.

use std::vec;

use super::{A, B, anonymous, exec, exit, fault, fork, line, parent, script, with};
use crate::lab::trace::{Frame, Op, Space};

#[test]
fn the_smallest_trace() {
    let (space, frame) = (Space(0), Frame(0));
    let script = script(&[fault(A, 1, 0x100)]);
    let ops = [
        Op::Create { space },
        Op::Switch { space },
        Op::Alloc { frame },
        Op::Enter {
            space,
            page: 0x100,
            frame,
            write: true,
        },
        Op::Destroy { space },
        Op::Free { frame },
    ];
    assert_eq!(script.ops, ops);
    assert_eq!((script.spaces, script.frames), (1, 1));
    assert_eq!(script.stats.peak_tables, 4);
    assert_eq!(script.stats.guessed_regions, 1);
}

#[test]
fn records_before_the_first_exec_are_harmless() {
    let script = script(&[
        line((0, 0), 0, "PERF_RECORD_COMM: perf-exec:10/10"),
        line((0, 0), 0, "page-faults: ffffffff81000000"),
        line((30, 30), 0, "PERF_RECORD_FORK(31:31):(30:30)"),
        line((30, 30), 0, "PERF_RECORD_EXIT(30:30):(1:1)"),
        line((31, 31), 0, "PERF_RECORD_EXIT(31:31):(1:1)"),
        exec(A, 1),
    ]);
    assert_eq!(script.stats.kernel_faults, 1);
    assert_eq!((script.stats.pmap_creates, script.stats.enters), (1, 0));
}

#[test]
fn a_thread_shares_and_the_last_one_ends_the_space() {
    let thread = (10, 11);
    let script = with(
        &parent(),
        &[
            fork(A, 10, thread),
            fault(thread, 11, 0x200),
            exit(A, 12),
            fault(thread, 13, 0x201),
            exit(thread, 14),
            fault(B, 15, 0x100),
        ],
    );
    assert_eq!(script.stats.threads, 1);
    assert_eq!(script.stats.copied_on_fork, 0);
    assert_eq!(script.stats.pmap_creates, 2);
    assert_eq!(script.spaces, 1, "the number is used again");
    assert_eq!(script.frames, 5, "and so are the frames");
}

#[test]
fn a_line_with_one_number_is_the_thread() {
    let script = with(
        &parent(),
        &[
            fork(A, 10, (10, 11)),
            "x 11 5.000020: page-faults: 100000\n".into(),
        ],
    );
    assert_eq!(script.stats.pmap_creates, 1);
}

#[test]
fn exec_destroys_and_creates() {
    let script = with(
        &parent(),
        &[
            fork(A, 9, (10, 11)),
            exec(A, 10),
            fault(A, 11, 0x100),
            exit(A, 12),
        ],
    );
    assert_eq!(
        (script.stats.pmap_creates, script.stats.pmap_destroys),
        (2, 2)
    );
    assert_eq!(script.stats.switches, 2);
    assert_eq!((script.spaces, script.frames), (1, 3));
    assert_eq!(script.stats.guessed_regions, 1, "the regions are gone too");
}

#[test]
fn a_child_without_faults_before_exec_shares_its_parents_space() {
    let script = with(
        &parent(),
        &[
            fork(A, 10, B),
            anonymous(B, 11, (0x200, 1), "rw-p"),
            exec(B, 12),
            fault(B, 13, 0x100),
            fault(A, 14, 0x200),
        ],
    );
    assert_eq!(script.stats.vforks, 1);
    assert_eq!(script.stats.copied_on_fork, 0);
    assert_eq!(
        script.stats.guessed_regions, 1,
        "the child mapped for its parent"
    );
    assert!(!script.ops.iter().any(|op| matches!(op, Op::Fork { .. })));
}

#[test]
fn any_other_fork_copies() {
    for tail in [
        vec![fault(B, 11, 0x100), exec(B, 12)],
        vec![exit(B, 11)],
        vec![],
    ] {
        let script = with(&parent(), &[vec![fork(A, 10, B)], tail].concat());
        assert_eq!((script.stats.vforks, script.stats.copied_on_fork), (0, 3));
    }
}

#[test]
fn a_lost_exit_and_a_lost_exec_do_no_harm() {
    let script = with(
        &parent(),
        &[
            fork(A, 10, B),
            fault(B, 11, 0x100),
            fork(A, 12, B),
            exit((99, 99), 13),
            exit(B, 14),
            exit(B, 15),
            exit(A, 16),
        ],
    );
    assert_eq!((script.stats.pmap_creates, script.stats.exits), (3, 4));
}
