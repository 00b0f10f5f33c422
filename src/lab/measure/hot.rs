//! A reader that never pauses: one translation a hold, and the next hold at once.
//!
//! A clock read an operation would be most of what it does, so when it was last done before a suspend is
//! not stamped but counted: the operations since its last stamp, at the best speed that it had
//! between suspends, so that a stall is rather too long than too short. Where readers hold for
//! microseconds, and pause between, a clock read is nothing to that: see `pace`.

use super::site::Site;
use super::watch::{ASKED, END, EXCLUSIVE, RESUMING, STAGE, Watch};
use super::workload::{GOLDEN, SHIFT};
use std::hint::black_box;

/// How often it looks whether it starves a suspend: at every so many operations, less one.
const LOOK: u64 = 0xffff;

/// Holds, translates and lets go until the watch ends.
#[inline(never)]
pub(super) fn attend(site: &mut impl Site, watch: &Watch, reader: usize) {
    let (mut x, mut sum, mut seen, mut ops) = (0u64, 0u64, 0u64, 0u64);
    let mut overtook = false;
    let (mut stamp, mut pace) = (watch.now(), f64::INFINITY);
    loop {
        x = x.wrapping_add(GOLDEN);
        let phase = site.with(x >> SHIFT, |mfn| {
            sum = sum.wrapping_add(mfn.unwrap_or(0));
            watch.phase()
        });
        site.quiescent();
        ops += 1;
        if phase == seen {
            if ops & LOOK == 0 && phase & STAGE == ASKED {
                watch.give_way(site, phase, stamp);
            }
            continue;
        }
        seen = phase;
        if phase == END {
            break;
        }
        match phase & STAGE {
            ASKED => {
                let now = watch.now();
                pace = pace.min((now - stamp) as f64 / ops as f64);
                (stamp, ops, overtook) = (now, 0, false);
            }
            EXCLUSIVE => overtook = true,
            RESUMING => {
                let now = watch.now();
                // This operation is the first after; the ones before it took their usual time.
                let since = if pace.is_finite() {
                    (ops - 1) as f64 * pace
                } else {
                    0.0
                };
                let last = (stamp + since as u64).min(now);
                watch.reply(reader, phase >> 2, (last, now), overtook);
                (stamp, ops, overtook) = (now, 0, false);
            }
            _ => {}
        }
    }
    black_box(sum);
}
