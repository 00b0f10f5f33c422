//! Issuing the calls that change the guest's reservation.

use super::issue::Got;
use super::replay::Replay;
use ptom::backend::Native;
use ptom::xen::exchange::Exchange;
use ptom::xen::raw::Raw;
use ptom::xen::reservation::Reservation;
use serde_json::Value;

impl Replay<'_> {
    pub(crate) fn memory_op(&mut self, row: &Value) -> Got {
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

    pub(crate) fn exchange(&mut self, row: &Value) -> Got {
        let args = &row["args"];
        let numbers = |name: &str| -> Vec<u64> {
            let list = args[name].as_array().unwrap();
            list.iter().map(|value| self.value(value)).collect()
        };
        let number = |name: &str| args[name].as_u64().unwrap();
        let (given, mut wanted) = (numbers("in"), numbers("out"));
        let mut exchange = Exchange {
            given: &given,
            given_order: number("in_order") as u32,
            wanted: &mut wanted,
            wanted_order: number("out_order") as u32,
            done: number("nr_exchanged") as usize,
        };
        let rc = self.with(|raw| raw.exchange(&mut exchange));
        let done = exchange.done as u32;
        for (at, mfn) in wanted.iter().enumerate() {
            self.names.set(&format!("NEW{at}"), *mfn);
        }
        Got {
            rc: Some(rc),
            done: Some(done),
            ..Got::default()
        }
    }

    /// Eight frames at a time, until Xen gives fewer.
    pub(crate) fn fill_reservation(&self) -> Got {
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

    pub(crate) fn report_reservation(&self) -> Got {
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
}
