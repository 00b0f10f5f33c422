//! What happens where the kernel refuses `membarrier`: the schemes that want it fall back to full
//! fences, and still exclude.
//!
//! The refusal is real: a child process installs a seccomp filter that answers ENOSYS, as a kernel
//! without CONFIG_MEMBARRIER does, and runs the same stress.

use ptom::backend::{Backend, Native};
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::scheme::{Reader, Scheme, Size, Translate};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

/// Set in the child: what `asymmetric()` must say there.
const CHILD: &str = "PTOM_TEST_WITHOUT_MEMBARRIER";

/// Two words that only a suspend changes, both to the same value: a hold must see them equal.
fn torn_holds(suspends: u64) -> u64 {
    let lock = <PerCpuAsym<Native> as Scheme<Native>>::new(Size::readers(3));
    let words = [AtomicU64::new(0), AtomicU64::new(0)];
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let reader = lock.reader().unwrap();
                    let mut torn = 0;
                    while !done.load(Relaxed) {
                        let _hold = reader.hold();
                        let first = words[0].load(Relaxed);
                        let _nested = reader.hold();
                        torn += u64::from(first != words[1].load(Relaxed));
                    }
                    torn
                })
            })
            .collect();
        let mut suspender = lock.reader().unwrap();
        for n in 1..=suspends {
            let _suspended = suspender.suspend();
            words[0].store(n, Relaxed);
            words[1].store(n, Relaxed);
        }
        done.store(true, Relaxed);
        readers.into_iter().map(|r| r.join().unwrap()).sum()
    })
}

#[test]
fn excludes_with_membarrier_or_without() {
    if std::env::var_os(CHILD).is_some() {
        refuse_membarrier();
        assert!(!Native::asymmetric(), "the filter was not installed");
    }
    assert_eq!(torn_holds(100_000), 0);
}

#[test]
fn falls_back_where_the_kernel_refuses() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "excludes_with_membarrier_or_without",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// From here on `membarrier` is not implemented, in this thread and those it starts.
fn refuse_membarrier() {
    use seccompiler::{SeccompAction, SeccompFilter, TargetArch, apply_filter};
    const ENOSYS: u32 = 38;
    let (membarrier, arch) = if cfg!(target_arch = "aarch64") {
        (283, TargetArch::aarch64)
    } else {
        (324, TargetArch::x86_64)
    };
    let filter = SeccompFilter::new(
        [(membarrier, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(ENOSYS),
        arch,
    );
    let program: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
}
