//! `percpu_rseq`: holds are counted by CPU and not by reader, in restartable sequences (`rseq(2)`), and
//! only CPUs on which somebody has held since the last suspend are interrupted by the next.
//!
//! A hold costs two sections of `rseq`, one to begin and one to end: thirteen instructions besides the
//! CPU's word for the one and the other, no fence, and no `lock`-prefixed instruction. That is more than
//! `percpu_asym`, which has its word in hand, and need not find it. A suspend pays for a `membarrier(2)`,
//! or for nothing where nobody has held. Memory is 128 bytes a CPU, and none a reader but its handle. An
//! inner hold counts in that only.
//!
//! # Reader against suspender
//!
//! | reader, in one section on CPU c | suspender |
//! |---|---|
//! | is there a token of c? else ask | `gate.close()`, so that none is given any more |
//! | `entered[c] += 1` | takes back every token |
//! | | restarts the sections of the CPUs that had one |
//! | | waits until `sum(left) == sum(entered)` |
//!
//! A section is begun anew wherever it is interrupted before its last instruction, which counts. So if
//! the restart finds a reader past that instruction, the suspender sees the count, and waits. If it finds
//! the reader before it, the reader begins anew, finds no token, and asks; and whoever asks while the gate is shut
//! waits for it, asleep. A reader that was not running has been preempted, which restarts it, too. There is
//! nothing to take back.
//!
//! From then on no `entered` grows. `left` still does, on whatever CPU a hold ends; so the sums can be
//! read one word after the other (see `Lines::inside`).
//!
//! A token is given under a lock, under which it is also taken: a reader that finds the gate open there is
//! before the suspender, which then takes the token it gave; or it is behind, and finds the gate
//! shut. Without a token a CPU need not be interrupted: since the last one was taken back and its
//! sections restarted, each has looked, and found none.
//!
//! # Without `rseq`
//!
//! Where the C library has registered no `struct rseq` (musl, valgrind, an old kernel, another
//! architecture), or `membarrier` does not restart, no line is for sections, and all readers take turns on
//! the shared ones: as [`percpu`](crate::scheme::percpu), with a `lock`-prefixed instruction at the begin
//! and at the end. So does, beside the others, a thread that is not registered, or on a CPU that has no line.
//!
//! | reader | suspender |
//! |---|---|
//! | `entered += 1` | `gate.close()` |
//! | `fence(SeqCst)` | `fence(SeqCst)` |
//! | is the gate open? | reads `left`, then `entered` |
//!
//! If the reader's fence is first, the suspender sees the count, and waits; else the reader sees the
//! gate shut, counts as if it had left, and waits.
//!
//! Source: FreeBSD rmlock(9) for the tokens; Linux `rseq(2)`, `membarrier(2)`, and the per-CPU counters of
//! Mathieu Desnoyers' librseq.

mod lines;
pub mod restart;
mod section;

use crate::backend::{Backend, Native};
use crate::platform::cpus;
use crate::primitive::{Gate, Shut, Ticket};
use crate::scheme::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use core::cell::Cell;
use core::marker::PhantomData;
use lines::{Line, Lines};
use restart::{Cpus, Membarrier, Restart};
use section::Section;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release, SeqCst},
};

/// A line a CPU, a gate, and the lock of the tokens.
#[derive(Debug)]
pub struct PerCpuRseq<R = Membarrier> {
    gate: Gate<Native>,
    /// Held by who gives a token, or takes them back.
    tokens: Ticket<Native>,
    lines: Lines,
    /// Readers registered so far.
    readers: AtomicUsize,
    restart: PhantomData<R>,
}

impl<R: Restart> Describe for PerCpuRseq<R> {
    const NAME: &'static str = "percpu_rseq";
    const PRECEDENT: &'static str =
        "rseq(2), librseq's per-CPU counters; FreeBSD rmlock(9)'s tokens";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: true,
    };
    const UNCOUNTED: Option<&'static str> =
        Some("valgrind has no rseq(2), so what runs under it is the way without");
}

/// A reader.
#[derive(Debug)]
pub struct PerCpuRseqReader<'s, R> {
    scheme: &'s PerCpuRseq<R>,
    section: Section<'s>,
    /// The line to use where the CPU has none.
    shared: &'s Line,
    /// Live holds. Not in the handle itself: so that nothing which a hold stores is in there, and the compiler
    /// keeps the rest in registers.
    depth: Box<Cell<u64>>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct PerCpuRseqHold<'h, R>(&'h PerCpuRseqReader<'h, R>);

impl<R: Restart> Scheme<Native> for PerCpuRseq<R> {
    type Reader<'s> = PerCpuRseqReader<'s, R>;

    fn new(size: Size) -> Self {
        let cpus = size.tables.cpus.unwrap_or_else(cpus::possible);
        Self {
            gate: Gate::new(false),
            tokens: Ticket::default(),
            lines: Lines::new(cpus, section::area().is_some() && R::granted()),
            readers: AtomicUsize::new(0),
            restart: PhantomData,
        }
    }

    fn reader(&self) -> Result<PerCpuRseqReader<'_, R>, Full> {
        Ok(PerCpuRseqReader {
            scheme: self,
            section: Section::new(self.lines.own()),
            shared: self.lines.shared(self.readers.fetch_add(1, Relaxed)),
            depth: Box::new(Cell::new(0)),
        })
    }
}

impl<R> PerCpuRseq<R> {
    /// Whether holds are counted in restartable sections here, on the CPUs that have a line.
    pub fn has_sections(&self) -> bool {
        !self.lines.own().is_empty()
    }

    /// Gives a CPU its token; false if the gate is shut.
    fn give(&self, cpu: usize) -> bool {
        let _turn = self.tokens.lock();
        let open = !self.gate.closed();
        if open {
            // ORDERING: Release: whoever enters by it sees what a suspender did that we have seen. (A
            // section loads it as every load of x86 does: with Acquire.)
            self.lines.own()[cpu].0.token.store(1, Release);
        }
        open
    }
}

impl<R: Restart> PerCpuRseq<R> {
    /// Takes every token back, the gate being shut, and restarts the sections of the CPUs that had one.
    ///
    /// # Panics
    /// If the kernel no longer restarts sections, which it has granted before. The gate then stays shut:
    /// nothing else would keep the promise.
    fn take_back<'g>(&self, shut: Shut<'g, Native>) -> Shut<'g, Native> {
        let mut cpus = Cpus::None;
        {
            let _turn = self.tokens.lock();
            for (cpu, line) in self.lines.own().iter().enumerate() {
                if line.0.token.load(Relaxed) != 0 {
                    line.0.token.store(0, Relaxed);
                    cpus = cpus.and(cpu);
                }
            }
        }
        // ORDERING: SeqCst pairs with the fence of a hold on a shared line; both orders are argued above.
        Native::fence(SeqCst);
        if let Err(why) = R::restart(cpus) {
            core::mem::forget(shut);
            panic!("membarrier, which the kernel has granted before: {why}");
        }
        shut
    }
}

impl<R> PerCpuRseqReader<'_, R> {
    /// This CPU has no token, or no line.
    #[cold]
    fn enter_slow(&self) {
        let scheme = self.scheme;
        loop {
            let entered = match self.section.guess() {
                // The token is that of the CPU where we were: if it is not ours, we come again.
                Some(cpu) => scheme.give(cpu) && self.section.enter(),
                None => self.enter_shared(),
            };
            if entered {
                return;
            }
            scheme.gate.wait();
        }
    }

    /// Counts a hold on a shared line; false if the gate is shut.
    fn enter_shared(&self) -> bool {
        self.shared.entered.fetch_add(1, Relaxed);
        // ORDERING: SeqCst pairs with the fence of a suspend; both orders are argued above.
        Native::fence(SeqCst);
        let open = self.scheme.gate.clear();
        if !open {
            self.leave_shared();
        }
        open
    }

    /// Counts a hold's end on a shared line.
    #[cold]
    fn leave_shared(&self) {
        // ORDERING: Release pairs with the Acquire in `inside`: whoever sees it sees all that the hold did.
        self.shared.left.fetch_add(1, Release);
    }

    fn leave(&self) {
        if !self.section.leave() {
            self.leave_shared();
        }
    }
}

impl<R: Restart> Translate for PerCpuRseqReader<'_, R> {
    type Hold<'h>
        = PerCpuRseqHold<'h, R>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> PerCpuRseqHold<'_, R> {
        let around = self.depth.get();
        if around == 0 && !self.section.enter() {
            self.enter_slow();
        }
        self.depth.set(around + 1);
        PerCpuRseqHold(self)
    }
}

impl<R> Drop for PerCpuRseqHold<'_, R> {
    #[inline]
    fn drop(&mut self) {
        let left = self.0.depth.get() - 1;
        self.0.depth.set(left);
        if left == 0 {
            self.0.leave();
        }
    }
}

impl<R> Drop for PerCpuRseqReader<'_, R> {
    fn drop(&mut self) {
        // Of a guard that was leaked.
        if self.depth.get() != 0 {
            self.leave();
        }
    }
}

impl<R: Restart> Reader for PerCpuRseqReader<'_, R> {
    type Suspended<'r>
        = Alone<Shut<'r, Native>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, Native>> {
        assert!(self.depth.get() == 0, "a guard of this reader was leaked");
        let scheme = self.scheme;
        let shut = scheme.take_back(scheme.gate.close());
        let mut turn = 0;
        while scheme.lines.inside() != 0 {
            Native::relax(turn);
            turn = turn.saturating_add(1);
        }
        Alone::new(shut)
    }

    fn try_suspend(&mut self) -> Option<Alone<Shut<'_, Native>>> {
        let scheme = self.scheme;
        // Whatever comes of it: a token that was taken back must not be forgotten before its CPU is
        // interrupted, or the next suspender would not know.
        let shut = scheme.take_back(scheme.gate.try_close()?);
        (scheme.lines.inside() == 0).then(|| Alone::new(shut))
    }
}
