//! The simulated guest saved to a stream and restored from it, and real guests restored into the simulator.

use crate::streams::recorded;
use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::pre_suspend;
use ptom::xen::save::Failed;
use ptom::xen::stream::{Page, PageType, Stream};
use ptom::xen::validate::XEN_SLOTS;
use ptom::xen::{Config, Machine, Mmu, Mode, Outcome, Paging, Pfn, Pte, RawMfn, Va};
use std::collections::BTreeSet;

type Scheme = PerCpu<Native>;

const MODES: [Mode; 2] = [Mode::Fresh, Mode::Deranged { seed: 16 }];

/// The frames of every page; `None` for one ballooned out.
fn frames(cpu: &ptom::xen::Vcpu<'_, Native, Scheme>, pages: u64) -> Vec<Option<RawMfn>> {
    let hold = cpu.hold();
    let mfn = |pfn| hold.mfn(Pfn(pfn)).map(|mfn| mfn.raw());
    (0..pages).map(mfn).collect()
}

/// The level of a page table; 0 for another page.
fn level(page: &Page<'_>) -> u32 {
    match page.kind() {
        PageType::Table { level, .. } => level,
        _ => 0,
    }
}

/// The entry as it is after Xen has validated it, if it is one.
fn validated(page: &Page<'_>, word: u64) -> u64 {
    match level(page) {
        0 => word,
        level => Paging::FourLevels.stored(level, Pte(word)).0,
    }
}

/// Every entry of every table in the stream, present ones with the frame that their page has now.
fn tables_follow(cpu: &ptom::xen::Vcpu<'_, Native, Scheme>, stream: &Stream<'_>) -> u64 {
    let hold = cpu.hold();
    let mut present = 0;
    for (pfn, page) in stream.pages() {
        if level(page) == 0 {
            continue;
        }
        let table = hold.mfn(pfn).unwrap();
        let level = level(page);
        for (index, entry) in page.words().map(Pte).enumerate() {
            let found = hold.access().read(table, index).pte();
            let expected = match entry.present() {
                true => {
                    let mfn = hold.mfn(Pfn(entry.mfn().0)).unwrap().raw();
                    Paging::FourLevels.stored(level, entry.with_frame(mfn.0))
                }
                false => entry,
            };
            // Xen's own slots are its own.
            let xens = level == 4 && XEN_SLOTS.contains(&index);
            assert!(xens || found == expected, "{pfn:?}[{index}]: {found:x?}");
            present += u64::from(entry.present());
        }
    }
    present
}

#[test]
fn a_real_guest_gets_other_frames_in_every_table() {
    for name in ["rust16-1vcpu", "rust16-types"] {
        let bytes = recorded(&format!("{name}.libxc.xz"));
        let stream = Stream::read(&bytes).unwrap();
        for mode in MODES {
            let machine = Machine::<Native, Scheme>::restored(&stream, 1, mode).unwrap();
            let mut cpu = machine.vcpu().unwrap();
            let before = frames(&cpu, 4096);
            let walked = stream.walk(stream.roots()).unwrap();
            let entries = walked.entries.iter().sum::<u64>();
            assert_eq!(tables_follow(&cpu, &stream), entries, "{name}");
            for (pfn, mfn) in (0..).map(Pfn).zip(&before) {
                let back = mfn.map(|mfn| machine.guest().host().m2p(mfn));
                assert_eq!(back, mfn.map(|_| Some(pfn)), "{name}: M2P of {pfn:?}");
                let absent = stream.page(pfn).unwrap().kind() == PageType::XTab;
                assert_eq!(mfn.is_none(), absent, "{name}: {pfn:?}");
            }
            let distinct: BTreeSet<_> = before.iter().flatten().collect();
            assert_eq!(distinct.len(), before.iter().flatten().count());
            assert_eq!(machine.guest().broken_invariants(), 0, "{name}");
            saved_again(&mut cpu, &stream, &before, mode);
            let pairs = before.iter().zip(frames(&cpu, 4096));
            assert!({ pairs }.all(|(was, is)| was.is_none() || *was != is));
            assert_eq!(machine.guest().broken_invariants(), 0, "{name}");
        }
    }
}

/// Saves a guest that was restored from `stream`: the same again, but for the P2M list, which holds
/// what are the old MFNs now, and start_info's address of shared_info.
fn saved_again(
    cpu: &mut ptom::xen::Vcpu<'_, Native, Scheme>,
    stream: &Stream<'_>,
    frames: &[Option<RawMfn>],
    mode: Mode,
) {
    let mut world = cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let mut saved = Vec::new();
    let outcome = world.hypercall_by(register, mode, |bytes| {
        saved = bytes.clone();
        bytes
    });
    assert_eq!(outcome, Ok(Outcome::Resumed { lost_tables: 0 }));
    let again = Stream::read(&saved).unwrap();
    assert_eq!(again.state(), stream.state());
    let list = &stream.state().p2m_frames;
    let start_info = stream.state().vcpus[0].start_info();
    for ((pfn, was), (_, is)) in stream.pages().zip(again.pages()) {
        assert_eq!(was.kind(), is.kind(), "{pfn:?}");
        if let Some(nth) = list.iter().position(|frame| *frame == pfn) {
            let covered = frames[512 * nth..].iter().take(512);
            let covered = covered.map(|mfn| mfn.map_or(u64::MAX, |mfn| mfn.0));
            assert!(is.words().eq(covered), "the P2M list, page {nth}");
            continue;
        }
        let differ = was.words().map(|word| validated(was, word));
        let differ = differ.zip(is.words()).enumerate();
        let differ: Vec<usize> = { differ }
            .filter(|(_, (was, is))| was != is)
            .map(|(at, _)| at)
            .collect();
        let expected: &[usize] = if pfn == start_info { &[5] } else { &[] };
        assert_eq!(differ, expected, "{pfn:?}");
    }
}

#[test]
fn a_guest_born_here_goes_over_the_wire_and_back() {
    for mode in MODES {
        let machine = Machine::<Native, Scheme>::new(Config::new(1024, 2)).unwrap();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 4).unwrap();
        let mut cache = PageCache::default();
        let pmap = kernel.create(&cpu, &mut cache).unwrap();
        let pfn = kernel.take_page(&mut cache).unwrap();
        let va = Va::of_page(513);
        kernel.enter(&cpu, &mut cache, pmap, va, pfn, true).unwrap();
        for round in 1..=3 {
            let before = frames(&cpu, 1024);
            let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
            let mut sent = Vec::new();
            let outcome = suspending.hypercall_by(mode, |bytes| {
                sent = bytes.clone();
                bytes
            });
            suspending.post_suspend(outcome.unwrap()).unwrap();
            let stream = Stream::read(&sent).unwrap();
            let walked = stream.walk(stream.roots()).unwrap();
            assert_eq!((walked.tables[3], walked.empty), (2, 0));
            let list = stream.state().p2m_frames.iter();
            let list = list.flat_map(|pfn| stream.page(*pfn).unwrap().words());
            let old = before.iter().map(|mfn| mfn.unwrap().0);
            assert!(list.take(1024).eq(old), "the list holds the old MFNs");
            let after = frames(&cpu, 1024);
            assert!(before.iter().zip(&after).all(|(b, a)| b != a));
            assert_eq!(kernel.extract(&cpu, pmap, va), Some(pfn));
            assert_eq!(machine.guest().domain().suspends(), round);
            assert_eq!(machine.guest().broken_invariants(), 0);
        }
    }
}

#[test]
fn what_was_spoilt_on_the_wire_is_not_restored() {
    let machine = Machine::<Native, Scheme>::new(Config::small()).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let before = frames(&cpu, 256);
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    let refused = suspending.hypercall_by(Mode::Fresh, |mut bytes| {
        bytes.pop();
        bytes
    });
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with("restore: stream: record "), "{refused}");
    // Nothing was touched: it goes on where it was.
    suspending.post_suspend(Outcome::Cancelled).unwrap();
    assert_eq!(frames(&cpu, 256), before);
    assert_eq!(machine.guest().broken_invariants(), 0);
}

#[test]
fn a_table_that_the_save_drops_comes_back_empty() {
    let machine = Machine::<Native, Scheme>::new(Config::small()).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    // The suspend without the protocol: shared_info, which has no PFN, is still mapped.
    let mut world = cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let mut sent = Vec::new();
    let outcome = world.hypercall_by(register, Mode::Fresh, |bytes| {
        sent = bytes.clone();
        bytes
    });
    assert_eq!(outcome, Ok(Outcome::Resumed { lost_tables: 1 }));
    let stream = Stream::read(&sent).unwrap();
    let walked = stream.walk(stream.roots()).unwrap();
    assert_eq!(walked.empty, 1, "the entry for the table that is gone");
    drop(world);
    drop(kernel);
}

#[test]
fn another_guests_stream_is_not_restored() {
    let bytes = recorded("rust16-1vcpu.libxc.xz");
    let stream = Stream::read(&bytes).unwrap();
    let none = Machine::<Native, Scheme>::restored(&stream, 0, Mode::Fresh);
    assert_eq!(none.unwrap_err(), Failed::Machine);
    let machine = Machine::<Native, Scheme>::new(Config::small()).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    let refused = suspending.hypercall_by(Mode::Fresh, |_| bytes);
    let refused = refused.unwrap_err().to_string();
    assert_eq!(refused, "restore: the stream is not this guest's");
    suspending.post_suspend(Outcome::Cancelled).unwrap();
}
