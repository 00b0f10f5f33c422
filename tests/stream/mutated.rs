//! Streams cut short and streams with octets changed: refused or read, never a panic.

use crate::streams::{recorded, records, small};
use ptom::xen::stream::Stream;

#[test]
fn every_truncation_is_refused() {
    for version in [2, 3] {
        let bytes = small(version);
        for end in 0..bytes.len() {
            let refused = Stream::read(&bytes[..end]).unwrap_err();
            assert!(refused.offset() <= end, "{refused}");
            let line = refused.to_string();
            assert!(line.contains("octets wanted: "), "{line}");
        }
    }
}

#[test]
fn a_real_stream_cut_anywhere_is_refused() {
    let bytes = recorded("rust16-1vcpu.libxc.xz");
    let mut random = seeded("cuts");
    let ends = (0..400).map(|_| random.usize(..bytes.len()));
    let edges = records(&bytes).into_iter().flat_map(|r| [r.at, r.body()]);
    for end in ends.chain(edges).filter(|end| *end < bytes.len()) {
        assert!(Stream::read(&bytes[..end]).is_err(), "cut at {end}");
    }
}

/// A generator whose seed is printed, and can be given again by `PTOM_SEED`.
fn seeded(what: &str) -> fastrand::Rng {
    let given = std::env::var("PTOM_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("{what}: PTOM_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// What was read must be a fixed point: written, it is read again as it was.
fn read_or_refuse(bytes: &[u8]) -> bool {
    let Ok(stream) = Stream::read(bytes) else {
        return false;
    };
    // Whether Xen would validate what is inside is another question; it must not panic either.
    let _ = stream.walk(stream.roots());
    let again = stream.write();
    let twice = Stream::read(&again).unwrap();
    assert!(twice.write() == again);
    assert_eq!(twice.state(), stream.state());
    true
}

#[test]
fn changed_octets_are_refused_or_read() {
    let mut random = seeded("octets");
    let original = small(3);
    let records = records(&original);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..30_000 {
        let mut bytes = original.clone();
        for _ in 0..random.usize(1..4) {
            // Half of them where they hurt: in headers and short bodies.
            let at = match random.bool() {
                true => random.usize(..bytes.len()),
                false => {
                    let record = random.choice(&records).unwrap();
                    record.at + random.usize(..8 + record.length.clamp(1, 72))
                }
            };
            let at = at.min(bytes.len() - 1);
            bytes[at] = match random.bool() {
                true => random.u8(..),
                false => bytes[at] ^ 1 << random.u8(..8),
            };
        }
        match read_or_refuse(&bytes) {
            true => read += 1,
            false => refused += 1,
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn shuffled_pieces_are_refused_or_read() {
    let mut random = seeded("pieces");
    let original = small(3);
    let records = records(&original);
    for _ in 0..3_000 {
        let mut bytes = original.clone();
        let [one, other] = [0, 1].map(|_| *random.choice(&records).unwrap());
        let piece = original[one.at..one.end()].to_vec();
        bytes.splice(other.at..other.at, piece);
        let at = random.usize(..bytes.len());
        let end = bytes.len().min(at + random.usize(..64));
        if random.bool() {
            bytes.drain(at..end);
        }
        read_or_refuse(&bytes);
    }
}
