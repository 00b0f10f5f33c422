//! So many things, so many at a time, handed over in their order; on a terminal, how far it is.

use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Does them; `keep` gets each thing's number, what came of it, and how long it took.
///
/// # Errors
/// The first of `work` or `keep`; then nothing more is begun.
pub(super) fn in_order<R: Send>(
    count: usize,
    workers: usize,
    work: impl Fn(usize) -> io::Result<R> + Sync,
    mut keep: impl FnMut(usize, R, Duration) -> io::Result<()>,
) -> io::Result<()> {
    let bar = bar(count);
    let next = AtomicUsize::new(0);
    let (send, done) = mpsc::channel();
    thread::scope(|scope| -> io::Result<()> {
        // Dropped at the first error, and then the workers end.
        let done = done;
        for send in vec![send; workers] {
            let (next, work) = (&next, &work);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    let begin = Instant::now();
                    if at >= count || send.send((at, work(at), begin.elapsed())).is_err() {
                        return;
                    }
                }
            });
        }
        let mut early = BTreeMap::new();
        let mut kept = 0;
        for (at, result, spent) in &done {
            early.insert(at, (result, spent));
            bar.inc(1);
            while let Some((result, spent)) = early.remove(&kept) {
                bar.suspend(|| keep(kept, result?, spent))?;
                kept += 1;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// How far it is, on a terminal; nothing elsewhere.
fn bar(count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let style = ProgressStyle::with_template("{pos} of {len}, {elapsed}");
    bar.set_style(style.expect("a template that is right"));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
