//! A save and a restore on both, with the whole protocol and without a step of it.

use crate::*;
use ptom::pmap::Layout;
use ptom::suspend::{SuspendError, pre_suspend, suspend};
use ptom::xen::save::Failed;
use ptom::xen::{Flush, Mmu, NewPte};

#[test]
fn a_guest_is_suspended_and_comes_back_whole() {
    for paging in BOTH {
        for (alternate, mode) in WINDOWS.into_iter().flat_map(|w| MODES.map(|m| (w, m))) {
            let machine = machine(paging, Era::Before2017);
            let mut cpu = machine.vcpu().unwrap();
            let kernel = boot(&cpu, alternate);
            let mut cache = PageCache::default();
            let mut all = processes(&cpu, &kernel, &mut cache, 4);
            let what = format!("{paging:?} {alternate:?} {mode:?}");
            // One is cached, one is loaded, and whatever a window leaves is left.
            let (cached, _) = all.remove(3);
            kernel.destroy(&cpu, &mut cache, cached).unwrap();
            kernel.load(&cpu, all[0].0).unwrap();
            assert_mapped(&cpu, &kernel, &all, &what);
            for _ in 0..2 {
                let outcome = suspend(&mut cpu, &kernel, mode).unwrap();
                let expected = match mode {
                    Mode::Cancelled => Outcome::Cancelled,
                    Mode::Fresh | Mode::Deranged { .. } => RESUMED,
                };
                assert_eq!(outcome, expected, "{what}");
                assert_eq!(kernel.broken(&cpu), [], "{what}");
                assert_mapped(&cpu, &kernel, &all, &what);
                let (pmap, pages) = processes(&cpu, &kernel, &mut cache, 1)[0];
                assert_mapped(&cpu, &kernel, &[(pmap, pages)], &what);
                kernel.load(&cpu, all[0].0).unwrap();
                kernel.destroy(&cpu, &mut cache, pmap).unwrap();
            }
            assert_sound(&machine);
        }
    }
}

#[test]
fn a_save_empties_recursive_slots_with_pae_and_leaves_them_on_amd64() {
    // shared_info; and two batches more with PAE, which undoing needs as well.
    for (paging, calls) in BOTH.into_iter().zip([1, 2]) {
        let machine = machine(paging, Era::Now);
        let mut cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Direct);
        processes(&cpu, &kernel, &mut PageCache::default(), 5);
        assert_eq!(kernel.carries_recursive(), paging == Paging::FourLevels);
        let before = machine.guest().verdicts().hypercalls;
        let suspending = pre_suspend(&mut cpu, &kernel).unwrap();
        let made = machine.guest().verdicts().hypercalls - before;
        assert_eq!(made, calls, "{paging:?}");
        suspending.post_suspend(Outcome::Cancelled).unwrap();
        let after = machine.guest().verdicts().hypercalls - before;
        assert_eq!(after, 2 * calls, "{paging:?}");
    }
}

/// A suspend without a step or two of the protocol, with one process that is loaded if it is.
fn without(paging: Paging, loaded: bool, emptied: bool) -> Result<Outcome, Failed> {
    let machine = machine(paging, Era::Now);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Direct);
    let all = processes(&cpu, &kernel, &mut PageCache::default(), 1);
    if !loaded {
        kernel.load_kernel(&cpu).unwrap();
    }
    let shared_info = Layout::of(paging).shared_info();
    let unmapped = cpu
        .hold()
        .access()
        .update_va_mapping(shared_info, NewPte::ZERO, Flush::PAGE);
    unmapped.unwrap();
    let mut world = cpu.suspend();
    if emptied {
        kernel.clear_recursive(&world).unwrap();
    }
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, Mode::Fresh)?;
    if emptied {
        kernel.restore_recursive(&world).unwrap();
    }
    drop(world);
    assert_mapped(&cpu, &kernel, &all, "emptied or not");
    Ok(outcome)
}

#[test]
fn paes_recursive_slots_left_set_fail_the_restore() {
    // The third L2 is validated before the last one, which it names, has become one: an L1 table then, and
    // no root's last L2 any more.
    for (loaded, failed) in [(true, Failed::Load), (false, Failed::Pin)] {
        assert_eq!(without(Paging::Pae, loaded, false), Err(failed));
        assert_eq!(without(Paging::Pae, loaded, true), Ok(RESUMED));
        for emptied in [false, true] {
            assert_eq!(without(Paging::FourLevels, loaded, emptied), Ok(RESUMED));
        }
    }
}

#[test]
fn no_stream_is_written_of_a_pae_guest_and_it_goes_on() {
    let machine = machine(Paging::Pae, Era::Now);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Direct);
    let all = processes(&cpu, &kernel, &mut PageCache::default(), 1);
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    let refused = suspending.hypercall_by(Mode::Fresh, |stream| stream);
    assert_eq!(refused, Err(SuspendError::Tools(Failed::Width)));
    suspending.post_suspend(Outcome::Cancelled).unwrap();
    assert_mapped(&cpu, &kernel, &all, "not saved");
    assert_sound(&machine);
}
