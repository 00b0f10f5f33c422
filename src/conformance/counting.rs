//! Counts what a snapshot writes: [`Claims::snapshot_free_of_writes`].
//!
//! A backend that wraps another and counts, by thread, the stores and the read-modify-writes of its
//! words. A compare-exchange counts even where it fails: the CPU takes the line to itself all the same.
//!
//! Two snapshots of each scheme are counted, by the thread that takes them, which is alone: one that
//! nothing disturbs, and, where that writes nothing, one that a suspend overtakes, so that its section
//! runs again. That a snapshot never writes on any other way through the code is not shown.

use crate::backend::{Atomic, Backend};
use crate::scheme::{Claims, Reader, Registry, Scheme, Size, Visit};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

/// Operations of one thread that write shared words, or may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Plain stores.
    pub stores: u64,
    /// Read-modify-writes.
    pub rmws: u64,
}

thread_local! {
    static WRITES: Cell<Writes> = const { Cell::new(Writes { stores: 0, rmws: 0 }) };
}

fn store() {
    let now = WRITES.get();
    WRITES.set(Writes {
        stores: now.stores + 1,
        ..now
    });
}

fn rmw() {
    let now = WRITES.get();
    WRITES.set(Writes {
        rmws: now.rmws + 1,
        ..now
    });
}

/// What this thread writes while `run` runs.
fn written(run: impl FnOnce()) -> Writes {
    let before = WRITES.replace(Writes::default());
    run();
    WRITES.replace(before)
}

/// A word that counts; `A` is the word itself.
#[derive(Debug)]
pub struct Counted<A>(A);

impl<T, A: Atomic<T>> Atomic<T> for Counted<A> {
    fn new(value: T) -> Self {
        Self(A::new(value))
    }
    fn load(&self, order: Ordering) -> T {
        self.0.load(order)
    }
    fn store(&self, value: T, order: Ordering) {
        store();
        self.0.store(value, order);
    }
    fn swap(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.swap(value, order)
    }
    fn compare_exchange(&self, current: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T> {
        rmw();
        self.0.compare_exchange(current, new, ok, err)
    }
    fn compare_exchange_weak(
        &self,
        current: T,
        new: T,
        ok: Ordering,
        err: Ordering,
    ) -> Result<T, T> {
        rmw();
        self.0.compare_exchange_weak(current, new, ok, err)
    }
    fn fetch_add(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_add(value, order)
    }
    fn fetch_sub(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_sub(value, order)
    }
    fn fetch_and(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_and(value, order)
    }
    fn fetch_or(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_or(value, order)
    }
}

/// `B`, whose words count.
#[derive(Clone, Copy, Debug)]
pub struct Counting<B>(PhantomData<B>);

impl<B: Backend> Backend for Counting<B> {
    type U32 = Counted<B::U32>;
    type U64 = Counted<B::U64>;

    fn fence(order: Ordering) {
        B::fence(order);
    }
    fn light_fence() {
        B::light_fence();
    }
    fn heavy_fence() {
        B::heavy_fence();
    }
    fn asymmetric() -> bool {
        B::asymmetric()
    }
    fn wait(word: &Self::U32, expected: u32) {
        B::wait(&word.0, expected);
    }
    fn wake_all(word: &Self::U32) {
        B::wake_all(&word.0);
    }
    fn relax(turn: u32) {
        B::relax(turn);
    }
}

/// One snapshot: a row of `results/snapshots.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The scheme.
    pub scheme: &'static str,
    /// What it claims.
    pub claims: Claims,
    /// Whether a suspend overtook it.
    pub overtaken: bool,
    /// What it wrote.
    pub writes: Writes,
}

/// The columns.
pub const HEADER: [&str; 6] = [
    "scheme",
    "overtaken",
    "stores",
    "rmws",
    "verdict",
    "expected",
];

impl Row {
    /// Whether nothing was written.
    pub fn passed(&self) -> bool {
        self.writes == Writes::default()
    }

    /// Whether nothing may be written; `None` for a control that does not say so, and whose snapshot is
    /// no snapshot.
    pub fn expected(&self) -> Option<bool> {
        let claimed = self.claims.snapshot_free_of_writes;
        (claimed || self.claims.holds).then_some(claimed)
    }

    /// Whether it is as it must be.
    pub fn is_expected(&self) -> bool {
        self.expected()
            .is_none_or(|expected| expected == self.passed())
    }

    /// The row as it stands in the file.
    pub fn fields(&self) -> Vec<String> {
        let verdict = |pass: bool| if pass { "pass" } else { "fail" }.to_owned();
        vec![
            self.scheme.to_owned(),
            if self.overtaken { "yes" } else { "no" }.to_owned(),
            self.writes.stores.to_string(),
            self.writes.rmws.to_string(),
            verdict(self.passed()),
            self.expected().map_or("unclaimed".to_owned(), verdict),
        ]
    }
}

/// Counts for every scheme of a registry, on a backend that is usable outside of a checker.
pub fn all<B: Backend, R: Registry>() -> Vec<Row> {
    let mut count = Count(Vec::new());
    R::each::<Counting<B>>(&mut count);
    count.0
}

struct Count(Vec<Row>);

impl<B: Backend> Visit<Counting<B>> for Count {
    fn visit<S: Scheme<Counting<B>>>(&mut self) {
        let row = |overtaken, writes| Row {
            scheme: S::NAME,
            claims: S::CLAIMS,
            overtaken,
            writes,
        };
        let alone = row(false, undisturbed::<Counting<B>, S>());
        let free = alone.passed();
        self.0.push(alone);
        if free {
            // Whoever writes nothing keeps no suspend waiting, so this ends.
            self.0.push(row(true, overtaken::<Counting<B>, S>()));
        }
    }
}

fn undisturbed<B: Backend, S: Scheme<B>>() -> Writes {
    let scheme = S::new(Size::readers(1));
    let reader = scheme.reader().expect("room for one");
    written(|| reader.snapshot(|| ()))
}

fn overtaken<B: Backend, S: Scheme<B>>() -> Writes {
    let scheme = S::new(Size::readers(2));
    let reader = scheme.reader().expect("room for two");
    let mut suspender = scheme.reader().expect("room for two");
    let mut first = true;
    written(|| {
        reader.snapshot(|| {
            if std::mem::take(&mut first) {
                // The suspender's writes are its own.
                let before = WRITES.get();
                drop(suspender.suspend());
                WRITES.set(before);
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Native;
    use crate::scheme::Ours;

    #[test]
    fn a_snapshot_writes_nothing_if_and_only_if_its_scheme_says_so() {
        let rows = all::<Native, Ours>();
        assert!(rows.iter().any(|row| row.overtaken && row.claims.holds));
        for row in rows {
            assert!(row.is_expected(), "{row:?}");
        }
    }

    #[test]
    fn every_kind_of_write_is_counted() {
        type Word = <Counting<Native> as Backend>::U64;
        use Ordering::Relaxed;
        let word = <Word as Atomic<u64>>::new(1);
        let writes = written(|| {
            word.load(Relaxed);
            word.store(2, Relaxed);
            word.swap(3, Relaxed);
            word.fetch_add(1, Relaxed);
            word.fetch_sub(1, Relaxed);
            word.fetch_and(3, Relaxed);
            word.fetch_or(3, Relaxed);
            let _ = word.compare_exchange(9, 1, Relaxed, Relaxed);
            let _ = word.compare_exchange_weak(3, 1, Relaxed, Relaxed);
        });
        assert_eq!(writes, Writes { stores: 1, rmws: 7 });
    }

    #[test]
    fn the_results_are_those_of_this_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/results/snapshots.csv");
        let lines = all::<Native, Ours>()
            .into_iter()
            .map(|row| row.fields().join(","));
        let rows: Vec<String> = std::iter::once(HEADER.join(",")).chain(lines).collect();
        let file = std::fs::read_to_string(path).unwrap();
        assert_eq!(file.lines().collect::<Vec<_>>(), rows);
    }
}
