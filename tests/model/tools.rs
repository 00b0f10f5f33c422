//! Save, restore and migration: whatever the tools do to the guest, it finds itself as it was.

use super::guest::{Guest, done};
use proptest::prelude::*;
use ptom::suspend::pre_suspend;
use ptom::xen::{Mmu, Mode, Outcome};

impl Guest<'_> {
    /// A suspend, by way of a stream or not. Whoever migrates the guest meanwhile gives up.
    pub(crate) fn suspend(
        &mut self,
        at: usize,
        mode: Mode,
        wire: bool,
    ) -> Result<(), TestCaseError> {
        self.precopy = None;
        let mut suspending = done(pre_suspend(&mut self.cpus[at], &self.kernel))?;
        let outcome = match wire {
            true => suspending.hypercall_by(mode, |stream| stream),
            false => suspending.hypercall(mode),
        };
        let outcome = done(outcome)?;
        done(suspending.post_suspend(outcome))?;
        self.resumed(mode, outcome)
    }

    /// Begins a live migration, or makes another round of it; the guest runs on.
    pub(crate) fn round(&mut self, at: usize) -> Result<(), TestCaseError> {
        if self.precopy.is_none() {
            self.precopy = Some(done(self.cpus[at].precopy())?);
        }
        if let Some(precopy) = &mut self.precopy {
            precopy.round();
        }
        Ok(())
    }

    /// The end of a live migration: the host that was left must be empty.
    pub(crate) fn migrate(&mut self, at: usize, mode: Mode) -> Result<(), TestCaseError> {
        let precopy = match self.precopy.take() {
            Some(precopy) => precopy,
            None => done(self.cpus[at].precopy())?,
        };
        let mut suspending = done(pre_suspend(&mut self.cpus[at], &self.kernel))?;
        // The suspender may take the readers' ways (I5).
        let own = self.kernel.root(self.kernel.own());
        prop_assert!(suspending.hold().mfn(own).is_some());
        let migrated = done(suspending.migrate(precopy, mode, &self.other, |stream| stream))?;
        done(suspending.post_suspend(migrated.outcome))?;
        prop_assert_eq!(self.other.owned(), 0);
        self.resumed(mode, migrated.outcome)
    }

    /// What waited in queues is done; the suspend saw to that, whatever came of it.
    fn resumed(&mut self, mode: Mode, outcome: Outcome) -> Result<(), TestCaseError> {
        (0..self.cpus.len()).for_each(|vcpu| self.reference.flush(vcpu));
        let expected = match mode {
            Mode::Cancelled => Outcome::Cancelled,
            Mode::Fresh | Mode::Deranged { .. } => Outcome::Resumed { lost_tables: 0 },
        };
        prop_assert_eq!(outcome, expected);
        Ok(())
    }
}
