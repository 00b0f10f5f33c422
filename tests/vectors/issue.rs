//! Issuing what the recorder issued: a row becomes a call, and the call an answer.

use super::boot::WINDOW;
use super::names::{Told, count, text};
use super::replay::Replay;
use ptom::xen::Domid;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use serde_json::Value;

/// What a row got: its return value, its count, and the extents it left.
#[derive(Default)]
pub(crate) struct Got {
    pub(crate) rc: Option<i64>,
    pub(crate) done: Option<u32>,
    pub(crate) extents: Option<(Vec<u64>, Vec<u64>)>,
    pub(crate) text: Option<String>,
}

const UNTOUCHED: u32 = u32::MAX;
/// What the recorder calls a call that has no place for the count.
const NO_DONE: &str = "done pointer = NULL";
const EFAULT: i64 = -14;

/// Numbers of `mmuext_op` commands, by name.
const COMMANDS: [(&str, u32); 20] = [
    ("PIN_L1_TABLE", 0),
    ("PIN_L2_TABLE", 1),
    ("PIN_L3_TABLE", 2),
    ("PIN_L4_TABLE", 3),
    ("UNPIN_TABLE", 4),
    ("NEW_BASEPTR", 5),
    ("TLB_FLUSH_LOCAL", 6),
    ("INVLPG_LOCAL", 7),
    ("TLB_FLUSH_MULTI", 8),
    ("INVLPG_MULTI", 9),
    ("TLB_FLUSH_ALL", 10),
    ("INVLPG_ALL", 11),
    ("FLUSH_CACHE", 12),
    ("SET_LDT", 13),
    ("NEW_USER_BASEPTR", 15),
    ("CLEAR_PAGE", 16),
    ("COPY_PAGE", 17),
    ("FLUSH_CACHE_GLOBAL", 18),
    ("MARK_SUPER", 19),
    ("UNMARK_SUPER", 20),
];

/// A command by its name, or the number of none.
fn command(name: &str) -> Told<u32> {
    let known = COMMANDS.iter().find(|(known, _)| *known == name);
    let number = known.map(|(_, number)| *number).or(name.parse().ok());
    number.ok_or_else(|| format!("{name} is no command"))
}

/// What the recorder says in words of a domain that it calls `other`; its numbers, else.
const OTHERS: [(&str, u16); 2] = [("DOMID_INVALID", 0x7ff4), ("nonexistent domid", 1234)];

/// Whose frames a row is about.
fn domid(row: &Value) -> Told<Domid> {
    let digits = |text: &str| {
        let digits = text.split_once("0x")?.1;
        let end = digits.find(|c: char| !c.is_ascii_hexdigit());
        u16::from_str_radix(&digits[..end.unwrap_or(digits.len())], 16).ok()
    };
    let setup = text(row, "setup")?;
    let number = match row["args"]["dom"].as_str() {
        Some("SELF") | None => return Ok(Domid::SELF),
        Some("dom0") => return Ok(Domid::DOM0),
        Some("other") => {
            let named = OTHERS.iter().find(|(words, _)| *words == setup);
            named.map(|(_, number)| *number).or(digits(setup))
        }
        Some(dom) => digits(dom),
    };
    let number = number.ok_or_else(|| format!("a domain that nobody knows: {setup}"))?;
    Ok(Domid(number))
}

impl Replay<'_> {
    /// Makes a row's call.
    pub(crate) fn issue(&mut self, row: &Value) -> Told<Got> {
        let args = &row["args"];
        let setup = text(row, "setup")?;
        match text(row, "op")? {
            "mmu_update" => self.mmu_update(row),
            "mmuext_op" => self.mmuext_op(row),
            "update_va_mapping" | "update_va_mapping_otherdomain" => {
                let va = self.names.address(text(args, "va")?)?;
                let (val, flags) = (self.word(&args["val"])?, count(args, "flags")?);
                let whose = domid(row)?;
                let rc = self.with(|raw| match args["dom"].as_str() {
                    None => raw.update_va_mapping(va, val, flags),
                    Some(_) => raw.update_va_mapping_otherdomain(va, val, flags, whose),
                });
                Ok(Got::returned(rc))
            }
            "guest_write" => {
                let va = self.names.address(text(args, "va")?)?;
                let val = self.word(&args["val"])?;
                let bytes = args["bytes"].as_u64().unwrap_or(8) as u32;
                let stored = self.with(|raw| raw.store(va, bytes, val));
                // A store has no count: the recorder's "not written" for it is the same.
                Ok(Got {
                    done: Some(UNTOUCHED),
                    ..Got::returned(if stored.is_ok() { 0 } else { EFAULT })
                })
            }
            "vm_assist" => {
                let words: Vec<u32> = setup
                    .split(['(', ')'])
                    .filter_map(|w| w.parse().ok())
                    .collect();
                let [command, kind] = words[..] else {
                    return Err("an assist that nobody knows".to_owned());
                };
                Ok(Got::returned(self.with(|raw| raw.vm_assist(command, kind))))
            }
            "memory_op" if args.is_null() => Ok(self.report_reservation()),
            "memory_op" => self.memory_op(row),
            "memory_exchange" => self.exchange(row),
            "increase_reservation x8 repeated" => self.fill_reservation(),
            "read" => self.read(setup),
            "read_m2p" => Ok(Got::default()),
            "evtchn_op" => self.bind_port(setup),
            "info" => self.write_sentinels(text(&row["after"], "result")?),
            other => match other.strip_prefix("set_debugreg(") {
                Some(args) => self.debug_register(args.trim_end_matches(')')),
                None => Err(format!("{other} is no operation here")),
            },
        }
    }

    fn mmu_update(&self, row: &Value) -> Told<Got> {
        let request = |req: &Value| {
            Ok(Some(RawUpdate {
                ptr: self.names.entry(text(req, "ptr")?)? + count(req, "cmd")?,
                val: self.word(&req["val"])?,
            }))
        };
        let requests = match row["args"]["req"].as_array() {
            Some(list) => list.iter().map(request).collect::<Told<_>>()?,
            None => vec![None],
        };
        let (mut done, whose) = (UNTOUCHED, domid(row)?);
        let wanted = (row["setup"] != NO_DONE).then_some(&mut done);
        let rc = self.with(|raw| raw.mmu_update(requests, wanted, whose));
        Ok(Got {
            done: Some(done),
            ..Got::returned(rc)
        })
    }

    fn mmuext_op(&self, row: &Value) -> Told<Got> {
        let op = |op: &Value| {
            let arg = |name: &str| match &op[name] {
                Value::Null => Ok(0),
                arg => self.word(arg),
            };
            Ok(Some(MmuextOp {
                command: command(text(op, "cmd")?)?,
                arg1: arg("arg1")?,
                arg2: arg("arg2")?,
            }))
        };
        let args = &row["args"];
        let ops = match args.as_array().or(args["op"].as_array()) {
            Some(list) => list.iter().map(op).collect::<Told<_>>()?,
            None => vec![None],
        };
        let (mut done, whose) = (UNTOUCHED, domid(row)?);
        let wanted = (row["setup"] != NO_DONE).then_some(&mut done);
        let rc = self.with(|raw| raw.mmuext_op(ops, wanted, whose));
        Ok(Got {
            done: Some(done),
            ..Got::returned(rc)
        })
    }

    /// The recorder says in words what it read.
    fn read(&self, setup: &str) -> Told<Got> {
        let slot = 300;
        let va = match setup {
            "shared_info tail qword" => self.window() + 0xff8,
            "va through the self-linear slot of the active L4, entry 300 as seen there" => {
                0xffff << 48 | slot << 39 | slot << 30 | slot << 21 | slot << 12 | slot << 3
            }
            "content through the remaining mapping" => self.names.address("E0")?,
            "content of the new page (scrubbed?)" => self.names.address("E0")?,
            other => return Err(format!("read what? {other}")),
        };
        let read = self.with(|raw| raw.load(va));
        let read = read.map_err(|_| format!("{va:#x} is not mapped"))?;
        Ok(Got::said(format!("raw:{read:#x}")))
    }

    /// Maps shared_info where the test looks at it.
    pub(crate) fn window(&self) -> u64 {
        let entry = self.names.mfn("SHARED_INFO") << 12 | 7;
        assert_eq!(self.with(|raw| raw.update_va_mapping(WINDOW, entry, 2)), 0);
        WINDOW
    }
}

impl Got {
    pub(crate) fn returned(rc: i64) -> Self {
        Self {
            rc: Some(rc),
            ..Self::default()
        }
    }

    pub(crate) fn said(text: String) -> Self {
        Self {
            text: Some(text),
            ..Self::default()
        }
    }
}
