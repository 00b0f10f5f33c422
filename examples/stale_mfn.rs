//! The bug this crate is about, in one thread and 40 lines: translate, be suspended, use.
//!
//! Run it with `cargo run --example stale_mfn`.

use ptom::backend::Native;
use ptom::pmap::Kernel;
use ptom::scheme::unprotected::Unprotected;
use ptom::suspend::suspend;
use ptom::xen::{Config, Machine, Mmu, MmuUpdate, Mode, NewPte, Pfn, Pte};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A guest whose "lock" excludes nobody; with any other scheme the suspend below waits for ever.
    let machine = Machine::<Native, Unprotected>::new(Config::small())?;
    let victim = machine.vcpu()?;
    let mut suspender = machine.vcpu()?;
    let kernel = Kernel::boot(&suspender, 1)?;

    // The victim translates the page it wants to map, and the page table it wants to map it in.
    let hold = victim.hold();
    let (page, table) = (Pfn(100), Pfn(6));
    let stale_page = hold.mfn(page).ok_or("no such page")?;
    let stale_table = hold.mfn(table).ok_or("no such page")?;
    println!("{page:?} is at {:?} now", stale_page.raw());

    // It is preempted here. The domain is suspended, saved, and restored on other frames of its own.
    let _ = suspend(&mut suspender, &kernel, Mode::Deranged { seed: 1 })?;
    let now = victim.hold().mfn(page).ok_or("no such page")?.raw();
    println!("{page:?} is at {now:?} after the suspend");

    // It goes on with what is in its registers.
    let whose = |mfn| machine.guest().host().m2p(mfn);
    println!("the old frame is {:?} by now", whose(stale_page.raw()));
    let map = NewPte::map(stale_page, Pte::P | Pte::RW);
    let update = MmuUpdate::normal(stale_table.entry(7), map);
    match hold.access().mmu_update(&[update]) {
        Ok(_) => println!("Xen said nothing: 8 bytes of another page are overwritten"),
        Err(refused) => println!("{refused}: the guest panics"),
    }
    println!("the oracle: {:?}", machine.guest().verdicts());
    Ok(())
}
