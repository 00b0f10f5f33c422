//! The names that the vectors give to frames, addresses and values.

use super::boot::{Cpu, hex};
use ptom::xen::frame::Owner;
use ptom::xen::{Mmu, Pfn, RawMfn};
use serde_json::Value;
use std::collections::HashMap;

/// Addresses with a name: where Xen is, or nothing is.
const PLACES: [(&str, u64); 5] = [
    ("m2p_va", 0xffff_8000_0000_0000),
    ("xen_directmap_va", 0xffff_8300_0000_0000),
    ("no_l1_va", 0x4000_0000),
    ("noncanonical_va", 0x0000_9000_0000_0000),
    ("high_va", 0xffff_ffff_8000_0000),
];

/// Roles that are no page of the pool.
const FIRST_SPECIAL: &str = "FOREIGN";

/// What the names of a run stand for.
pub(crate) struct Names {
    /// By role: its page.
    pfns: HashMap<String, u64>,
    /// By name: its frame, as long as no suspend comes.
    mfns: HashMap<String, u64>,
    /// By role: the frame that the guest's own P2M had first.
    first: HashMap<String, u64>,
}

impl Names {
    pub(crate) fn new(cpu: &Cpu<'_>, run: &Value) -> Self {
        let pool = hex(run["pool_first_pfn"].as_str().unwrap());
        let root = hex(run["pt_base_pfn"].as_str().unwrap());
        let roles = run["roles"].as_array().unwrap().iter();
        let pages = roles.map(|r| r.as_str().unwrap().to_owned());
        let pages = pages.take_while(|r| r != FIRST_SPECIAL).zip(pool..);
        let mut pfns: HashMap<String, u64> = pages.collect();
        pfns.insert("L4CUR".to_owned(), root);
        pfns.insert("L1CUR".to_owned(), root + 3);
        let mut names = Self {
            pfns,
            mfns: HashMap::new(),
            first: HashMap::new(),
        };
        names.look_up(cpu);
        names.first = names.mfns.clone();
        names
    }

    /// Looks up every frame again: after a suspend all are others.
    pub(crate) fn look_up(&mut self, cpu: &Cpu<'_>) {
        let hold = cpu.hold();
        let mfn = |pfn| hold.mfn(Pfn(pfn)).map(|mfn| mfn.raw().0);
        let own = self.pfns.iter();
        self.mfns = own
            .filter_map(|(name, pfn)| Some((name.clone(), mfn(*pfn)?)))
            .collect();
        let host = hold.access().guest().host();
        let owned_by = |owner| {
            (1..host.frames())
                .find(|m| host.frame(RawMfn(*m)).owner() == owner)
                .unwrap()
        };
        for (name, mfn) in [
            ("FOREIGN", owned_by(Owner::Foreign)),
            ("SHARED_INFO", hold.access().shared_info().raw().0),
            ("MFN_OOR", 0x100_0000),
            ("MFN_OOR_MAX", 0xff_ffff_ffff),
            ("MFN_MMIO", 0xf_ed00),
            ("MFN_VGA", owned_by(Owner::NoRam)),
            ("MFN_ZERO", 0),
        ] {
            self.mfns.insert(name.to_owned(), mfn);
        }
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.mfns.contains_key(name)
    }

    /// From here on a name is this frame's.
    pub(crate) fn set(&mut self, name: &str, mfn: u64) {
        self.mfns.insert(name.to_owned(), mfn);
    }

    pub(crate) fn pfn(&self, role: &str) -> u64 {
        self.pfns[role]
    }

    pub(crate) fn mfn(&self, name: &str) -> u64 {
        let found = self.mfns.get(name);
        *found.unwrap_or_else(|| panic!("no frame has the name {name}"))
    }

    /// The frame that a page of the guest's had when it booted.
    pub(crate) fn first(&self, role: &str) -> u64 {
        self.first[role]
    }

    /// A value: `0`, `raw:0x..`, `ROLE|0xflags`, `pfn:0x..|0xflags`, `pfn:PFN_ROLE`, or a number that
    /// stands for a PFN.
    pub(crate) fn value(&self, cpu: &Cpu<'_>, text: &str) -> u64 {
        if let Some((frame, flags)) = text.split_once('|') {
            let mfn = match frame.strip_prefix("pfn:") {
                Some(pfn) => cpu.hold().mfn(Pfn(hex(pfn))).unwrap().raw().0,
                None => self.mfn(frame),
            };
            return mfn << 12 | hex(flags);
        }
        let text = text.strip_prefix("pfn:").unwrap_or(text);
        if let Some(role) = text.strip_prefix("PFN_") {
            return self.pfn(role);
        }
        let number = text.strip_prefix("raw:").or(text.strip_prefix("pfn "));
        match number.unwrap_or(text) {
            "0" => 0,
            number if number.starts_with("0x") => hex(number),
            name => self.mfn(name),
        }
    }

    /// A machine address, `ROLE+0xoffset`.
    pub(crate) fn maddr(&self, text: &str) -> u64 {
        let (role, offset) = text.split_once('+').unwrap();
        (self.mfn(role) << 12) + hex(offset)
    }

    /// A virtual address, `ROLE`, `ROLE+0xoffset` or the name of a place.
    pub(crate) fn va(&self, text: &str) -> u64 {
        if let Some((_, va)) = PLACES.iter().find(|(name, _)| *name == text) {
            return *va;
        }
        let (role, offset) = text.split_once('+').unwrap_or((text, "0x0"));
        (self.pfn(role) << 12) + hex(offset)
    }

    /// The address at which the L1 entry of `text`'s address can be read.
    pub(crate) fn pte_va(&self, text: &str) -> u64 {
        let page = self.va(text) >> 12;
        assert!(page < 512, "the pool is in the first L1 table");
        (self.pfn("L1CUR") << 12) + page * 8
    }
}
