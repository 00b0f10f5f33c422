//! Peers in C: liburcu, Concurrency Kit and glibc, with their loops in C (feature `c-peers`).
//!
//! Readers of those libraries are inline functions of their headers, so a loop in Rust would pay a
//! call a read, and measure that. The loops here are C, once more the same (`peer.h`), with the
//! same checksum; `c_raw` is the loop alone, so that the compiler's part shows. What a peer is called
//! and gives is known to every build, so that rows can be read without the feature.
//!
//! liburcu is LGPL-2.1 (its inline functions may be compiled into anything), Concurrency Kit is BSD:
//! both are linked as shared libraries, and with the feature only.

use super::{Gives, Make, Peer};

#[cfg(feature = "c-peers")]
pub mod ffi;

#[cfg(feature = "c-peers")]
const MAKE: Option<Make> = Some(ffi::make);
#[cfg(not(feature = "c-peers"))]
const MAKE: Option<Make> = None;

const fn peer(
    name: &'static str,
    precedent: &'static str,
    gives: Gives,
    nests: bool,
    lacks: &'static str,
) -> Peer {
    Peer {
        name,
        precedent,
        gives,
        nests,
        lacks,
        optional: true,
        since: 1,
        make: MAKE,
    }
}

const GRACE: Gives = Gives::GracePeriod;
const HOLD: Gives = Gives::Hold;

/// The loop alone.
pub const RAW: Peer = peer(
    "c_raw",
    "the loop in C, unprotected",
    Gives::Nothing,
    true,
    "all: it shows what the C compiler makes of the loop",
);

/// liburcu on membarrier.
pub const MEMB: Peer = peer(
    "urcu_memb",
    "liburcu-memb, rcu_read_lock inline",
    GRACE,
    true,
    "two phases of membarrier and waiting; threads register",
);

/// liburcu with full barriers.
pub const MB: Peer = peer(
    "urcu_mb",
    "liburcu-mb, rcu_read_lock inline",
    GRACE,
    true,
    "full barriers in every reader; threads register",
);

/// liburcu with quiescent states.
pub const QSBR: Peer = peer(
    "urcu_qsbr",
    "liburcu-qsbr, a quiescent state once in 1,024 reads, offline between batches",
    GRACE,
    true,
    "waits for every thread to say that it holds nothing",
);

/// liburcu that registers threads by itself.
pub const BP: Peer = peer(
    "urcu_bp",
    "liburcu-bp, rcu_read_lock inline",
    GRACE,
    true,
    "the suspender sleeps 10 ms once it has to wait",
);

/// Concurrency Kit's big-reader lock.
pub const BRLOCK: Peer = peer(
    "ck_brlock",
    "Concurrency Kit ck_brlock",
    HOLD,
    true,
    "waits by spinning, on both sides, for as long as a suspend takes",
);

/// Concurrency Kit's bytelock.
pub const BYTELOCK: Peer = peer(
    "ck_bytelock",
    "Concurrency Kit ck_bytelock, a slot a worker",
    HOLD,
    false,
    "waits by spinning; readers share one line; 56 slots",
);

/// Concurrency Kit's readers/writer lock.
pub const RWLOCK: Peer = peer(
    "ck_rwlock",
    "Concurrency Kit ck_rwlock",
    HOLD,
    false,
    "waits by spinning; readers share one word",
);

/// Concurrency Kit's phase-fair lock.
pub const PFLOCK: Peer = peer(
    "ck_pflock",
    "Concurrency Kit ck_pflock",
    HOLD,
    false,
    "waits by spinning; readers share one word",
);

/// Concurrency Kit's epochs.
pub const EPOCH: Peer = peer(
    "ck_epoch",
    "Concurrency Kit ck_epoch, ck_epoch_synchronize",
    GRACE,
    true,
    "waits by spinning; threads register",
);

/// Concurrency Kit's sequence.
pub const SEQUENCE: Peer = peer(
    "ck_sequence",
    "Concurrency Kit ck_sequence",
    Gives::Snapshot,
    false,
    "nothing is held; readers spin while a suspend lasts",
);

/// glibc's readers/writer lock as it comes.
pub const PTHREAD: Peer = peer(
    "pthread_rwlock",
    "glibc pthread_rwlock, default kind",
    HOLD,
    true,
    "readers that overlap keep the suspender out",
);

/// glibc's readers/writer lock, writers first.
pub const PTHREAD_WRITER: Peer = peer(
    "pthread_rwlock_writer",
    "glibc pthread_rwlock, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP",
    HOLD,
    false,
    "readers share one word; a read within a read may deadlock",
);
