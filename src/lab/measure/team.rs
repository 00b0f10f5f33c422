//! Threads, made once, pinned, and started together.
//!
//! The calling thread is worker 0 and leads; the others follow its orders, and between them spin,
//! then yield, so that a batch begins within a microsecond on all. Nothing shared is touched within a
//! batch but what the contender touches itself.
//!
//! `order` is the number of orders given so far: the leader raises it after writing `task`.
//! `arrived` and `finished` are raised by everybody once an order, so after the k-th they reach
//! k x threads. `broken` is set by a thread that leaves by panic, and ends every wait.

use super::batch::{Beat, Done, Last, disturb, part, timed};
use super::contender::{Contender, Worker};
use super::neighbours::Neighbours;
use super::observe::Halt;
use super::rhythm::Rhythm;
use super::wait::{Alarm, lock, wait_for};
use super::watch::Watch;
use crate::platform::pinning::Pinned;
use crate::primitive::Padded;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Release};
use std::thread;

/// An order.
#[derive(Clone, Copy, Debug)]
enum Task {
    Batch(Beat),
    Attend { contender: usize },
    Leave,
}

#[derive(Debug)]
struct Shared {
    order: Padded<AtomicU64>,
    arrived: Padded<AtomicU64>,
    finished: Padded<AtomicU64>,
    broken: AtomicBool,
    task: Mutex<Task>,
    done: Mutex<Done>,
    watch: Watch,
    threads: u64,
}

/// The leader's handle.
pub struct Team<'t> {
    shared: &'t Shared,
    workers: Vec<Box<dyn Worker + 't>>,
    neighbours: Neighbours,
    orders: u64,
}

impl std::fmt::Debug for Team<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Team").field("shared", self.shared).finish()
    }
}

/// Runs `lead` with `threads` threads, each with a worker of every contender. Tells `lead` whether
/// all of them are pinned.
///
/// # Errors
/// [`Halt::Broken`] when a contender has too few reader slots, or a thread panicked; else what `lead`
/// returns.
pub fn with_team<T>(
    contenders: &[&dyn Contender],
    threads: usize,
    cpus: &[usize],
    lead: impl FnOnce(&mut Team<'_>, bool) -> Result<T, Halt>,
) -> Result<T, Halt> {
    let shared = &Shared {
        order: Padded::default(),
        arrived: Padded::default(),
        finished: Padded::default(),
        broken: AtomicBool::new(false),
        task: Mutex::new(Task::Leave),
        done: Mutex::new(Done::default()),
        watch: Watch::new(threads.saturating_sub(1)),
        threads: threads as u64,
    };
    thread::scope(|scope| {
        let followers: Vec<_> = (1..threads)
            .map(|index| scope.spawn(move || shared.follow(contenders, index, cpus)))
            .collect();
        let pinned = Pinned::new(0, cpus);
        let led = workers(contenders).and_then(|workers| {
            let mut team = Team {
                shared,
                workers,
                neighbours: Neighbours::of_this_thread(),
                orders: 0,
            };
            lead(&mut team, pinned.is_pinned())
        });
        if led.is_err() {
            shared.broken.store(true, Release);
        }
        // Every handle is joined first, so that the scope has no panic left to pass on.
        let joined: Vec<_> = followers
            .into_iter()
            .map(|follower| follower.join())
            .collect();
        let alive = joined.iter().all(|one| matches!(one, Ok(Ok(()))));
        match led {
            Ok(_) if !alive => Err(Halt::Broken),
            led => led,
        }
    })
}

fn workers<'c>(contenders: &[&'c dyn Contender]) -> Result<Vec<Box<dyn Worker + 'c>>, Halt> {
    let workers = contenders.iter().map(|contender| contender.worker());
    workers.collect::<Result<_, _>>().map_err(|_| Halt::Broken)
}

impl Team<'_> {
    /// All threads run a contender, the last perhaps not, until the time is over.
    ///
    /// # Errors
    /// [`Halt::Broken`] when a thread is gone.
    pub fn batch(&mut self, beat: Beat) -> Result<Done, Halt> {
        self.order(Task::Batch(beat))?;
        let worker = self.workers[beat.contender].as_mut();
        let mine = part(&self.neighbours, worker, &beat);
        self.finish(mine)
    }

    /// One chunk of a contender on this thread alone: its checksum.
    pub fn checksum(&mut self, contender: usize, chunk: u64) -> u64 {
        self.workers[contender].batch(chunk)
    }

    /// The other threads hold, in that rhythm, until `suspender`, on this one, is done. Also says
    /// how much time that took, and what of it was lost.
    ///
    /// # Errors
    /// [`Halt::Broken`] when a thread is gone.
    pub fn attend<T>(
        &mut self,
        contender: usize,
        rhythm: Rhythm,
        suspender: impl FnOnce(&mut dyn Worker, &Watch) -> T,
    ) -> Result<(T, Done), Halt> {
        let shared = self.shared;
        shared.watch.begin(rhythm);
        self.order(Task::Attend { contender })?;
        let worker = self.workers[contender].as_mut();
        let mut result = None;
        let mine = timed(&self.neighbours, || {
            result = Some(suspender(worker, &shared.watch));
            shared.watch.end();
            Done::default()
        });
        let done = self.finish(mine)?;
        result.map(|result| (result, done)).ok_or(Halt::Broken)
    }

    fn order(&mut self, task: Task) -> Result<(), Halt> {
        self.orders += 1;
        *lock(&self.shared.task) = task;
        *lock(&self.shared.done) = Done::default();
        self.shared.order.0.store(self.orders, Release);
        self.shared.meet(&self.shared.arrived.0, self.orders)
    }

    fn finish(&self, mine: Done) -> Result<Done, Halt> {
        self.shared.add(mine);
        self.shared.meet(&self.shared.finished.0, self.orders)?;
        Ok(*lock(&self.shared.done))
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.broken.store(true, Release);
        }
        // Whoever is gone already need not arrive.
        let _ = self.order(Task::Leave);
    }
}

impl Shared {
    fn follow(
        &self,
        contenders: &[&dyn Contender],
        index: usize,
        cpus: &[usize],
    ) -> Result<(), Halt> {
        let _alarm = Alarm::new(&self.broken);
        let _pinned = Pinned::new(index, cpus);
        let neighbours = Neighbours::of_this_thread();
        let mut workers = workers(contenders).inspect_err(|_| self.broken.store(true, Release))?;
        for orders in 1.. {
            wait_for(&self.order.0, orders, &self.broken)?;
            let task = *lock(&self.task);
            self.meet(&self.arrived.0, orders)?;
            let last = index as u64 + 1 == self.threads;
            let done = match task {
                Task::Batch(beat) => {
                    let worker = workers[beat.contender].as_mut();
                    match beat.last {
                        Last::Suspends(every) if last => disturb(worker, every, beat.time),
                        Last::Idles if last => Done::default(),
                        _ => part(&neighbours, worker, &beat),
                    }
                }
                Task::Attend { contender } => timed(&neighbours, || {
                    workers[contender].attend(&self.watch, index - 1);
                    Done::default()
                }),
                Task::Leave => break,
            };
            self.add(done);
            self.meet(&self.finished.0, orders)?;
        }
        Ok(())
    }

    /// Counts this thread, and waits for the others.
    fn meet(&self, count: &AtomicU64, orders: u64) -> Result<(), Halt> {
        count.fetch_add(1, Release);
        wait_for(count, orders * self.threads, &self.broken)
    }

    fn add(&self, part: Done) {
        lock(&self.done).add(part);
    }
}

#[cfg(test)]
mod tests;
