//! A reader whose holds last, and that pauses between them, stamped exactly.
//!
//! Its holds take microseconds, so a clock read at each end costs little beside them. A suspend finds
//! it in a hold, waiting for one, or in a pause. If it had to wait, its stall is from when it wanted
//! the hold to when it had it; if not, the suspend has not stopped it at all, and both of its times
//! are zero.

use super::rhythm::Rhythm;
use super::site::Site;
use super::watch::{ASKED, END, RESUMING, STAGE, Watch};
use super::workload::{GOLDEN, SHIFT};
use std::hint::{black_box, spin_loop};

/// Holds and pauses until the watch ends.
#[inline(never)]
pub(super) fn attend(site: &mut impl Site, watch: &Watch, reader: usize, rhythm: Rhythm) {
    let (hold, gap) = (
        rhythm.hold.as_nanos() as u64,
        rhythm.pause().as_nanos() as u64,
    );
    let (mut x, mut sum, mut replied) = (0u64, 0u64, 0u64);
    let (mut asked, mut since) = (0u64, 0u64);
    loop {
        let next = watch.now() + gap;
        let wanted = loop {
            let phase = watch.phase();
            site.quiescent();
            let now = watch.now();
            match phase & STAGE {
                _ if phase == END => {
                    black_box(sum);
                    return;
                }
                RESUMING if phase >> 2 > replied => {
                    replied = phase >> 2;
                    watch.reply(reader, replied, (0, 0), true);
                }
                ASKED if phase != asked => (asked, since) = (phase, now),
                ASKED => watch.give_way(site, phase, since),
                _ => {}
            }
            if now >= next {
                break now;
            }
            spin_loop();
        };
        x = x.wrapping_add(GOLDEN);
        let (had, phase) = site.with(x >> SHIFT, |mfn| {
            sum = sum.wrapping_add(mfn.unwrap_or(0));
            let had = watch.now();
            let phase = watch.phase();
            while watch.now() < had + hold {
                spin_loop();
            }
            (had, phase)
        });
        // Before the hold it was not yet over.
        if phase != END && phase & STAGE == RESUMING && phase >> 2 > replied {
            replied = phase >> 2;
            watch.reply(reader, replied, (wanted, had), true);
        }
    }
}
