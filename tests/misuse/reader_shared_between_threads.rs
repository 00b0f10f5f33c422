//! Two threads use one vCPU.

use ptom::backend::Native;
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::xen::{Config, Machine, Mmu, Pfn};

fn main() {
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::small()).unwrap();
    let vcpu = machine.vcpu().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| println!("{:?}", vcpu.hold().mfn(Pfn(1))));
        println!("{:?}", vcpu.hold().mfn(Pfn(2)));
    });
}
