//! The suspender's half: sections that are under way on other CPUs are begun anew.

#![allow(unsafe_code)]

use rustix::io;
use rustix::thread::MembarrierCommand::{PrivateExpeditedRseq, RegisterPrivateExpeditedRseq};
use rustix::thread::{Cpuid, membarrier, membarrier_cpu};
use std::fmt::Debug;
use std::sync::OnceLock;

/// The CPUs that may be in a section which still believes in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpus {
    /// No CPU.
    None,
    /// This one.
    One(usize),
    /// So many.
    Many(usize),
}

impl Cpus {
    /// These, and another one.
    pub(super) fn and(self, cpu: usize) -> Self {
        match self {
            Self::None => Self::One(cpu),
            Self::One(_) => Self::Many(2),
            Self::Many(n) => Self::Many(n + 1),
        }
    }
}

/// A way to restart sections; the seam at which a test takes it away, or counts.
pub trait Restart: Debug + Send + Sync + 'static {
    /// Whether it can be relied on: asked once a lock.
    fn granted() -> bool;

    /// When it returns, every section that these CPUs were in has stored, or begins anew and sees all that
    /// the caller has stored.
    ///
    /// # Errors
    /// What the kernel says.
    fn restart(cpus: Cpus) -> io::Result<()>;
}

/// `membarrier(2)`, in its form for restartable sequences (since Linux 5.10).
///
/// One CPU is interrupted alone, and not at all if it runs nothing of this process. Of several each would
/// take as long as all of them together: they are interrupted by one call, and with them every other CPU
/// that runs a thread of this process.
#[derive(Clone, Copy, Debug)]
pub struct Membarrier;

/// Whether the kernel let this process register.
static GRANTED: OnceLock<bool> = OnceLock::new();

impl Restart for Membarrier {
    fn granted() -> bool {
        *GRANTED.get_or_init(|| {
            membarrier(RegisterPrivateExpeditedRseq).is_ok()
                && Self::restart(Cpus::One(0)).is_ok()
                && Self::restart(Cpus::Many(2)).is_ok()
        })
    }

    fn restart(cpus: Cpus) -> io::Result<()> {
        match cpus {
            Cpus::None => Ok(()),
            Cpus::One(cpu) => {
                // SAFETY: the kernel has told us this number, or it is 0.
                let cpu = unsafe { Cpuid::from_raw(cpu as u32) };
                membarrier_cpu(PrivateExpeditedRseq, cpu)
            }
            Cpus::Many(_) => membarrier(PrivateExpeditedRseq),
        }
    }
}
