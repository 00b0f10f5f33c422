//! start_info and shared_info across a suspend: which words the restorer keeps.

use super::boot::{WINDOW, hex, machine};
use super::read;
use super::replay::Replay;
use ptom::xen::Pfn;
use serde_json::Value;
use std::sync::atomic::Ordering::Relaxed;

/// The rows about one page: where in it, what was there before and after, and what became of it.
fn words(rows: &[Value], page: &str) -> Vec<(u64, u64, u64, String)> {
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str();
        let place = text("place")?.strip_prefix(page)?.strip_prefix('+')?;
        let offset = hex(place.split(' ').next().unwrap());
        let before = text("before").or(text("before(at the hypercall)")).unwrap();
        let after = hex(text("after").unwrap());
        Some((
            offset,
            hex(before),
            after,
            text("class").unwrap().to_owned(),
        ))
    };
    rows.iter().filter_map(row).collect()
}

#[test]
fn shared_info_as_it_comes_back() {
    let (run, rows) = read("vectors-tf.jsonl");
    assert_eq!(rows.len(), 90);
    let machine = machine(&run);
    let mut guest = Replay::new(&machine, &run);
    let words = words(&rows, "shared_info");
    let entry = guest.val("SHARED_INFO|0x7");
    assert_eq!(guest.with(|raw| raw.update_va_mapping(WINDOW, entry, 0)), 0);
    for (offset, before, _, _) in &words {
        guest
            .with(|raw| raw.store(WINDOW + offset, 8, *before))
            .unwrap();
    }
    let masks = |guest: &Replay<'_>| {
        let mask = |word: u64| {
            guest
                .with(|raw| raw.load(WINDOW + 0xa00 + word * 8))
                .unwrap()
        };
        (0..64).map(mask).collect::<Vec<_>>()
    };
    let masked = masks(&guest);
    assert_eq!(guest.suspend(), Ok(0));
    guest.window();
    let mut compared = 0;
    // Xen goes on writing the time: what changed says nothing of the restorer.
    for (offset, _, after, _) in words.iter().filter(|word| word.3 != "changed") {
        let found = guest.with(|raw| raw.load(WINDOW + offset)).unwrap();
        assert_eq!(found, *after, "shared_info+{offset:#x}");
        compared += 1;
    }
    let all_ones = masked.iter().zip(masks(&guest));
    let newly = all_ones.filter(|(before, after)| **before == 0 && *after == u64::MAX);
    let recorded = rows.iter().find_map(|row| row["count"].as_u64());
    assert_eq!((newly.count() as u64, compared), (recorded.unwrap(), 47));
}

#[test]
fn start_info_as_it_comes_back() {
    let (run, rows) = read("vectors-tf.jsonl");
    let machine = machine(&run);
    let mut guest = Replay::new(&machine, &run);
    let info = machine.guest().domain().start_info();
    let shared_info = guest.names.mfn("SHARED_INFO");
    let rings = || info.rings().map(|ring| ring.load(Relaxed));
    let before = rings();
    assert_eq!(guest.suspend(), Ok(0));
    // Recorded: PFNs at the call, MFNs after it, of the new machine.
    let words = words(&rows, "start_info");
    let class = |at| words.iter().find(|word| word.0 == at).unwrap().3.as_str();
    assert_eq!([0x28, 0x38, 0x48].map(class), ["changed"; 3]);
    assert_ne!(guest.names.mfn("SHARED_INFO"), shared_info);
    let now = [1, 2].map(|pfn| guest.p2m(Pfn(pfn)).unwrap());
    assert_eq!(rings(), now);
    assert_ne!(before, now);
}
