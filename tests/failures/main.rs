//! The ways in which a suspend harms a guest, each produced on purpose, and absent where it should be.
//!
//! One file a failure. It shows what a user of the real system would see (a return code, a panic,
//! silent corruption, a livelock, a deadlock) when the scheme, or the step of `pre_suspend` that handles
//! it, is missing; then that with both it is gone. `docs/failures.md` is the table of them.

mod guest;
#[path = "../preempted/mod.rs"]
mod preempted;
mod turns;

mod f01_stale_value_refused;
mod f02_stale_value_silent;
mod f03_stale_pointer_to_data;
mod f04_stale_pointer_to_table;
mod f05_stale_pin;
mod f06_queue_after_resume;
mod f07_non_present_entry;
mod f08_cached_root;
mod f09_unpinned_table;
mod f10_alternate_at_restore;
mod f10_slot_left_set;
mod f11_alternate_of_destroyed;
mod f12_recursive_reader;
mod f13_suspender_counted_as_reader;
mod f14_stopped_reader;
mod f15_preempted_reader;
mod f16_starved_suspender;
mod f17_balloon_while_copying;
mod f18_cancelled_start_info;
mod f19_start_info_before_the_lock;
mod f20_stale_expectation;
mod f21_stale_old_entry;
mod f22_sleep_in_a_hold;
