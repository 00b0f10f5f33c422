//! Random damage to a real trace: an error or a legal script, never a panic.

use std::io::Read;
use std::string::String;
use std::vec::Vec;

use lzma_rust2::XzReader;

use super::interpreter::check;
use super::load_bytes;
use crate::lab::trace::EMBEDDED;

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let wide = u128::from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)) * limit as u128;
        (wide >> 64) as usize
    }
}

/// A piece of the embedded trace, from a random line on.
fn piece(text: &str, random: &mut Random) -> Vec<String> {
    let from = random.below(6_000);
    text.lines()
        .skip(from)
        .take(3_000)
        .map(|line| std::format!("{line}\n"))
        .collect()
}

fn text() -> String {
    let mut text = String::new();
    XzReader::new(EMBEDDED.1, false)
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn lines_lost_doubled_and_swapped() {
    let (text, mut random) = (text(), Random(0x5eed));
    for _ in 0..60 {
        let mut lines = piece(&text, &mut random);
        for _ in 0..300 {
            let (a, b) = (random.below(lines.len()), random.below(lines.len()));
            match random.below(3) {
                0 => drop(lines.remove(a)),
                1 => lines.swap(a, b),
                _ => lines.insert(a, lines[b].clone()),
            }
        }
        check(&load_bytes(lines.concat()).expect("still a trace"));
    }
}

#[test]
fn bytes_changed() {
    let (text, mut random) = (text(), Random(0xbad));
    const BYTES: &[u8] = b"0123456789abcdef/:.()[]@ -rwxps\n\0\xff";
    let (mut refused, mut taken) = (0, 0);
    for round in 0..250 {
        let mut bytes = piece(&text, &mut random).concat().into_bytes();
        for _ in 0..300 {
            let at = random.below(bytes.len());
            // Mostly bytes that leave a text a text.
            let choices = if round % 5 == 0 {
                BYTES.len()
            } else {
                BYTES.len() - 2
            };
            bytes[at] = BYTES[random.below(choices)];
        }
        match load_bytes(bytes) {
            Ok(script) => {
                taken += 1;
                check(&script);
            }
            Err(error) => {
                refused += 1;
                assert!(!std::format!("{error}").contains('\n'));
            }
        }
    }
    assert!(
        refused > 20 && taken > 100,
        "{refused} refused, {taken} taken"
    );
}

#[test]
fn packed_bytes_changed() {
    let mut random = Random(0xdead);
    for _ in 0..40 {
        let mut bytes = EMBEDDED.1.to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        assert!(load_bytes(bytes).is_err(), "a check must catch this");
    }
}
