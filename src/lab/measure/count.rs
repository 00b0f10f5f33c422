//! Holds an operation, counted and not assumed.
//!
//! [`Counted`] is a scheme that counts the holds which its readers begin, and leaves everything else
//! to the scheme within. A workload is run on it outside of timing, at two lengths; the difference is
//! what an operation does.

use crate::backend::{Backend, Native};
use crate::scheme::{Claims, Describe, Full, Reader, Scheme, Size, Translate};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A scheme, and how many holds were begun on it.
#[derive(Debug)]
pub struct Counted<S> {
    scheme: S,
    holds: AtomicU64,
}

impl<S> Counted<S> {
    /// Holds begun so far, all readers. (What a suspender translates is not counted.)
    pub fn holds(&self) -> u64 {
        self.holds.load(Relaxed)
    }
}

impl<S: Describe> Describe for Counted<S> {
    const NAME: &'static str = S::NAME;
    const PRECEDENT: &'static str = S::PRECEDENT;
    const CLAIMS: Claims = S::CLAIMS;
    const UNCOUNTED: Option<&'static str> = S::UNCOUNTED;
}

impl<B: Backend, S: Scheme<B>> Scheme<B> for Counted<S> {
    type Reader<'s> = CountedReader<'s, S::Reader<'s>>;

    fn new(size: Size) -> Self {
        Self {
            scheme: S::new(size),
            holds: AtomicU64::new(0),
        }
    }

    fn reader(&self) -> Result<Self::Reader<'_>, Full> {
        Ok(CountedReader {
            reader: self.scheme.reader()?,
            holds: &self.holds,
        })
    }
}

/// A reader whose holds are counted.
#[derive(Debug)]
pub struct CountedReader<'s, R> {
    reader: R,
    holds: &'s AtomicU64,
}

impl<R: Translate> Translate for CountedReader<'_, R> {
    type Hold<'h>
        = R::Hold<'h>
    where
        Self: 'h;

    fn hold(&self) -> R::Hold<'_> {
        self.holds.fetch_add(1, Relaxed);
        self.reader.hold()
    }
}

impl<R: Reader> Reader for CountedReader<'_, R> {
    type Suspended<'r>
        = R::Suspended<'r>
    where
        Self: 'r;

    fn snapshot<T>(&self, section: impl FnMut() -> T) -> T {
        self.reader.snapshot(section)
    }

    fn suspend(&mut self) -> R::Suspended<'_> {
        self.reader.suspend()
    }

    fn quiescent(&mut self) {
        self.reader.quiescent();
    }
}

/// Holds an operation, from two runs: `run` does so many operations on a scheme of its own making,
/// and says how many holds that took.
pub fn holds_per_op(mut run: impl FnMut(u64) -> u64) -> f64 {
    const SHORT: u64 = 1_000;
    let (short, long) = (run(SHORT), run(2 * SHORT));
    long.saturating_sub(short) as f64 / SHORT as f64
}

/// Holds an operation of `run`, on a fresh [`Counted`] scheme of one reader each time.
pub fn holds_per_op_of<S: Scheme<Native>>(run: impl Fn(&Counted<S>, u64)) -> f64 {
    holds_per_op(|n| {
        let counted = <Counted<S> as Scheme<Native>>::new(Size::readers(1));
        run(&counted, n);
        counted.holds()
    })
}
