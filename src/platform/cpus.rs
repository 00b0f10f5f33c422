//! How many CPUs this machine may ever have.

use std::fs;

/// One more than the highest number that a CPU of this machine can have, be it there now or not. Where the
/// kernel does not say, the CPUs that this process may use.
pub fn possible() -> usize {
    let list = fs::read_to_string("/sys/devices/system/cpu/possible").ok();
    let last = list.as_deref().and_then(last);
    last.map_or_else(
        || std::thread::available_parallelism().map_or(1, Into::into),
        |last| last + 1,
    )
}

/// The last number of a list as `0-3,8-11`.
fn last(list: &str) -> Option<usize> {
    list.trim().rsplit([',', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cpu_of_ours_is_possible() {
        let ours = crate::platform::pinning::allowed();
        assert!(ours.iter().all(|&cpu| cpu < possible()), "{ours:?}");
    }

    #[test]
    fn a_list_ends_with_its_last_number() {
        assert_eq!(last("0\n"), Some(0));
        assert_eq!(last("0-3,8-11\n"), Some(11));
        assert_eq!(last(""), None);
    }
}
