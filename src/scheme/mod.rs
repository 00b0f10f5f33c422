//! The schemes: one file each, and the registry.
//!
//! A **scheme** is one way of protecting MFNs. A **reader** registers, and **holds** while it
//! translates and uses; the **suspender** is a reader too, and waits until nobody holds.
//!
//! | call | promise |
//! |---|---|
//! | [`Translate::hold`] | no suspend completes while the guard lives |
//! | [`Reader::snapshot`] | what the closure read was all true at one instant |
//! | [`Reader::suspend`] | when it returns no hold is live, and none can begin until its guard is dropped |
//!
//! **To add a scheme**: write `src/scheme/NAME.rs` with [`Describe::NAME`] = the file's name, add
//! its `mod` line and its line in [`Ours`]. Models, benchmarks, tables and plots pick it up from
//! there; tests fail if one of them does not.

#![forbid(unsafe_code)]

use crate::backend::Backend;
pub use crate::primitive::Full;
use core::fmt;

pub mod bravo;
pub mod epoch;
pub mod percpu;
pub mod percpu_asym;
pub mod percpu_rwsem;
pub mod phase_fair;
pub mod qsbr;
pub mod rwlock;
pub mod seqlock;
pub mod solaris;
pub mod stop_cpus;
pub mod unprotected;

#[cfg(all(test, feature = "std"))]
mod tests;

/// What a scheme promises. Each promise is checked by something that runs (models, counted steps, counted
/// writes); what is not promised has its counterexample reproduced where one is known.
///
/// A later release may have more of them: begin with [`NONE`](Self::NONE), and name what is promised.
///
/// ```
/// # use ptom::scheme::Claims;
/// const CLAIMS: Claims = Claims {
///     holds: true,
///     nests: true,
///     ..Claims::NONE
/// };
/// assert!(CLAIMS.nests && !CLAIMS.bounded_wait);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// A hold excludes suspends: the promise itself. False only for controls.
    pub holds: bool,
    /// A hold within a hold never deadlocks against a waiting suspender.
    pub nests: bool,
    /// A suspender waits only for holds that began before its turn came: before it asked, or, if a rival's
    /// suspend was under way then, before it shut the gate after that one's end.
    pub bounded_wait: bool,
    /// A reader may sleep in its hold.
    pub sleeps_in_hold: bool,
    /// A snapshot writes no shared word.
    pub snapshot_free_of_writes: bool,
    /// A suspend completes only when every reader reaches [`Reader::quiescent`].
    pub needs_quiescence: bool,
    /// Two suspends never overlap.
    pub suspends_alone: bool,
    /// Dropping a reader ends the holds of guards that it leaked; otherwise they last for ever.
    pub drop_ends_leaks: bool,
}

impl Claims {
    /// No promise, and nothing needed.
    pub const NONE: Self = Self {
        holds: false,
        nests: false,
        bounded_wait: false,
        sleeps_in_hold: false,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: false,
        drop_ends_leaks: false,
    };
}

/// Who a scheme is.
pub trait Describe {
    /// The stem of its file: also its key in every table and its legend in every plot.
    const NAME: &'static str;
    /// Which system or paper it comes from.
    const PRECEDENT: &'static str;
    /// What it promises.
    const CLAIMS: Claims;
    /// Why its instructions, as a program like valgrind counts them, would not be those that run on the
    /// machine; `None` if they are.
    const UNCOUNTED: Option<&'static str> = None;
}

/// Whoever may translate: a reader, or the suspender while all others are out.
pub trait Translate {
    /// Keeps every MFN true while it lives.
    type Hold<'h>
    where
        Self: 'h;

    /// Begins a hold; sleeps while a suspend is under way.
    ///
    /// A guard that is leaked never ends its hold: later suspends wait for ever, which is safe, unless
    /// the scheme [ends it](Claims::drop_ends_leaks) with the reader.
    fn hold(&self) -> Self::Hold<'_>;
}

/// A registered reader. Its state (slot, nesting depth) is its own, so it is not `Sync`: one thread
/// uses it at a time.
///
/// A reader cannot be shared between threads:
///
/// ```compile_fail
/// # use ptom::{backend::Native, scheme::{Scheme, Size, Translate, percpu::PerCpu}};
/// let lock = <PerCpu<Native> as Scheme<Native>>::new(Size::readers(1));
/// let reader = lock.reader().unwrap();
/// std::thread::scope(|s| { s.spawn(|| drop(reader.hold())); reader.hold(); });
/// ```
pub trait Reader: Translate + Send {
    /// The world without holds. Dropping it resumes; whoever waited goes on.
    type Suspended<'r>: Translate
    where
        Self: 'r;

    /// Runs `section`, which must have no effect but its result, until all that it read was true
    /// at one instant. May run it again. Here: in a hold, once.
    fn snapshot<R>(&self, mut section: impl FnMut() -> R) -> R {
        let _hold = self.hold();
        section()
    }

    /// Returns when no hold is live and none can begin; sleeps while another suspend is under way.
    ///
    /// `&mut`, so that a suspend within one's own hold does not compile.
    ///
    /// # Panics
    /// If a guard of this very reader was leaked (`mem::forget`) where the scheme can tell;
    /// elsewhere that waits for ever.
    fn suspend(&mut self) -> Self::Suspended<'_>;

    /// Suspends if nobody holds now and no other suspend is under way; waits for neither. It may fail
    /// for no reason, and does where the scheme has no such way: then always. Readers that come
    /// meanwhile may sleep for as long as it takes.
    fn try_suspend(&mut self) -> Option<Self::Suspended<'_>> {
        None
    }

    /// Says that this reader holds nothing now, for schemes that
    /// [need it](Claims::needs_quiescence); `&mut`, so that it does not compile inside a hold.
    fn quiescent(&mut self) {}
}

/// How large a scheme's tables are. A later release may have more fields: begin with [`readers`](Self::readers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Readers that can be registered at once, the suspender included.
    pub readers: usize,
    /// What else a scheme may have several of.
    pub tables: Tables,
}

impl Size {
    /// Room for `readers`, and tables of the size their precedents have.
    pub const fn readers(readers: usize) -> Self {
        Self {
            readers,
            tables: Tables::FULL,
        }
    }
}

/// The sizes that a scheme's precedent fixes, and a model checker cannot hold. A later release may have more
/// fields: begin with [`FULL`](Self::FULL) or [`SMALL`](Self::SMALL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// Locks of a sharded scheme; rounded up to a power of two.
    pub shards: usize,
    /// Places of a table of visible readers; rounded up to a power of two.
    pub visible: usize,
    /// Holds that a reader of a scheme with two modes makes the slow way after a suspend, before it
    /// tries the fast one again.
    pub slow_holds: u32,
    /// CPUs with a line of their own, in a scheme that counts by CPU; `None`: every one of the machine.
    pub cpus: Option<usize>,
}

impl Tables {
    /// As their precedents have them: Solaris's 128 locks, BRAVO's 4,096 visible readers; and slow
    /// holds for about as long as Linux's grace period or BRAVO's nine scans of the table take.
    pub const FULL: Self = Self {
        shards: 128,
        visible: 4096,
        slow_holds: 2048,
        cpus: None,
    };
    /// As small as they can be with every path still taken: for models.
    pub const SMALL: Self = Self {
        shards: 2,
        visible: 1,
        slow_holds: 1,
        cpus: Some(1),
    };
}

/// A way of protecting MFNs, on a backend.
pub trait Scheme<B: Backend>: Describe + Send + Sync + Sized + 'static {
    /// Its registered reader.
    type Reader<'s>: Reader;

    /// A lock that nobody holds.
    fn new(size: Size) -> Self;

    /// Registers a reader; dropping it unregisters.
    ///
    /// # Errors
    /// [`Full`] when [`Size::readers`] are registered.
    fn reader(&self) -> Result<Self::Reader<'_>, Full>;
}

/// What the suspender holds: nothing, since nobody can suspend but it.
#[derive(Clone, Copy, Debug)]
pub struct Free;

/// The suspender's world where a guard keeps everybody else out; dropping it drops the guard, and
/// with it resumes.
#[must_use = "dropping it resumes"]
pub struct Alone<G>(#[allow(dead_code)] G);

impl<G> Alone<G> {
    /// The world that this guard keeps to itself.
    pub fn new(guard: G) -> Self {
        Self(guard)
    }
}

impl<G> fmt::Debug for Alone<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alone")
    }
}

impl<G> Translate for Alone<G> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> Free {
        Free
    }
}

/// Something to do once a scheme; a [`Registry`] is the loop.
pub trait Visit<B: Backend> {
    /// Called with each scheme in turn.
    fn visit<S: Scheme<B>>(&mut self);
}

/// A set of schemes, each of which runs on any backend.
///
/// [`Ours`] is this crate's. A crate that brings schemes of its own writes one for them, and hands it
/// to the kit that checks them (`ptom::conformance`):
///
/// ```
/// use ptom::backend::Backend;
/// use ptom::scheme::{Registry, Visit, percpu::PerCpu};
///
/// struct Mine;
///
/// impl Registry for Mine {
///     fn each<B: Backend>(visitor: &mut impl Visit<B>) {
///         visitor.visit::<PerCpu<B>>(); // here: your scheme
///     }
/// }
/// ```
pub trait Registry {
    /// Visits every scheme of the set.
    fn each<B: Backend>(visitor: &mut impl Visit<B>);
}

/// The schemes of this crate: they run on any backend, and have models.
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl Registry for Ours {
    fn each<B: Backend>(visitor: &mut impl Visit<B>) {
        visitor.visit::<unprotected::Unprotected>();
        visitor.visit::<stop_cpus::StopCpus<B>>();
        visitor.visit::<rwlock::RwLock<B>>();
        visitor.visit::<solaris::Solaris<B>>();
        visitor.visit::<seqlock::SeqLock<B>>();
        visitor.visit::<percpu::PerCpu<B>>();
        visitor.visit::<percpu_asym::PerCpuAsym<B>>();
        visitor.visit::<percpu_rwsem::PerCpuRwSem<B>>();
        visitor.visit::<bravo::Bravo<B>>();
        visitor.visit::<phase_fair::PhaseFair<B>>();
        visitor.visit::<epoch::Epoch<B>>();
        visitor.visit::<qsbr::Qsbr<B>>();
    }
}
