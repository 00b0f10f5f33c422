//! One suspend from end to end, narrated: a reader that holds, a suspender that waits, a guest that
//! moves to other frames, and a cancelled attempt before it.
//!
//! Run it with `cargo run --example one_suspend`.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache};
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::suspend::{pre_suspend, suspend};
use ptom::xen::{Config, Machine, Mmu, Mode, Outcome, Va};
use std::thread;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::small())?;
    let mut suspender = machine.vcpu()?;
    let kernel = Kernel::boot(&suspender, 4)?;
    println!("a guest of 256 pages has booted; every PFN has a frame");

    // A process with one page.
    let mut cache = PageCache::default();
    let (process, va) = (kernel.create(&suspender, &mut cache)?, Va(0x40_0000));
    let page = kernel.take_page(&mut cache)?;
    kernel.enter(&suspender, &mut cache, process, va, page, true)?;
    println!("a process has {page:?} mapped at {va:x?}");

    // A suspend that the tools cancel: everything is put away and taken out again.
    let outcome = suspend(&mut suspender, &kernel, Mode::Cancelled)?;
    println!("a first suspend: {outcome:?}; no MFN has changed");

    let begun = Instant::now();
    let at = move || format!("{:5.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    thread::scope(|scope| -> Result<(), Box<dyn std::error::Error>> {
        let reader = machine.vcpu()?;
        let hold = reader.hold();
        println!(
            "{} reader: holds, and has translated {page:?} to {:?}",
            at(),
            { hold.mfn(page).ok_or("no frame")?.raw() }
        );
        drop(hold);
        let (held, holds) = std::sync::mpsc::channel();
        let kernel = &kernel;
        scope.spawn(move || {
            let hold = reader.hold();
            let _ = held.send(());
            println!("{} reader: holds again, for 20 ms", at());
            thread::sleep(Duration::from_millis(20));
            println!("{} reader: lets go", at());
            drop(hold);
            // This waits, asleep, until the domain runs again.
            let found = kernel.extract(&reader, process, va);
            println!("{} reader: finds {found:?} at {va:x?}", at());
        });
        holds.recv()?;
        println!("{} suspender: asks for exclusivity", at());
        let mut suspending = pre_suspend(&mut suspender, kernel)?;
        println!(
            "{} suspender: has it; recursive slots cleared, shared_info unmapped",
            at()
        );
        let outcome = suspending.hypercall(Mode::Fresh)?;
        println!("{} suspender: the hypercall returned, {outcome:?}", at());
        let moved = suspending.hold().mfn(page).map(|mfn| mfn.raw());
        println!(
            "{} suspender: {page:?} is at {moved:?} now; everything set up again",
            at()
        );
        assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
        suspending.post_suspend(outcome)?;
        println!("{} suspender: resumes the others", at());
        Ok(())
    })?;
    println!("the oracle: {:?}", machine.guest().verdicts());
    println!("broken invariants: {}", machine.guest().broken_invariants());
    Ok(())
}
