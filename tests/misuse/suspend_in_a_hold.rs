//! A vCPU suspends the domain in a hold of its own.

use ptom::backend::Native;
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::xen::{Config, Machine, Mmu, Pfn};

fn main() {
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::small()).unwrap();
    let mut vcpu = machine.vcpu().unwrap();
    let hold = vcpu.hold();
    let suspended = vcpu.suspend();
    drop(suspended);
    println!("{:?}", hold.mfn(Pfn(1)));
}
