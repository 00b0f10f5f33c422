//! A guest is moved to another host while it runs, and the stream it went by is kept:
//! `cargo run --example live_migration -- FILE`.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache};
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::suspend::pre_suspend;
use ptom::xen::stream::Stream;
use ptom::xen::{Config, Machine, Mmu, Mode, Va};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let path = path.ok_or("usage: live_migration FILE")?;
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::new(2048, 2))?;
    let mut cpu = machine.vcpu()?;
    let kernel = Kernel::boot(&cpu, 4)?;
    let mut cache = PageCache::default();
    let pmap = kernel.create(&cpu, &mut cache)?;
    let other = machine.guest().another_host();

    let mut precopy = cpu.precopy()?;
    let mut page = 0;
    let mut working_set = 256;
    loop {
        // The guest runs on: it maps pages, and writes them, fewer each time.
        for _ in 0..working_set {
            let pfn = kernel.take_page(&mut cache)?;
            kernel.enter(&cpu, &mut cache, pmap, Va::of_page(page), pfn, true)?;
            cpu.hold().access().fill(pfn, page);
            page += 1;
        }
        working_set /= 4;
        if !precopy.round() {
            break;
        }
    }
    let mut stream = Vec::new();
    let mut suspending = pre_suspend(&mut cpu, &kernel)?;
    let migrated = suspending.migrate(precopy, Mode::Fresh, &other, |octets| {
        stream.clone_from(&octets);
        octets
    })?;
    suspending.post_suspend(migrated.outcome)?;

    for page in 0..page {
        let found = kernel.extract(&cpu, pmap, Va::of_page(page));
        let contents = found.and_then(|pfn| cpu.hold().access().contents(pfn));
        assert_eq!(contents, Some(page));
    }
    std::fs::write(&path, &stream)?;
    let read = Stream::read(&stream)?;
    read.walk(read.roots())?;
    for round in &migrated.rounds {
        println!("{round:?}");
    }
    println!("{path}: {} octets, {:?}", migrated.octets, migrated.outcome);
    Ok(())
}
