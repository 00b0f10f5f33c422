//! A simulated guest, saved to a file as the libxc migration stream that Xen's tools would write.
//!
//! `cargo run --example saved_stream -- guest.libxc`; `xen-utils`' `verify-stream-v2 -i guest.libxc`
//! then says what is in it.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache};
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::suspend::pre_suspend;
use ptom::xen::stream::Stream;
use ptom::xen::{Config, Machine, Mode, Va};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: saved_stream FILE")?;
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::new(2048, 2))?;
    let mut cpu = machine.vcpu()?;
    let kernel = Kernel::boot(&cpu, 4)?;
    let mut cache = PageCache::default();
    let pmap = kernel.create(&cpu, &mut cache)?;
    for page in [1, 2, 513, 0x7_f000] {
        let pfn = kernel.take_page(&mut cache)?;
        kernel.enter(&cpu, &mut cache, pmap, Va::of_page(page), pfn, true)?;
    }
    let mut saved = Vec::new();
    let mut suspending = pre_suspend(&mut cpu, &kernel)?;
    let outcome = suspending.hypercall_by(Mode::Fresh, |stream| {
        saved = stream.clone();
        stream
    })?;
    suspending.post_suspend(outcome)?;
    std::fs::write(&path, &saved)?;
    let stream = Stream::read(&saved)?;
    let walked = stream.walk(stream.roots())?;
    println!(
        "{path}: {} octets, {} PFNs, {} page tables; restored: {outcome:?}",
        saved.len(),
        stream.state().pages,
        walked.tables.iter().sum::<u64>()
    );
    Ok(())
}
