//! `stop_cpus`: the suspender stops every other CPU, and drains nobody.
//!
//! A control. Stopping the CPUs keeps everybody from *running*, so nothing new begins, and whoever was
//! translating goes on where it was stopped: with an MFN from before. FreeBSD's PV guest did that
//! (`sched_bind`, then `stop_cpus`), and NetBSD as merged in 2011 has no lock either: it keeps preemption
//! off on the CPU that suspends. Stopping is enough where a reader can neither be preempted nor sleep;
//! Linux, where it can, freezes all tasks at a safe point first. A thread can be preempted anywhere,
//! so this scheme must be caught.
//!
//! A stopped CPU cannot begin a hold: a gate stands for that. Costs a hold one load; a suspend stops
//! the others by one heavy fence, which is an interrupt to each of them.
//!
//! Source: FreeBSD `sys/dev/xen/control/control.c`, `xctrl_suspend` of the PV port; NetBSD's merge of
//! 2011-09-20.

use super::{Alone, Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use crate::backend::Backend;
use crate::primitive::{Gate, Shut};
use core::cell::Cell;
use core::marker::PhantomData;

/// The gate that stands for CPUs that do not run.
#[derive(Debug)]
pub struct StopCpus<B: Backend>(Gate<B>);

impl<B: Backend> Describe for StopCpus<B> {
    const NAME: &'static str = "stop_cpus";
    const PRECEDENT: &'static str =
        "FreeBSD stop_cpus(9), NetBSD as merged: a control, drains nobody";
    const CLAIMS: Claims = Claims {
        holds: false,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: false,
        snapshot_free_of_writes: true,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: true,
    };
}

/// A reader; there is nothing to register.
#[derive(Debug)]
pub struct StopCpusReader<'s, B: Backend> {
    gate: &'s Gate<B>,
    not_sync: PhantomData<Cell<()>>,
}

impl<B: Backend> Scheme<B> for StopCpus<B> {
    type Reader<'s> = StopCpusReader<'s, B>;

    fn new(_: Size) -> Self {
        Self(Gate::new(false))
    }

    fn reader(&self) -> Result<StopCpusReader<'_, B>, Full> {
        Ok(StopCpusReader {
            gate: &self.0,
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend> Translate for StopCpusReader<'_, B> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> Free {
        while !self.gate.clear() {
            self.gate.wait();
        }
        Free
    }
}

impl<B: Backend> Reader for StopCpusReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        let shut = self.gate.close();
        B::heavy_fence();
        Alone(shut)
    }
}
