//! A vCPU that is preempted at a chosen point, and a suspender that comes just then.

use ptom::backend::Native;
use ptom::pmap::Kernel;
use ptom::scheme::Scheme;
use ptom::suspend::{SuspendError, suspend};
use ptom::xen::{Held, Mmu, Mode, Outcome, Vcpu};
use std::cell::Cell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};

/// Turns that the suspender is given to come as far as it can, while it cannot have its way.
const TURNS: u32 = 4;

type Ended = Result<Outcome, SuspendError>;

/// A suspender on a thread of its own, which suspends once, when asked.
#[derive(Debug)]
pub(crate) struct Suspender {
    go: Sender<()>,
    begun: Receiver<()>,
    over: Receiver<Ended>,
}

impl Suspender {
    /// It waits to be asked; that it is dropped unasked ends it too.
    pub(crate) fn spawn<'scope, 'env, S: Scheme<Native>>(
        scope: &'scope Scope<'scope, 'env>,
        mut vcpu: Vcpu<'env, Native, S>,
        kernel: &'env Kernel<Native>,
        mode: Mode,
    ) -> Self {
        kernel.load_kernel(&vcpu).unwrap();
        let (go, asked) = channel();
        let (begin, begun) = channel();
        let (end, over) = channel();
        scope.spawn(move || {
            if asked.recv().is_ok() {
                let _ = begin.send(());
                let _ = end.send(suspend(&mut vcpu, kernel, mode));
            }
        });
        Self { go, begun, over }
    }

    /// Asks, where no hold stops it: returns when the suspend is over. `meanwhile` is called while one
    /// waits.
    pub(crate) fn overtake(&self, mut meanwhile: impl FnMut()) -> Ended {
        self.ask();
        loop {
            if let Ok(ended) = self.over.try_recv() {
                return ended;
            }
            meanwhile();
            thread::yield_now();
        }
    }

    /// Asks, where a hold should stop it: returns when it has begun to wait.
    pub(crate) fn ask(&self) {
        self.go.send(()).unwrap();
        self.begun.recv().unwrap();
        (0..TURNS).for_each(|_| thread::yield_now());
    }

    /// Returns when the suspend that was asked for is over.
    pub(crate) fn ended(&self) -> Ended {
        self.over.recv().unwrap()
    }
}

/// A vCPU that meets somebody at one of its preemption points.
pub(crate) struct Preempted<'v, V> {
    vcpu: &'v V,
    /// Points to go; at 0 it has met.
    to_go: Cell<u32>,
    meet: &'v dyn Fn(),
}

impl<'v, V> Preempted<'v, V> {
    /// `vcpu`, but `meet` is called at its `point`-th preemption point, counted from 1.
    pub(crate) fn at(point: u32, vcpu: &'v V, meet: &'v dyn Fn()) -> Self {
        let to_go = Cell::new(point);
        Self { vcpu, to_go, meet }
    }

    /// Whether it came to that point.
    pub(crate) fn met(&self) -> bool {
        self.to_go.get() == 0
    }
}

impl<V: Mmu<Native>> Mmu<Native> for Preempted<'_, V> {
    type Guard<'h>
        = V::Guard<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, Native, V::Guard<'_>> {
        self.vcpu.hold()
    }

    fn preemption_point(&self) {
        let to_go = self.to_go.get();
        self.to_go.set(to_go.saturating_sub(1));
        if to_go == 1 {
            (self.meet)();
        }
    }
}
