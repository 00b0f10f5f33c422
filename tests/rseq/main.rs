//! `percpu_rseq` where its kernel and its CPUs matter: threads that are moved while they hold, which CPUs a suspend
//! interrupts, threads without rseq, and what must be caught.
//!
//! (That it keeps its promise is stressed by the kit, as of every scheme.) These tests take turns: each wants
//! all CPUs.

use ptom::backend::Native;
use ptom::conformance::native::outcome::Verdict;
use ptom::conformance::native::payload::Words;
use ptom::conformance::native::plan::Plan;
use ptom::conformance::native::registry;
use ptom::conformance::native::stress::Quota;
use ptom::native::percpu_rseq::PerCpuRseq;
use ptom::native::percpu_rseq::restart::{Cpus, Membarrier, Restart};
use ptom::platform::pinning::{self, Pinned};
use ptom::scheme::{Reader, Scheme, Size, Tables, Translate};
use rustix::io;
use rustix::thread::{CpuSet, Pid, gettid, sched_setaffinity};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

fn take_turns() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock on a machine of so many CPUs, as it believes.
fn lock_of<R: Restart>(cpus: Option<usize>) -> PerCpuRseq<R> {
    let tables = Tables {
        cpus,
        ..Tables::FULL
    };
    Scheme::<Native>::new(Size { readers: 8, tables })
}

/// What readers saw of words that only a suspend changes, and how often somebody was moved.
struct Seen {
    holds: u64,
    torn: u64,
    moves: u64,
    /// Holds that ended on another CPU than the one they began on, as far as that can be told.
    moved: u64,
}

/// Two readers hold and let go, within one another too, while another thread moves them from CPU to CPU as fast as it
/// can, and a suspender changes two words `suspends` times.
fn move_readers<R: Restart>(lock: &PerCpuRseq<R>, suspends: u64) -> Seen {
    let cpus = pinning::allowed();
    let words = [AtomicU64::new(0), AtomicU64::new(0)];
    let (done, moves) = (AtomicBool::new(false), AtomicU64::new(0));
    let (me, threads) = mpsc::channel();
    let read = |me: mpsc::Sender<Pid>| {
        me.send(gettid()).unwrap();
        let reader = lock.reader().unwrap();
        let (mut holds, mut torn, mut moved) = (0, 0, 0);
        while !done.load(Relaxed) {
            let _hold = reader.hold();
            let from = rustix::thread::sched_getcpu();
            let first = words[0].load(Relaxed);
            for _ in 0..holds % 64 {
                let _nested = reader.hold();
                torn += u64::from(first != words[1].load(Relaxed));
            }
            if holds % 16 == 0 {
                thread::yield_now();
            }
            torn += u64::from(first != words[1].load(Relaxed));
            torn += u64::from(first != words[0].load(Relaxed));
            moved += u64::from(from != rustix::thread::sched_getcpu());
            holds += 1;
        }
        (holds, torn, moved)
    };
    thread::scope(|scope| {
        let readers = [me.clone(), me].map(|me| scope.spawn(move || read(me)));
        let threads = [threads.recv().unwrap(), threads.recv().unwrap()];
        let (cpus, done, moves) = (&cpus, &done, &moves);
        scope.spawn(move || {
            for (turn, cpu) in (0..).zip(cpus.iter().cycle()) {
                let mut only = CpuSet::new();
                only.set(*cpu);
                // One that has ended is moved no more.
                let moved = sched_setaffinity(Some(threads[turn / 3 % 2]), &only);
                moves.fetch_add(u64::from(moved.is_ok()), Relaxed);
                if done.load(Relaxed) {
                    return;
                }
                thread::yield_now();
            }
        });
        let mut suspender = lock.reader().unwrap();
        for n in 1..=suspends {
            let _suspended = suspender.suspend();
            words[0].store(n, Relaxed);
            thread::yield_now();
            words[1].store(n, Relaxed);
        }
        done.store(true, Relaxed);
        let seen = readers.map(|reader| reader.join().unwrap());
        Seen {
            holds: seen.iter().map(|s| s.0).sum(),
            torn: seen.iter().map(|s| s.1).sum(),
            moved: seen.iter().map(|s| s.2).sum(),
            moves: moves.load(Relaxed),
        }
    })
}

/// Suspends of a test that moves its readers.
const SUSPENDS: u64 = 20_000;

/// A lock of all CPUs, one of only the first (so that every second reader has no line), and one of none.
#[test]
fn readers_that_are_moved_are_excluded() {
    let _turn = take_turns();
    for cpus in [None, Some(1), Some(0)] {
        let seen = move_readers(&lock_of::<Membarrier>(cpus), SUSPENDS);
        println!(
            "{cpus:?}: {} holds, {} moves, {} of them in a hold",
            seen.holds, seen.moves, seen.moved
        );
        assert_eq!(seen.torn, 0, "{cpus:?}");
        let two = pinning::allowed().len() > 1;
        assert!(!two || seen.moved > 0, "nobody was moved in a hold");
    }
}

/// Restarts nothing, and says that it has.
#[derive(Debug)]
struct Nothing;

impl Restart for Nothing {
    fn granted() -> bool {
        Membarrier::granted()
    }

    fn restart(_: Cpus) -> io::Result<()> {
        Ok(())
    }
}

/// The first of so many runs of the kit's stress in which something was torn or stale, and how often.
fn torn<R: Restart>(runs: u64) -> Option<(u64, u64)> {
    let case = registry::case::<Native, PerCpuRseq<R>, Words>();
    (1..=runs).find_map(|seed| {
        let plan = Plan {
            seed,
            ..Plan::holds(2_000_000)
        };
        let outcome = (case.run)(plan, &Words::default(), &Quota::default());
        (outcome.verdict() == Verdict::Fail).then_some((seed, outcome.torn + outcome.stale))
    })
}

#[test]
fn a_suspend_that_restarts_nobody_is_seen() {
    let _turn = take_turns();
    if !Membarrier::granted() || pinning::allowed().len() < 2 {
        return eprintln!("skipped: needs rseq, and two CPUs");
    }
    let torn = torn::<Nothing>(20);
    println!("run, torn or stale: {torn:?}");
    assert!(torn.is_some(), "a missing membarrier was not caught");
}

#[test]
fn a_suspend_that_restarts_sections_is_not_torn() {
    let _turn = take_turns();
    assert_eq!(torn::<Membarrier>(10), None);
}

/// What the suspends of this process asked for.
static ASKED: Mutex<Vec<Cpus>> = Mutex::new(Vec::new());

/// Writes down what it is asked for.
#[derive(Debug)]
struct Watched;

impl Restart for Watched {
    fn granted() -> bool {
        Membarrier::granted()
    }

    fn restart(cpus: Cpus) -> io::Result<()> {
        ASKED.lock().unwrap().push(cpus);
        Membarrier::restart(cpus)
    }
}

#[test]
fn only_cpus_that_have_held_since_the_last_suspend_are_interrupted() {
    let _turn = take_turns();
    let cpus = pinning::allowed();
    if !Membarrier::granted() || without_rseq() || cpus.len() < 2 {
        return eprintln!("skipped: needs rseq, and two CPUs");
    }
    ASKED.lock().unwrap().clear();
    let lock = lock_of::<Watched>(None);
    let mut reader = lock.reader().unwrap();
    let mut hold_on = |indices: &[usize], tried: bool| {
        for index in indices {
            let pinned = Pinned::new(*index, &cpus);
            assert!(pinned.is_pinned());
            drop(reader.hold());
        }
        if tried {
            assert!(reader.try_suspend().is_some());
        } else {
            drop(reader.suspend());
        }
    };
    hold_on(&[], false);
    hold_on(&[1], false);
    hold_on(&[], false);
    hold_on(&[0, 0], true);
    hold_on(&[0, 1, 0], false);
    hold_on(&[], true);
    let expected = [
        Cpus::None,
        Cpus::One(cpus[1]),
        Cpus::None,
        Cpus::One(cpus[0]),
        Cpus::Many(2),
        Cpus::None,
    ];
    assert_eq!(*ASKED.lock().unwrap(), expected);
}

/// A suspend that is tried in vain interrupts, too: the token is gone, and the next suspend would not know.
#[test]
fn a_suspend_tried_in_vain_leaves_nobody_believing() {
    let _turn = take_turns();
    if !Membarrier::granted() || without_rseq() {
        return eprintln!("skipped: needs rseq");
    }
    ASKED.lock().unwrap().clear();
    let lock = lock_of::<Watched>(None);
    let holder = lock.reader().unwrap();
    let hold = holder.hold();
    let mut suspender = lock.reader().unwrap();
    assert!(suspender.try_suspend().is_none());
    assert_ne!(*ASKED.lock().unwrap(), [Cpus::None]);
    drop(hold);
    assert!(suspender.try_suspend().is_some());
    assert_eq!(ASKED.lock().unwrap().last(), Some(&Cpus::None));
}

/// Set in a child that has no rseq.
const CHILD: &str = "GLIBC_TUNABLES";
const OFF: &str = "glibc.pthread.rseq=0";

/// Whether this is the child.
fn without_rseq() -> bool {
    std::env::var(CHILD).is_ok_and(|value| value == OFF)
}

#[test]
fn excludes_with_rseq_or_without() {
    let _turn = take_turns();
    let lock = lock_of::<Membarrier>(None);
    println!("sections: {}", lock.has_sections());
    assert_eq!(move_readers(&lock, SUSPENDS).torn, 0);
}

#[test]
fn falls_back_where_the_library_registers_no_thread() {
    let _turn = take_turns();
    let run = |tunables: Option<&str>| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "excludes_with_rseq_or_without", "--nocapture"]);
        match tunables {
            Some(value) => child.env(CHILD, value),
            None => child.env_remove(CHILD),
        };
        let child = child.output().unwrap();
        let said = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
        said
    };
    assert!(run(Some(OFF)).contains("sections: false"));
    // Not so because it is never there.
    let there = cfg!(all(target_arch = "x86_64", target_env = "gnu")) && Membarrier::granted();
    let said = run(None);
    assert!(!there || said.contains("sections: true"), "{said}");
}
