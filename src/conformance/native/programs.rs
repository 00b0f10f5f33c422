//! The litmus tests' own programs: each returns how often the outcome in question was seen.

use super::duet::play;
use crate::backend::{Atomic, Backend};
use crate::primitive::Padded;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Two words on lines of their own. A round's "1" is its number, and anything less is "0".
struct Pair<B: Backend> {
    x: Padded<B::U64>,
    y: Padded<B::U64>,
}

impl<B: Backend> Pair<B> {
    fn new() -> Self {
        let word = || Padded(B::U64::new(0));
        Self {
            x: word(),
            y: word(),
        }
    }
}

/// Store buffering: how often both threads missed the other's store.
pub(super) fn store_buffer<B: Backend>(
    rounds: u64,
    seed: u64,
    left: &(dyn Fn() + Sync),
    right: &(dyn Fn() + Sync),
) -> u64 {
    let pair = Pair::<B>::new();
    let part = |mine: &B::U64, other: &B::U64, fence: &(dyn Fn() + Sync), round| {
        mine.store(round, Relaxed);
        fence();
        other.load(Relaxed)
    };
    let results = play(
        rounds,
        seed,
        &[&|round| part(&pair.x.0, &pair.y.0, left, round), &|round| {
            part(&pair.y.0, &pair.x.0, right, round)
        }],
    );
    let rounds = (1..).zip(results[0].iter().zip(&results[1]));
    let old = |&(round, (&y, &x)): &(u64, (&u64, &u64))| y < round && x < round;
    rounds.filter(old).count() as u64
}

/// Message passing: how often the flag came without the payload.
pub(super) fn message<B: Backend>(rounds: u64, seed: u64) -> u64 {
    let pair = Pair::<B>::new();
    let results = play(
        rounds,
        seed,
        &[
            &|round| {
                pair.x.0.store(round, Relaxed);
                pair.y.0.store(round, Release);
                0
            },
            &|round| {
                let flag = pair.y.0.load(Acquire);
                let payload = pair.x.0.load(Relaxed);
                u64::from(flag == round && payload < round)
            },
        ],
    );
    results[1].iter().sum()
}

/// Independent reads of independent writes: how often the readers disagreed.
pub(super) fn readers<B: Backend>(rounds: u64, seed: u64) -> u64 {
    let pair = Pair::<B>::new();
    let write = |word: &B::U64, round| {
        word.store(round, Release);
        0
    };
    // 1 if the first was seen, and the second was not yet.
    let read = |first: &B::U64, second: &B::U64, round| {
        let first = first.load(Acquire);
        u64::from(first == round && second.load(Acquire) < round)
    };
    let results = play(
        rounds,
        seed,
        &[
            &|round| write(&pair.x.0, round),
            &|round| write(&pair.y.0, round),
            &|round| read(&pair.x.0, &pair.y.0, round),
            &|round| read(&pair.y.0, &pair.x.0, round),
        ],
    );
    let both = results[2].iter().zip(&results[3]);
    both.filter(|&(&a, &b)| a + b == 2).count() as u64
}
