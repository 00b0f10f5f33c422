//! A worker whose operation is the next event of a trace.

use crate::backend::Native;
use crate::lab::measure::contender::Worker;
use crate::lab::measure::watch::Watch;
use crate::lab::replay::Player;
use crate::lab::trace::Script;
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::xen::Vcpu;

/// A clone of the trace.
pub(super) struct ReplayWorker<'m, S: Scheme<Native>> {
    vcpu: Vcpu<'m, Native, S>,
    player: Player<'m, Native>,
}

impl<'m, S: Scheme<Native>> ReplayWorker<'m, S> {
    /// A clone at the beginning of its trace.
    pub(super) fn new(
        vcpu: Vcpu<'m, Native, S>,
        script: &'m Script,
        kernel: &'m Kernel<Native>,
    ) -> Self {
        Self {
            vcpu,
            player: Player::new(script, kernel),
        }
    }
}

impl<S: Scheme<Native>> Worker for ReplayWorker<'_, S> {
    fn batch(&mut self, n: u64) -> u64 {
        let failed = self.player.failed;
        for _ in 0..n {
            self.player.step(&self.vcpu);
        }
        self.vcpu.quiescent();
        n - (self.player.failed - failed).min(n)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let _suspended = self.vcpu.suspend();
        during();
    }

    fn attend(&mut self, _: &Watch, _: usize) {
        // The latency of a suspend is measured on the bare table alone.
    }
}
