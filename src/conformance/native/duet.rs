//! Threads that do one short thing at the same time, over and over: what a litmus test needs.
//!
//! Before each round every thread says that it is there and waits for the others, without any
//! read-modify-write; then each lets a random, short time pass, so that all offsets occur. In half of
//! the rounds it fills its store buffer, so that its next store comes late.

use super::cold::Cold;
use super::plan::dwell;
use crate::platform::pinning::{self, Pinned};
use crate::primitive::Padded;
use fastrand::Rng;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::thread;

/// Turns that a thread polls for the others; later ones give the CPU away.
const POLLS: u32 = 4096;
/// A thread is late by less than so many turns of an empty loop.
const SKEW: u32 = 256;

/// What each thread of a round returned, by round.
pub(super) type Results = Vec<Vec<u64>>;

/// Runs every part `rounds` times, each in a thread on a CPU of its own; they share where there are too few.
/// A part is given the number of the round, from 1.
///
/// # Panics
/// If a part panics.
pub(super) fn play(rounds: u64, seed: u64, parts: &[&(dyn Fn(u64) -> u64 + Sync)]) -> Results {
    let cpus = pinning::allowed();
    // On one CPU nobody comes while we poll.
    let polls = if cpus.len() < 2 { 0 } else { POLLS };
    let there: Vec<Padded<AtomicU64>> = parts.iter().map(|_| Padded::default()).collect();
    let mut rng = Rng::with_seed(seed);
    thread::scope(|scope| {
        let threads = parts.iter().enumerate().map(|(me, part)| {
            let (cpus, there, mut rng) = (&cpus, &there, rng.fork());
            scope.spawn(move || {
                // Where it is refused, the control of each test says whether that matters.
                let _pinned = Pinned::new(me, cpus);
                // Written before the first round, or page faults would be its fences.
                let mut results = vec![u64::MAX; rounds as usize];
                let cold = Cold::new();
                for (round, result) in (1..).zip(&mut results) {
                    there[me].0.store(round, Release);
                    for other in there {
                        wait(&other.0, round, polls);
                    }
                    dwell(rng.u32(..SKEW));
                    if rng.bool() {
                        cold.fill(&mut rng);
                    }
                    *result = part(round);
                }
                results
            })
        });
        let threads: Vec<_> = threads.collect();
        let joined = threads.into_iter().map(|t| t.join());
        joined.map(|r| r.expect("a part panicked")).collect()
    })
}

fn wait(other: &AtomicU64, round: u64, polls: u32) {
    let mut turn = 0;
    while other.load(Acquire) < round {
        if turn < polls {
            turn += 1;
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_plays_every_round_and_nobody_runs_ahead() {
        let far = AtomicU64::new(0);
        let results = play(
            100,
            1,
            &[&|round| far.swap(round, Release), &|round| {
                round - far.load(Acquire)
            }],
        );
        assert_eq!(results[0], (0..100).collect::<Vec<u64>>());
        assert!(results[1].iter().all(|&behind| behind <= 1));
    }
}
