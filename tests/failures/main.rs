//! The ways in which a suspend harms a guest, each produced on purpose, and absent where it should be.
//!
//! One file a failure. It shows what a user of the real system would see (a return code, a panic,
//! silent corruption, a livelock, a deadlock) when the scheme, or the step of `pre_suspend` that handles
//! it, is missing; then that with both it is gone. `docs/failures.md` is the table of them.

mod f17_balloon_while_copying;
