//! Measuring: the same operation, protected and not, in turns.
//!
//! What is reported is a **ratio**: a contender's time an operation over that of the unprotected
//! operation in the batches just before and just after. Absolute nanoseconds move by half from run to
//! run, the ratio by a tenth.
//!
//! | module | idea |
//! |---|---|
//! | [`p2m`] | the table that is translated with |
//! | [`site`] | where an operation happens: a registered reader and its table |
//! | [`workload`], [`far`], [`busy`] | the loops, written once for every site |
//! | [`contender`], [`field`] | a scheme, ready to be run by any number of threads; and all that are compared |
//! | [`on_machine`], [`scripts`] | the same for operations on the simulated machine, and what is replayed |
//! | [`count`] | holds an operation, counted |
//! | [`team`] | threads, made once, pinned, and started together (by `wait`) |
//! | [`batch`] | one thread's part: work, time, time lost |
//! | `neighbours`, `fair` | batches that another process spoilt are repeated |
//! | [`beside`] | what stood beside a benchmark that is not interleaved |
//! | [`paired`] | rounds of interleaved batches |
//! | [`suspend`], `schedule`, [`watch`] | how long a suspend takes, and how long it stops a reader |
//! | [`rhythm`], `hot`, `pace` | readers that never pause, and readers that hold for a while, and pause |
//! | [`clocked`] | the barrier of a suspend, told from its drain |
//! | [`plan`], [`latency`] | what a whole run consists of, and which suspends |
//!
//! # Traps
//!
//! In a program that never suspends, the compiler may prove every gate open and delete the reader's
//! work. So a [`contender::Worker`] can always suspend too, through a `dyn` call that nobody sees
//! through, and every batch returns a checksum that must be the unprotected one's.

pub mod batch;
pub mod beside;
pub mod busy;
pub mod clocked;
pub mod contender;
pub mod count;
mod fair;
pub mod far;
pub mod field;
mod hot;
pub mod latency;
mod neighbours;
pub mod observe;
pub mod on_machine;
pub mod p2m;
mod pace;
pub mod paired;
pub mod place;
pub mod plan;
pub mod rhythm;
mod schedule;
pub mod scripts;
pub mod shuffle;
pub mod site;
pub mod suspend;
pub mod team;
mod wait;
pub mod watch;
pub mod workload;
