//! The names that the vectors give to frames, addresses and values.

use super::boot::Cpu;
use ptom::xen::frame::Owner;
use ptom::xen::{Mmu, Pfn, RawMfn};
use serde_json::Value;
use std::collections::HashMap;

/// What a row says, or that nobody here knows what it means.
pub(crate) type Told<T> = Result<T, String>;

/// A number as the vectors write it.
pub(crate) fn number(text: &str) -> Told<u64> {
    let digits = text.strip_prefix("0x");
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| format!("{text} is no number"))
}

/// A text in a row.
pub(crate) fn text<'r>(row: &'r Value, field: &str) -> Told<&'r str> {
    let found = row[field].as_str();
    found.ok_or_else(|| format!("no text {field}"))
}

/// A number in a row.
pub(crate) fn count(row: &Value, field: &str) -> Told<u64> {
    let found = row[field].as_u64();
    found.ok_or_else(|| format!("no number {field}"))
}

/// A list in a row.
pub(crate) fn list<'r>(row: &'r Value, field: &str) -> Told<&'r [Value]> {
    let found = row[field].as_array();
    let found = found.ok_or_else(|| format!("no list {field}"))?;
    Ok(found)
}

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
    pub(crate) fn new(cpu: &Cpu<'_>, run: &Value) -> Told<Self> {
        let pool = number(text(run, "pool_first_pfn")?)?;
        let root = number(text(run, "pt_base_pfn")?)?;
        let roles = list(run, "roles")?.iter().filter_map(Value::as_str);
        let pages = roles.take_while(|role| *role != FIRST_SPECIAL);
        let pages = pages.map(str::to_owned).zip(pool..);
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
        Ok(names)
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

    /// The page of a role.
    pub(crate) fn page(&self, role: &str) -> Told<u64> {
        let found = self.pfns.get(role).copied();
        found.ok_or_else(|| format!("no page has the role {role}"))
    }

    pub(crate) fn frame(&self, name: &str) -> Told<u64> {
        let found = self.mfns.get(name).copied();
        found.ok_or_else(|| format!("no frame has the name {name}"))
    }

    /// The frame that a page of the guest's had when it booted.
    pub(crate) fn first(&self, role: &str) -> Told<u64> {
        let found = self.first.get(role).copied();
        found.ok_or_else(|| format!("no frame had the name {role}"))
    }

    /// A value: `0`, `raw:0x..`, `ROLE|0xflags`, `pfn:0x..|0xflags`, `pfn:PFN_ROLE`, or a number that
    /// stands for a PFN.
    pub(crate) fn word(&self, cpu: &Cpu<'_>, text: &str) -> Told<u64> {
        if let Some((frame, flags)) = text.split_once('|') {
            let mfn = match frame.strip_prefix("pfn:") {
                Some(pfn) => {
                    let mfn = cpu.hold().mfn(Pfn(number(pfn)?)).map(|mfn| mfn.raw().0);
                    mfn.ok_or_else(|| format!("PFN {pfn} has no frame"))?
                }
                None => self.frame(frame)?,
            };
            return Ok(mfn << 12 | number(flags)?);
        }
        let text = text.strip_prefix("pfn:").unwrap_or(text);
        if let Some(role) = text.strip_prefix("PFN_") {
            return self.page(role);
        }
        let digits = text.strip_prefix("raw:").or(text.strip_prefix("pfn "));
        match digits.unwrap_or(text) {
            "0" => Ok(0),
            digits if digits.starts_with("0x") => number(digits),
            name => self.frame(name),
        }
    }

    /// A machine address, `ROLE+0xoffset`.
    pub(crate) fn entry(&self, text: &str) -> Told<u64> {
        let parts = text.split_once('+');
        let (role, offset) = parts.ok_or_else(|| format!("{text} is no ROLE+0xoffset"))?;
        Ok((self.frame(role)? << 12) + number(offset)?)
    }

    /// A virtual address, `ROLE`, `ROLE+0xoffset` or the name of a place.
    pub(crate) fn address(&self, text: &str) -> Told<u64> {
        if let Some((_, va)) = PLACES.iter().find(|(name, _)| *name == text) {
            return Ok(*va);
        }
        let (role, offset) = text.split_once('+').unwrap_or((text, "0x0"));
        Ok((self.page(role)? << 12) + number(offset)?)
    }

    /// The address at which the L1 entry of `text`'s address can be read.
    pub(crate) fn mapping(&self, text: &str) -> Told<u64> {
        let page = self.address(text)? >> 12;
        if page >= 512 {
            return Err(format!("{text} is not in the first L1 table"));
        }
        Ok((self.page("L1CUR")? << 12) + page * 8)
    }

    // The same, where only we can be wrong.

    pub(crate) fn pfn(&self, role: &str) -> u64 {
        self.page(role).unwrap()
    }

    pub(crate) fn mfn(&self, name: &str) -> u64 {
        self.frame(name).unwrap()
    }

    pub(crate) fn maddr(&self, text: &str) -> u64 {
        self.entry(text).unwrap()
    }

    pub(crate) fn va(&self, text: &str) -> u64 {
        self.address(text).unwrap()
    }
}
