//! An MFN leaves the snapshot it was right in.

use ptom::backend::Native;
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::xen::{Config, Machine, Pfn};

fn main() {
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::small()).unwrap();
    let vcpu = machine.vcpu().unwrap();
    let mfn = vcpu.snapshot(|snap| snap.mfn(Pfn(1)));
    println!("{mfn:?}");
}
