//! Issuing the calls that change the guest's reservation.

use super::issue::Got;
use super::names::{Told, count, list, text};
use super::replay::Replay;
use ptom::backend::Native;
use ptom::xen::exchange::Exchange;
use ptom::xen::raw::Raw;
use ptom::xen::reservation::Reservation;
use serde_json::Value;

impl Replay<'_> {
    pub(crate) fn memory_op(&mut self, row: &Value) -> Told<Got> {
        let args = &row["args"];
        let change = match text(args, "sub")? {
            "decrease_reservation" => Reservation::Decrease,
            "increase_reservation" => Reservation::Increase,
            "populate_physmap" => Reservation::Populate,
            other => return Err(format!("{other} is no operation here")),
        };
        let before = self.words(args, "list")?;
        let mut extents = before.clone();
        let order = count(args, "order")? as u32;
        let rc = self.with(|raw| raw.change_reservation(change, order, &mut extents));
        if change == Reservation::Decrease && rc > 0 && !self.names.knows("FREED") {
            self.names.set("FREED", before[0]);
        }
        let recorded = list(&row["after"], "list")?;
        for (at, (name, mfn)) in recorded.iter().zip(&extents).enumerate() {
            // A frame that Xen gave goes by two names: what it was before, and the at-th new one.
            // Which frame it gives is its own business.
            if name != "unchanged" {
                let name = name.as_str().ok_or("a frame without a name")?;
                self.names.set(name, *mfn);
                self.names.set(&format!("NEW{at}"), *mfn);
            }
        }
        Ok(Got {
            extents: Some((before, extents)),
            ..Got::returned(rc)
        })
    }

    /// A list of values.
    fn words(&self, args: &Value, field: &str) -> Told<Vec<u64>> {
        list(args, field)?
            .iter()
            .map(|value| self.word(value))
            .collect()
    }

    pub(crate) fn exchange(&mut self, row: &Value) -> Told<Got> {
        let args = &row["args"];
        let (given, mut wanted) = (self.words(args, "in")?, self.words(args, "out")?);
        let mut exchange = Exchange {
            given: &given,
            given_order: count(args, "in_order")? as u32,
            wanted: &mut wanted,
            wanted_order: count(args, "out_order")? as u32,
            done: count(args, "nr_exchanged")? as usize,
        };
        let rc = self.with(|raw| raw.exchange(&mut exchange));
        let done = exchange.done as u32;
        for (at, mfn) in wanted.iter().enumerate() {
            self.names.set(&format!("NEW{at}"), *mfn);
        }
        Ok(Got {
            done: Some(done),
            ..Got::returned(rc)
        })
    }

    /// Eight frames at a time, until Xen gives fewer.
    pub(crate) fn fill_reservation(&self) -> Told<Got> {
        let full = |raw: Raw<'_, Native>| {
            let mut extents = [0; 8];
            raw.change_reservation(Reservation::Increase, 0, &mut extents)
        };
        let rounds = (0..0x1_0000).map(|round| (round, self.with(full)));
        let last = rounds.into_iter().find(|(_, rc)| *rc != 8);
        let (round, rc) = last.ok_or("no limit")?;
        Ok(Got::said(format!("stopped in round {round} with rc {rc}")))
    }

    pub(crate) fn report_reservation(&self) -> Got {
        let pages = self.machine.guest().domain().pages() as i64;
        let text = self.with(|raw| {
            let (now, most) = (raw.current_reservation(), raw.maximum_reservation());
            let large = raw.maximum_ram_page() > 0x1_0000;
            let (now, most) = (now - pages, most - pages);
            format!("cur-nr_pages={now} max-nr_pages={most} max_page>0x10000={large}")
        });
        Got::said(text)
    }
}
