//! A schedule as shuttle's `ReplayScheduler` reads it: hexadecimal, on one line.
//!
//! shuttle writes this form itself, but only to the terminal or to a file; and it reads it, but panics
//! at what is none, and takes as much memory as the text says it needs. A magic byte; three
//! variable-length numbers: bits of a task's number, choices, seed; then the choices, packed from the
//! lowest bit of each byte up: a 0 and the task's number, or a 1 for a random number drawn.

/// shuttle's second version.
const MAGIC: u8 = 0x91;

/// Seed and choices: `None` is a random number drawn.
pub(super) fn schedule(seed: u64, choices: &[Option<usize>]) -> String {
    let most = choices.iter().flatten().max().copied().unwrap_or(0);
    let width = (usize::BITS - most.leading_zeros()).max(1);
    let mut bytes = vec![MAGIC];
    for number in [u64::from(width), choices.len() as u64, seed] {
        push_number(&mut bytes, number);
    }
    let mut bits = Bits { bytes, used: 8 };
    for choice in choices {
        bits.push(choice.is_none());
        for bit in 0..choice.map_or(0, |_| width) {
            bits.push(choice.unwrap_or(0) >> bit & 1 == 1);
        }
    }
    bits.bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Seed and choices of a text; `None` if it is no schedule.
pub(super) fn parse(text: &str) -> Option<(u64, Vec<Option<usize>>)> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0)?;
    let mut bytes = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]);
    (bytes.next()? == MAGIC).then_some(())?;
    let width = take_number(&mut bytes)?;
    let count = take_number(&mut bytes)?;
    let seed = take_number(&mut bytes)?;
    (1..=16).contains(&width).then_some(())?;
    let bits: Vec<bool> = bytes
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
        .collect();
    let mut bits = bits.into_iter();
    let mut choices = Vec::new();
    for _ in 0..count {
        // Whatever the count claims, this ends with the text.
        choices.push(match bits.next()? {
            true => None,
            false => {
                let mut task = 0;
                for bit in 0..width {
                    task |= usize::from(bits.next()?) << bit;
                }
                Some(task)
            }
        });
    }
    Some((seed, choices))
}

fn take_number(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken.
    used: u32,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.used == 8 {
            self.bytes.push(0);
            self.used = 0;
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.used;
        }
        self.used += 1;
    }
}
