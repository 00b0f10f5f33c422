//! An MFN is used after the hold it was translated in.

use ptom::backend::Native;
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::xen::{Config, Machine, Mmu, Pfn};

fn main() {
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::small()).unwrap();
    let vcpu = machine.vcpu().unwrap();
    let mfn = {
        let hold = vcpu.hold();
        hold.mfn(Pfn(1)).unwrap()
    };
    println!("{mfn:?}");
}
