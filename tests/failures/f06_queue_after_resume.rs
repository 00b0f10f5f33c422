//! F6: an update is queued, a suspend comes, and the queue is flushed in the next incarnation.
//!
//! No scheme prevents it: the hold in which the MFNs were translated has ended in good order. Where a
//! stale entry names nobody's frames Xen refuses it, and NetBSD panics ("HYPERVISOR_mmu_update failed");
//! where it names other pages of the guest's the call succeeds, and another page is overwritten or
//! mapped. Flushing every vCPU's queue before the suspend, the suspending one's and the others', is what
//! makes it absent.

use ptom::backend::Native;
use ptom::pmap::{KVA, Kernel, PageCache, PmapError};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{SuspendError, suspend};
use ptom::xen::{Broken, Config, Errno, Machine, Mmu, Mode, Outcome, Pfn, RawQueues, Va};

const AT: Va = Va::of_page(KVA.page);

/// What the user of a real system would see.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// What flushing the queue after the resume gave.
    flushed: Result<(), PmapError>,
    /// The page asked for is mapped where it was to be.
    mapped: bool,
    /// Updates that waited when the guest resumed.
    waited: usize,
    /// What the oracle, which no guest has, counted.
    stale_uses: u64,
    /// I2: updates that it found queued at the suspend hypercall.
    queued_at_suspend: u64,
}

/// Queues a kernel mapping on one vCPU, suspends on another, and flushes. `known`: the queue is one of
/// those that the suspend flushes.
fn queued_across_a_suspend(known: bool, mode: Mode) -> Seen {
    let machine = Machine::<Native, PerCpu<Native>>::new(Config::new(256, 2)).unwrap();
    let [mut suspender, vcpu] = [(); 2].map(|()| machine.vcpu().unwrap());
    let kernel = Kernel::boot(&suspender, 2).unwrap();
    let unknown = RawQueues::new(machine.guest());
    let queues = if known { kernel.queues() } else { &unknown };
    let mut cache = PageCache::default();
    let [first, page]: [Pfn; 2] = [(); 2].map(|()| kernel.take_page(&mut cache).unwrap());
    // Its table is there before.
    kernel
        .kenter(&vcpu, &mut cache, AT, &[first], false)
        .unwrap();
    kernel
        .kenter_queued(&vcpu, &mut cache, queues, AT, &[page])
        .unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!(kernel.extract(&vcpu, kernel.own(), AT), Some(first));
    let outcome = suspend(&mut suspender, &kernel, mode).unwrap();
    assert_ne!(outcome, Outcome::Resumed { lost_tables: 1 });
    let waited = queues.len();
    let flushed = kernel.update(&vcpu, queues);
    Seen {
        flushed,
        mapped: kernel.extract(&vcpu, kernel.own(), AT) == Some(page),
        waited,
        stale_uses: machine.guest().verdicts().stale_uses,
        queued_at_suspend: machine.guest().broken().iter().map(queued).sum(),
    }
}

fn queued(broken: &Broken) -> u64 {
    match broken {
        Broken::QueuedAtSuspend { updates, .. } => *updates,
        _ => 0,
    }
}

#[test]
fn on_frames_that_are_nobodys_it_is_refused() {
    let seen = queued_across_a_suspend(false, Mode::Fresh);
    let errno = seen.flushed.unwrap_err().errno();
    assert_eq!(errno, Some(Errno::Inval), "-22: the guest panics");
    assert_eq!((seen.mapped, seen.waited, seen.stale_uses), (false, 1, 1));
    assert_eq!(seen.queued_at_suspend, 1);
}

#[test]
fn on_the_guests_own_frames_nobody_is_told() {
    let silent = (0..64)
        .map(|seed| queued_across_a_suspend(false, Mode::Deranged { seed }))
        .filter(|seen| seen.flushed.is_ok());
    let mut told_well = 0;
    for seen in silent {
        // rc 0, and yet the page is not there: the entry went to another page.
        assert_eq!((seen.mapped, seen.waited, seen.stale_uses), (false, 1, 1));
        told_well += 1;
    }
    assert!(told_well > 0);
}

#[test]
fn a_suspend_that_flushes_every_queue_leaves_nothing() {
    for mode in [Mode::Fresh, Mode::Deranged { seed: 1 }, Mode::Cancelled] {
        let seen = queued_across_a_suspend(true, mode);
        let right = Seen {
            flushed: Ok(()),
            mapped: true,
            waited: 0,
            stale_uses: 0,
            queued_at_suspend: 0,
        };
        assert_eq!(seen, right, "{mode:?}");
    }
}

#[test]
fn a_cancelled_suspend_harms_no_queue() {
    let seen = queued_across_a_suspend(false, Mode::Cancelled);
    assert_eq!(
        (seen.flushed, seen.mapped, seen.stale_uses),
        (Ok(()), true, 0)
    );
}

#[test]
fn an_entry_that_xen_refuses_stops_the_suspend_and_nothing_else() {
    let machine = Machine::<Native, PerCpu<Native>>::new(Config::new(256, 1)).unwrap();
    let mut vcpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&vcpu, 2).unwrap();
    let mut cache = PageCache::default();
    let page = kernel.take_page(&mut cache).unwrap();
    kernel.drivers().keep(vcpu.hold().access(), 0, page);
    let (queues, root) = (kernel.queues(), kernel.root(kernel.own()));
    // A page table, mapped writable.
    kernel
        .kenter_queued(&vcpu, &mut cache, queues, AT, &[root, page])
        .unwrap();
    let rings = || machine.guest().rings();
    let before = (rings(), kernel.drivers().kept(0));
    let failed = suspend(&mut vcpu, &kernel, Mode::Fresh).unwrap_err();
    let SuspendError::Pmap(error) = failed else {
        panic!("{failed}");
    };
    assert_eq!(error.errno(), Some(Errno::Busy));
    assert_eq!((rings(), kernel.drivers().kept(0)), before);
    // It is out of the queue now; what was behind it is done by the next suspend.
    let outcome = suspend(&mut vcpu, &kernel, Mode::Fresh).unwrap();
    assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
    let next = Va(AT.0 + 0x1000);
    assert_eq!(kernel.extract(&vcpu, kernel.own(), next), Some(page));
    assert_eq!(machine.guest().broken_invariants(), 0);
}

#[test]
fn what_xen_refuses_is_dropped_and_the_rest_waits() {
    let machine = Machine::<Native, PerCpu<Native>>::new(Config::new(256, 2)).unwrap();
    let mut vcpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&vcpu, 2).unwrap();
    let queues = RawQueues::new(machine.guest());
    let mut cache = PageCache::default();
    let pages = [(); 3].map(|()| kernel.take_page(&mut cache).unwrap());
    kernel
        .kenter_queued(&vcpu, &mut cache, &queues, AT, &pages)
        .unwrap();
    let _ = suspend(&mut vcpu, &kernel, Mode::Fresh).unwrap();
    for left in [2, 1, 0] {
        assert!(queues.flush(vcpu.hold().access()).is_err());
        assert_eq!(queues.len(), left);
    }
    assert_eq!(queues.flush(vcpu.hold().access()), Ok(()));
    assert!(queues.is_empty());
}
