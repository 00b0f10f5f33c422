//! Issuing what the recorder issued: a row becomes a call, and the call an answer.

use super::boot::WINDOW;
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

fn number(text: &str) -> u32 {
    match text {
        "PIN_L1_TABLE" => 0,
        "PIN_L2_TABLE" => 1,
        "PIN_L3_TABLE" => 2,
        "PIN_L4_TABLE" => 3,
        "UNPIN_TABLE" => 4,
        "NEW_BASEPTR" => 5,
        "TLB_FLUSH_LOCAL" => 6,
        "INVLPG_LOCAL" => 7,
        "TLB_FLUSH_MULTI" => 8,
        "INVLPG_MULTI" => 9,
        "TLB_FLUSH_ALL" => 10,
        "INVLPG_ALL" => 11,
        "FLUSH_CACHE" => 12,
        "SET_LDT" => 13,
        "NEW_USER_BASEPTR" => 15,
        "CLEAR_PAGE" => 16,
        "COPY_PAGE" => 17,
        "FLUSH_CACHE_GLOBAL" => 18,
        "MARK_SUPER" => 19,
        "UNMARK_SUPER" => 20,
        other => other.parse().expect("a command, or the number of none"),
    }
}

/// Whose frames a row is about. What is neither the guest itself nor dom0 has a number, or the recorder
/// says in words who it is.
fn domid(row: &Value) -> Domid {
    let setup = row["setup"].as_str().unwrap();
    let number = |text: &str| {
        let digits = text.split_once("0x")?.1;
        let end = digits.find(|c: char| !c.is_ascii_hexdigit());
        u16::from_str_radix(&digits[..end.unwrap_or(digits.len())], 16).ok()
    };
    match row["args"]["dom"].as_str() {
        Some("SELF") | None => Domid::SELF,
        Some("dom0") => Domid::DOM0,
        Some(dom) => match number(dom).or(number(setup)) {
            Some(number) => Domid(number),
            None if setup == "DOMID_INVALID" => Domid(0x7ff4),
            None => Domid(1234),
        },
    }
}

impl Replay<'_> {
    /// Makes a row's call.
    pub(crate) fn issue(&mut self, row: &Value) -> Got {
        let args = &row["args"];
        let setup = row["setup"].as_str().unwrap();
        match row["op"].as_str().unwrap() {
            "mmu_update" => self.mmu_update(row),
            "mmuext_op" => self.mmuext_op(row),
            "update_va_mapping" | "update_va_mapping_otherdomain" => {
                let va = self.names.va(args["va"].as_str().unwrap());
                let (val, flags) = (self.value(&args["val"]), args["flags"].as_u64().unwrap());
                let rc = self.with(|raw| match args["dom"].as_str() {
                    None => raw.update_va_mapping(va, val, flags),
                    Some(_) => raw.update_va_mapping_otherdomain(va, val, flags, domid(row)),
                });
                Got {
                    rc: Some(rc),
                    ..Got::default()
                }
            }
            "guest_write" => {
                let va = self.names.va(args["va"].as_str().unwrap());
                let val = self.value(&args["val"]);
                let bytes = args["bytes"].as_u64().unwrap_or(8) as u32;
                let stored = self.with(|raw| raw.store(va, bytes, val));
                // A store has no count: the recorder's "not written" for it is the same.
                let rc = Some(if stored.is_ok() { 0 } else { EFAULT });
                Got {
                    rc,
                    done: Some(UNTOUCHED),
                    ..Got::default()
                }
            }
            "vm_assist" => {
                let mut words = setup.split(['(', ')']).filter_map(|w| w.parse().ok());
                let (command, kind) = (words.next().unwrap(), words.next().unwrap());
                let rc = self.with(|raw| raw.vm_assist(command, kind));
                Got {
                    rc: Some(rc),
                    ..Got::default()
                }
            }
            "memory_op" if args.is_null() => self.report_reservation(),
            "memory_op" => self.memory_op(row),
            "memory_exchange" => self.exchange(row),
            "increase_reservation x8 repeated" => self.fill_reservation(),
            "read" => self.read(setup),
            "read_m2p" => Got::default(),
            other => panic!("{other}: no such operation here"),
        }
    }

    fn mmu_update(&self, row: &Value) -> Got {
        let request = |req: &Value| {
            Some(RawUpdate {
                ptr: self.names.maddr(req["ptr"].as_str().unwrap()) + req["cmd"].as_u64().unwrap(),
                val: self.value(&req["val"]),
            })
        };
        let requests = match row["args"]["req"].as_array() {
            Some(list) => list.iter().map(request).collect(),
            None => vec![None],
        };
        let mut done = UNTOUCHED;
        let wanted = (row["setup"] != NO_DONE).then_some(&mut done);
        let rc = self.with(|raw| raw.mmu_update(requests, wanted, domid(row)));
        Got {
            rc: Some(rc),
            done: Some(done),
            ..Got::default()
        }
    }

    fn mmuext_op(&self, row: &Value) -> Got {
        let op = |op: &Value| {
            let arg = |name: &str| op[name].as_str().map_or(0, |_| self.value(&op[name]));
            Some(MmuextOp {
                command: number(op["cmd"].as_str().unwrap()),
                arg1: arg("arg1"),
                arg2: arg("arg2"),
            })
        };
        let ops = match row["args"].as_array().or(row["args"]["op"].as_array()) {
            Some(list) => list.iter().map(op).collect(),
            None => vec![None],
        };
        let mut done = UNTOUCHED;
        let wanted = (row["setup"] != NO_DONE).then_some(&mut done);
        let rc = self.with(|raw| raw.mmuext_op(ops, wanted, domid(row)));
        Got {
            rc: Some(rc),
            done: Some(done),
            ..Got::default()
        }
    }

    /// The recorder says in words what it read.
    fn read(&self, setup: &str) -> Got {
        let slot = 300;
        let va = match setup {
            "shared_info tail qword" => self.window() + 0xff8,
            "va through the self-linear slot of the active L4, entry 300 as seen there" => {
                0xffff << 48 | slot << 39 | slot << 30 | slot << 21 | slot << 12 | slot << 3
            }
            "content through the remaining mapping" => self.names.va("E0"),
            "content of the new page (scrubbed?)" => self.names.va("E0"),
            other => panic!("{other}: nothing to read here"),
        };
        let read = self.with(|raw| raw.load(va)).unwrap();
        Got {
            text: Some(format!("raw:{read:#x}")),
            ..Got::default()
        }
    }

    /// Maps shared_info where the test looks at it.
    pub(crate) fn window(&self) -> u64 {
        let entry = self.names.mfn("SHARED_INFO") << 12 | 1;
        assert_eq!(self.with(|raw| raw.update_va_mapping(WINDOW, entry, 0)), 0);
        WINDOW
    }
}
