//! Calls that the recorder tells in words.

use super::boot::WINDOW;
use super::carried::START_INFO;
use super::issue::Got;
use super::names::{Told, number};
use super::replay::Replay;
use ptom::xen::{Domid, Errno};

/// The names of virtual interrupts.
const VIRQS: [(&str, u32); 13] = [
    ("TIMER", 0),
    ("DEBUG", 1),
    ("CONSOLE", 2),
    ("DOM_EXC", 3),
    ("TBUF", 4),
    ("DEBUGGER", 6),
    ("XENOPROF", 7),
    ("CON_RING", 8),
    ("PCPU_STATE", 9),
    ("MEM_EVENT", 10),
    ("ARGO", 11),
    ("ENOMEM", 12),
    ("XENPMU", 13),
];

impl Replay<'_> {
    /// `evtchn_op`, told in words.
    pub(crate) fn bind_port(&self, setup: &str) -> Told<Got> {
        let unknown = || format!("an evtchn_op that nobody knows: {setup}");
        let vcpu = |word: &str| word.strip_prefix("vcpu")?.parse().ok();
        let dom = |word: &str| match word {
            "SELF" => Some(Domid::SELF),
            "dom0" => Some(Domid::DOM0),
            _ => None,
        };
        let words: Vec<&str> = setup.split(' ').collect();
        let bound: Result<u32, Errno> = match words[..] {
            ["alloc_unbound", whose, remote] => {
                let whose = whose.strip_prefix("dom=").and_then(dom);
                let remote = remote.strip_prefix("remote=").and_then(dom);
                let (whose, remote) = whose.zip(remote).ok_or_else(unknown)?;
                self.with(|raw| raw.alloc_unbound(whose, remote))
            }
            ["bind_virq", name, on] => {
                let virq = VIRQS.iter().find(|(known, _)| *known == name);
                let ((_, virq), on) = virq.zip(vcpu(on)).ok_or_else(unknown)?;
                self.with(|raw| raw.bind_virq(*virq, on))
            }
            ["bind_ipi", on] => {
                let on = vcpu(on).ok_or_else(unknown)?;
                self.with(|raw| raw.bind_ipi(on))
            }
            _ => return Err(unknown()),
        };
        Ok(Got::said(match bound {
            Ok(port) => format!("rc=0 port={port}"),
            Err(errno) => format!("rc={}", errno as i32),
        }))
    }

    /// `set_debugreg(NUMBER,0xADDRESS)`, then `get_debugreg`.
    pub(crate) fn debug_register(&self, args: &str) -> Told<Got> {
        let unknown = || format!("a debug register that nobody knows: {args}");
        let (register, address) = args.split_once(',').ok_or_else(unknown)?;
        let register = register.parse().map_err(|_| unknown())?;
        let address = number(address)?;
        let rc = self.with(|raw| raw.set_debugreg(register, address));
        let got = self.with(|raw| raw.get_debugreg(register));
        let got = got.map_err(|_| unknown())?;
        Ok(Got::said(format!("rc={rc} get={got:#x}")))
    }

    /// What the recorder wrote into the two pages, and read back: `NAME=0xVALUE`, by its own names.
    pub(crate) fn write_sentinels(&self, told: &str) -> Told<Got> {
        self.window();
        let mut read = Vec::new();
        for word in told.split(' ') {
            let Some((name, rest)) = word.split_once('=') else {
                read.push(word.to_owned());
                continue;
            };
            let (value, end) = match rest.strip_suffix(';') {
                Some(value) => (value, ";"),
                None => (rest, ""),
            };
            let (value, hex) = match number(value) {
                Ok(value) => (value, true),
                Err(_) => (
                    value.parse().map_err(|_| format!("{value} is no number"))?,
                    false,
                ),
            };
            let (va, bytes) = sentinel(name)?;
            self.store(va, bytes, value)?;
            let shift = va % 8 * 8;
            let found = self.load(va & !7)? >> shift & (u64::MAX >> (64 - 8 * bytes));
            read.push(match hex {
                true => format!("{name}={found:#x}{end}"),
                false => format!("{name}={found}{end}"),
            });
        }
        Ok(Got::said(read.join(" ")))
    }
}

/// Where a word of the two pages is that the recorder has a name for, and how many octets it has.
fn sentinel(name: &str) -> Told<(u64, u32)> {
    let indexed = |prefix: &str, suffix: &str| -> Option<u64> {
        let index = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
        number(index).ok().or(index.parse().ok())
    };
    let shared = |offset| (WINDOW + offset, 8);
    Ok(match name {
        "arch.cr2" => shared(0x10),
        "nmi_reason" => shared(0xc20),
        "p2m_generation" => shared(0xc38),
        "flags" => (START_INFO + 0x30, 4),
        "mod_start" => (START_INFO + 0x70, 8),
        "mod_len" => (START_INFO + 0x78, 8),
        _ => {
            let vcpu = indexed("vcpu_info[", "].pending_sel").map(|n| shared(n * 0x40 + 8));
            let found = vcpu
                .or(indexed("vcpu_info[", "].arch.cr2").map(|n| shared(n * 0x40 + 0x10)))
                .or(indexed("evtchn_pending[", "]").map(|n| shared(0x800 + n * 8)))
                .or(indexed("evtchn_mask[", "]").map(|n| shared(0xa00 + n * 8)))
                .or(indexed("tail[", "]").map(shared))
                .or(indexed("magic[", "]").map(|n| (START_INFO + n, 1)))
                .or(indexed("cmd_line[", "]").map(|n| (START_INFO + 0x80 + n, 1)))
                .or(indexed("page[", "]").map(|n| (START_INFO + n, 8)));
            found.ok_or_else(|| format!("{name} is no word of the two pages"))?
        }
    })
}
