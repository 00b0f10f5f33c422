//! A contender: a scheme and a workload, ready to be run by any number of threads.
//!
//! [`Contender`] and [`Worker`] are object traits, so that a harness holds them all in one list. The
//! `dyn` call is paid once a batch. They are implemented once for every scheme of the registry; a
//! peer that owns its data, or another kind of operation, implements them directly.

use super::count::holds_per_op_of;
use super::far;
use super::field::Field;
use super::p2m::P2m;
use super::place;
use super::site::{Site, TableSite};
use super::watch::{Watch, attend};
use super::workload;
use crate::backend::Native;
use crate::lab::peers::{self, Order};
use crate::lab::sample::Workload;
use crate::native::each_native;
use crate::scheme::{Full, Scheme, Size, Visit, unprotected::Unprotected};
use std::hint::black_box;
use std::sync::Arc;

/// The contender that all are compared with.
pub const BASELINE: &str = <Unprotected as crate::scheme::Describe>::NAME;

/// Something that threads can be set to.
pub trait Contender: Send + Sync {
    /// The scheme's name.
    fn name(&self) -> &'static str;

    /// Registers a worker; the calling thread's from then on.
    ///
    /// # Errors
    /// [`Full`] when it was made for fewer.
    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full>;

    /// Holds begun an operation, counted; `None` where that means nothing.
    fn holds_per_op(&self) -> Option<f64>;

    /// A batch must be a multiple of so many operations to be like any other batch.
    fn grain(&self) -> u64 {
        1
    }

    /// Whether its heavy fences are clocked, so that a suspend's barrier can be told from its drain.
    fn tells_barrier(&self) -> bool {
        false
    }
}

/// One thread's part in a contender.
pub trait Worker {
    /// Does `n` operations; returns a checksum, which depends on `n` alone and is the same for every
    /// contender of the workload.
    fn batch(&mut self, n: u64) -> u64;

    /// Suspends, runs `during`, resumes; no MFN changes. A peer may give up instead, so that it does
    /// not hang: then it has not run `during`.
    fn suspend(&mut self, during: &mut dyn FnMut());

    /// Operates until told to stop, saying which suspends it met: the reader of a suspend's latency.
    fn attend(&mut self, watch: &Watch, reader: usize);
}

/// A worker on any site, with one of the loops of [`workload`].
#[derive(Debug)]
pub struct SiteWorker<T> {
    site: T,
    workload: Workload,
    /// Where a loop goes on that does not begin anew.
    at: u64,
    /// Where the loop is fastest, once that is known.
    place: Option<usize>,
}

impl<T: Site> SiteWorker<T> {
    /// A worker at `site`.
    pub fn new(site: T, workload: Workload) -> Self {
        Self {
            site,
            workload,
            at: far::start(),
            place: (!workload::is_placed(workload)).then_some(0),
        }
    }

    fn run(&mut self, place: usize, n: u64) -> u64 {
        let (workload, site, at) = (self.workload, &self.site, &mut self.at);
        let sum = match place {
            0 => workload::run_from::<0>(workload, site, at, n),
            1 => workload::run_from::<1>(workload, site, at, n),
            2 => workload::run_from::<2>(workload, site, at, n),
            _ => workload::run_from::<3>(workload, site, at, n),
        };
        self.site.quiescent();
        sum
    }
}

impl<T: Site> Worker for SiteWorker<T> {
    fn batch(&mut self, n: u64) -> u64 {
        let place = match self.place {
            Some(place) => place,
            None => place::fastest(|place, n| {
                black_box(self.run(place, n));
            }),
        };
        self.place = Some(place);
        self.run(place, n)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        self.site.suspend(during);
    }

    fn attend(&mut self, watch: &Watch, reader: usize) {
        attend(&mut self.site, watch, reader);
    }
}

/// A scheme beside a bare table.
#[derive(Debug)]
struct OnTable<S> {
    scheme: S,
    table: Arc<P2m>,
    workload: Workload,
}

impl<S: Scheme<Native>> Contender for OnTable<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        let site = TableSite::new(self.scheme.reader()?, &self.table);
        Ok(Box::new(SiteWorker::new(site, self.workload)))
    }

    fn holds_per_op(&self) -> Option<f64> {
        // A snapshot is no hold; how a scheme makes one is its own affair.
        (self.workload != Workload::Snapshot).then(|| {
            holds_per_op_of::<S>(|counted, n| {
                if let Ok(reader) = Scheme::<Native>::reader(counted) {
                    workload::run(self.workload, &TableSite::new(reader, &self.table), n);
                }
            })
        })
    }
}

/// Which schemes to measure: all, or the named ones. The baseline always runs.
#[derive(Clone, Debug, Default)]
pub struct Selection(Option<Vec<String>>);

impl Selection {
    /// Every scheme.
    pub const fn all() -> Self {
        Self(None)
    }

    /// Only these.
    pub fn only(names: Vec<String>) -> Self {
        Self(Some(names))
    }

    /// Whether a scheme is in it.
    pub fn wants(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }
}

/// Every scheme and peer that is wanted, on a bare table, for up to `threads` threads at once. Of a
/// workload that is none of [`workload::ON_A_TABLE`] the field is empty.
pub fn on_table(workload: Workload, threads: usize, wanted: &Selection) -> Field {
    let mut entry = Entry {
        field: Field::default(),
        table: Arc::new(match workload {
            Workload::HoldFar | Workload::DependentFar => P2m::far(),
            _ => P2m::cycle(workload::GOLDEN),
        }),
        workload,
        threads,
        wanted,
    };
    if workload::ON_A_TABLE.contains(&workload) {
        each_native(&mut entry);
        for (peer, make) in peers::built() {
            let order = Order {
                table: &entry.table,
                threads,
                workload,
            };
            if !wanted.wants(peer.name) {
                continue;
            }
            match peer.excuse(workload) {
                Some(why) => entry.field.excused.push((peer.name, why.to_owned())),
                None => entry.field.runners.push(make(peer, &order)),
            }
        }
    }
    entry.field
}

struct Entry<'w> {
    field: Field,
    table: Arc<P2m>,
    workload: Workload,
    threads: usize,
    wanted: &'w Selection,
}

impl Visit<Native> for Entry<'_> {
    fn visit<S: Scheme<Native>>(&mut self) {
        if S::NAME != BASELINE && !self.wanted.wants(S::NAME) {
            return;
        }
        if matches!(self.workload, Workload::Nested | Workload::Nested4) && !S::CLAIMS.nests {
            let why = "does not nest: a hold within a hold may deadlock".to_owned();
            self.field.excused.push((S::NAME, why));
            return;
        }
        self.field.enter::<S>(|| {
            Ok(Box::new(OnTable {
                scheme: S::new(Size::readers(self.threads)),
                table: Arc::clone(&self.table),
                workload: self.workload,
            }))
        });
    }
}
