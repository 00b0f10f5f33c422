//! Mappings and faults, on traces made by hand.

use std::format;
use std::vec::Vec;

use super::interpreter::Machine;
use super::{A, B, anonymous, exit, fault, fork, line, map, parent, script, with};
use crate::lab::trace::{Frame, Op, Script, Space};

/// A file, from its first page on.
const FILE: &str = "0 fe:00 77 0";

/// `Enter` ops as (space, page, frame, write).
fn enters(script: &Script) -> Vec<(u32, u64, u32, bool)> {
    let enter = |op: &Op| match *op {
        Op::Enter {
            space,
            page,
            frame,
            write,
        } => Some((space.0, page, frame.0, write)),
        _ => None,
    };
    script.ops.iter().filter_map(enter).collect()
}

/// What is mapped just before the end of the trace destroys everything.
fn at_the_end(script: &Script) -> Machine {
    let mut machine = Machine::default();
    let last = script
        .ops
        .iter()
        .rposition(|op| !matches!(op, Op::Destroy { .. } | Op::Free { .. }));
    for op in &script.ops[..=last.expect("an op")] {
        machine.step(op);
    }
    machine
}

#[test]
fn a_write_after_fork_copies_and_the_other_side_keeps_the_frame() {
    let script = with(
        &parent(),
        &[fork(A, 10, B), fault(B, 11, 0x100), fault(A, 500, 0x100)],
    );
    let enters = enters(&script);
    assert_eq!(enters[3..], [(1, 0x100, 3, true), (0, 0x100, 0, true)]);
    assert_eq!(script.stats.cow_copies, 1);
    assert_eq!(script.stats.resident_faults, 2);
    assert_eq!(script.stats.guesses, 0);
    assert_eq!(
        (script.stats.peak_frames, script.stats.peak_frames_unshared),
        (4, 6)
    );
    let machine = at_the_end(&script);
    assert_eq!(machine.spaces[&0][&0x101], (1, false));
    assert_eq!(machine.spaces[&1][&0x101], (1, false));
}

#[test]
fn shared_memory_stays_writable_over_fork() {
    let script = script(&[
        map(A, 1, (0x100, 2), FILE, "rw-s shm"),
        fault(A, 2, 0x100),
        fault(A, 3, 0x101),
        fork(A, 4, B),
        fault(B, 5, 0x300),
    ]);
    let machine = at_the_end(&script);
    for space in [0, 1] {
        assert_eq!(machine.spaces[&space][&0x100], (0, true));
        assert_eq!(machine.spaces[&space][&0x101], (1, true));
    }
    assert_eq!(script.stats.protects, 2);
}

#[test]
fn growth_keeps_pages_and_mprotect_protects_them() {
    let script = with(
        &parent(),
        &[
            anonymous(A, 10, (0x0ff, 9), "rw-p"),
            anonymous(A, 11, (0x101, 1), "r--p"),
        ],
    );
    assert_eq!((script.stats.removes, script.stats.pages_kept), (0, 4));
    let (space, page, pages, write) = (Space(0), 0x101, 1, false);
    assert!(script.ops.contains(&Op::Protect {
        space,
        page,
        pages,
        write
    }));
    let machine = at_the_end(&script);
    assert_eq!(machine.spaces[&0][&0x100], (0, true));
    assert_eq!(machine.spaces[&0][&0x101], (1, false));
}

#[test]
fn a_file_moved_or_replaced_is_removed() {
    let before = [
        map(A, 1, (0x100, 4), FILE, "r--p file"),
        fault(A, 2, 0x101),
        fault(A, 3, 0x102),
    ];
    let kept = with(
        &before,
        &[map(A, 9, (0x102, 9), "0x2000 fe:00 77 0", "r-xp file")],
    );
    assert_eq!((kept.stats.pages_kept, kept.stats.pages_replaced), (1, 0));
    for object in [
        "0x1000 fe:00 77 0",
        "0x2000 fe:01 77 0",
        "0x2000 fe:00 78 0",
        "0x2000 00:00 0 0",
    ] {
        let gone = with(&before, &[map(A, 9, (0x102, 9), object, "r-xp file")]);
        assert_eq!(
            (gone.stats.pages_kept, gone.stats.pages_replaced),
            (0, 1),
            "{object}"
        );
        let (space, page, pages) = (Space(0), 0x102, 1);
        assert!(gone.ops.contains(&Op::Remove { space, page, pages }));
    }
}

#[test]
fn neighbouring_regions_are_removed_in_one() {
    let script = script(&[
        map(A, 1, (0x100, 1), "0 fe:00 1 0", "r--p a"),
        map(A, 2, (0x101, 1), "0 fe:00 2 0", "r--p b"),
        fault(A, 3, 0x100),
        fault(A, 4, 0x101),
        anonymous(A, 5, (0, 0x1000), "rw-p"),
        fault(A, 6, 0x100),
    ]);
    assert_eq!((script.stats.removes, script.stats.pages_replaced), (1, 2));
    assert_eq!(script.stats.guesses, 0);
}

#[test]
fn files_have_one_frame_whoever_maps_them() {
    let script = script(&[
        map(A, 1, (0x100, 2), FILE, "r--p file"),
        fault(A, 2, 0x101),
        exit(A, 3),
        map(B, 4, (0x900, 1), "0x1000 fe:00 77 0", "r-xp file"),
        fault(B, 5, 0x900),
        map(B, 6, (0xa00, 1), "0 00:00 0 0", "r-xp [vdso]"),
        fault(B, 7, 0xa00),
    ]);
    assert_eq!(
        enters(&script),
        [
            (0, 0x101, 0, false),
            (0, 0x900, 0, false),
            (0, 0xa00, 1, false)
        ]
    );
    assert_eq!(script.frames, 2);
    assert_eq!(script.stats.guesses, 0);
}

#[test]
fn a_private_writable_file_page_is_the_process_own() {
    let script = script(&[
        map(A, 1, (0x100, 1), FILE, "rw-p file"),
        fault(A, 2, 0x100),
        map(B, 3, (0x100, 1), FILE, "rw-p file"),
        fault(B, 4, 0x100),
    ]);
    assert_eq!(enters(&script), [(0, 0x100, 0, true), (1, 0x100, 1, true)]);
    assert_eq!(script.stats.guessed_writes, 2);
}

#[test]
fn a_file_page_in_a_region_made_writable_is_copied() {
    let script = script(&[
        map(A, 1, (0x100, 1), FILE, "r--p file"),
        fault(A, 2, 0x100),
        map(A, 3, (0x100, 1), FILE, "rw-p file"),
        fault(A, 4, 0x100),
    ]);
    assert_eq!(enters(&script), [(0, 0x100, 0, false), (0, 0x100, 1, true)]);
    assert_eq!((script.stats.cow_copies, script.stats.guesses), (1, 0));
}

#[test]
fn an_own_page_in_a_region_made_writable_again_keeps_its_frame() {
    let script = with(
        &parent(),
        &[
            anonymous(A, 10, (0x100, 3), "r--p"),
            anonymous(A, 11, (0x100, 3), "rw-p"),
            fault(A, 12, 0x101),
        ],
    );
    assert_eq!(enters(&script).last(), Some(&(0, 0x101, 1, true)));
    assert_eq!((script.stats.cow_copies, script.stats.guesses), (0, 0));
}

#[test]
fn threads_that_race_share_a_frame_and_later_faults_are_guesses() {
    let thread = (10, 11);
    let race = |us| with(&parent(), &[fork(A, 4, thread), fault(thread, us, 0x102)]);
    let raced = race(105);
    assert_eq!(enters(&raced).last(), Some(&(0, 0x102, 2, true)));
    assert_eq!((raced.stats.removes, raced.stats.guesses), (0, 0));
    for guessed in [race(106), with(&parent(), &[fault(A, 6, 0x102)])] {
        assert_eq!(
            (guessed.stats.removes, guessed.stats.guessed_unmaps),
            (1, 1)
        );
        let frame = Frame(2);
        let again = [Op::Free { frame }, Op::Alloc { frame }];
        assert!(guessed.ops.windows(2).any(|pair| pair == again));
    }
}

#[test]
fn a_file_page_after_fork_needs_no_guess_once() {
    let script = script(&[
        map(A, 1, (0x100, 1), FILE, "r-xp file"),
        fault(A, 2, 0x100),
        fork(A, 300, B),
        fault(B, 600, 0x100),
        fault(B, 900, 0x100),
    ]);
    assert_eq!(
        enters(&script),
        [
            (0, 0x100, 0, false),
            (1, 0x100, 0, false),
            (1, 0x100, 0, false)
        ]
    );
    assert_eq!(script.stats.guessed_unmaps, 1, "the second time");
}

#[test]
fn ranges_beyond_user_addresses_are_cut() {
    let huge = "PERF_RECORD_MMAP2 10/10: [0x1000(0xffffffffffffffff) @ 0 00:00 0 0]: rw-p anon";
    let kernel = "PERF_RECORD_MMAP2 10/10: [0xffffffff81000000(0x1000) @ 0 00:00 0 0]: rw-p anon";
    let none = "PERF_RECORD_MMAP2 10/10: [0x5000(0) @ 0 00:00 0 0]: rw-p anon";
    let top = (1 << 35) - 1;
    let script = script(&[
        line(A, 1, huge),
        line(A, 2, kernel),
        line(A, 3, none),
        fault(A, 4, top),
        fault(A, 5, top + 1),
        line(
            A,
            6,
            &format!(
                "PERF_RECORD_MMAP2 10/10: [{:#x}(0x9000) @ 0 fe:00 5 0]: r--p f",
                top << 12
            ),
        ),
    ]);
    assert_eq!((script.stats.kernel_faults, script.stats.guesses), (1, 0));
    assert_eq!(script.stats.pages_replaced, 1);
}
