//! Issuing what the recorder issued: a row becomes a call, and the call an answer.

use super::boot::{WINDOW, hex};
use super::replay::Replay;
use ptom::backend::Native;
use ptom::xen::Domid;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::{Raw, RawUpdate};
use ptom::xen::reservation::Reservation;
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
        other => panic!("{other}: no such command here"),
    }
}

fn domid(row: &Value) -> Domid {
    let setup = row["setup"].as_str().unwrap();
    match row["args"]["dom"].as_str() {
        Some("SELF") | None => Domid::SELF,
        Some("dom0") => Domid::DOM0,
        // The recorder says which in words.
        Some(_) => match setup.split_once("0x") {
            Some((_, number)) => Domid(hex(&format!("0x{number}")) as u16),
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
            "update_va_mapping" => {
                let va = self.names.va(args["va"].as_str().unwrap());
                let (val, flags) = (self.value(&args["val"]), args["flags"].as_u64().unwrap());
                let rc = self.with(|raw| raw.update_va_mapping(va, val, flags));
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
        let wanted = (row["setup"] != "done pointer = NULL").then_some(&mut done);
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
        let ops: Vec<_> = row["args"].as_array().unwrap().iter().map(op).collect();
        let mut done = UNTOUCHED;
        let rc = self.with(|raw| raw.mmuext_op(ops, Some(&mut done), Domid::SELF));
        Got {
            rc: Some(rc),
            done: Some(done),
            ..Got::default()
        }
    }

    fn memory_op(&mut self, row: &Value) -> Got {
        let args = &row["args"];
        let change = match args["sub"].as_str().unwrap() {
            "decrease_reservation" => Reservation::Decrease,
            "increase_reservation" => Reservation::Increase,
            "populate_physmap" => Reservation::Populate,
            other => panic!("{other}: no such operation here"),
        };
        let list = args["list"].as_array().unwrap();
        let before: Vec<u64> = list.iter().map(|name| self.value(name)).collect();
        let mut extents = before.clone();
        let order = args["order"].as_u64().unwrap() as u32;
        let rc = self.with(|raw| raw.change_reservation(change, order, &mut extents));
        if change == Reservation::Decrease && rc > 0 && !self.names.knows("FREED") {
            self.names.set("FREED", before[0]);
        }
        let recorded = row["after"]["list"].as_array().unwrap();
        for (at, (name, mfn)) in recorded.iter().zip(&extents).enumerate() {
            // A frame that Xen gave goes by two names: what it was before, and the at-th new one.
            // Which frame it gives is its own business.
            if name != "unchanged" {
                self.names.set(name.as_str().unwrap(), *mfn);
                self.names.set(&format!("NEW{at}"), *mfn);
            }
        }
        Got {
            rc: Some(rc),
            extents: Some((before, extents)),
            ..Got::default()
        }
    }

    /// Eight frames at a time, until Xen gives fewer.
    fn fill_reservation(&self) -> Got {
        let full = |raw: Raw<'_, Native>| {
            let mut extents = [0; 8];
            raw.change_reservation(Reservation::Increase, 0, &mut extents)
        };
        let rounds = (0..).map(|round| (round, self.with(full)));
        let (round, rc) = rounds.into_iter().find(|(_, rc)| *rc != 8).unwrap();
        Got {
            text: Some(format!("stopped in round {round} with rc {rc}")),
            ..Got::default()
        }
    }

    fn report_reservation(&self) -> Got {
        let pages = self.machine.guest().domain().pages() as i64;
        let text = self.with(|raw| {
            let (now, most) = (raw.current_reservation(), raw.maximum_reservation());
            let large = raw.maximum_ram_page() > 0x1_0000;
            let (now, most) = (now - pages, most - pages);
            format!("cur-nr_pages={now} max-nr_pages={most} max_page>0x10000={large}")
        });
        Got {
            text: Some(text),
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
