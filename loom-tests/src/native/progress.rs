//! One line on standard error that says how far a run is; nothing unless that is a terminal.

use ptom::conformance::native::stress::Quota;
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(500);

/// Runs something that takes holds from a quota, and shows it.
pub(super) fn shown<R>(name: &str, holds: u64, run: impl FnOnce(&Quota) -> R) -> R {
    let quota = Quota::default();
    if !stderr().is_terminal() {
        return run(&quota);
    }
    let (done, wait) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(|| {
            let wait = wait;
            while wait.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let percent = quota.taken() as u128 * 100 / u128::from(holds);
                eprint!("\r{name}: {percent} % of {holds} holds\x1b[K");
            }
            eprint!("\r\x1b[K");
        });
        let result = run(&quota);
        drop(done);
        result
    })
}
