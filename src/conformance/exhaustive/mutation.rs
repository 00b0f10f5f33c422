//! What may be wrong with a backend: the same loom backend, with one kind of ordering taken away.
//!
//! A model that passes on the intact backend and on a weakened one has not looked at what was taken
//! away. So a mutation is a type parameter of [`Loom`](super::Loom), never a copy of it.

use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// Which operation an ordering belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// A load.
    Load,
    /// A store.
    Store,
    /// A read-modify-write.
    Rmw,
    /// A compare-exchange that fails: a load.
    Failure,
    /// A fence; weakened to `Relaxed` it is none.
    Fence,
    /// A reader's half of the asymmetric pair, likewise.
    LightFence,
    /// The suspender's half, likewise.
    HeavyFence,
}

const ACCESSES: [(Access, &str); 7] = [
    (Access::Load, "load"),
    (Access::Store, "store"),
    (Access::Rmw, "rmw"),
    (Access::Failure, "failure"),
    (Access::Fence, "fence"),
    (Access::LightFence, "light_fence"),
    (Access::HeavyFence, "heavy_fence"),
];

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = ACCESSES.iter().find(|row| row.0 == *self);
        f.write_str(row.expect("one of seven").1)
    }
}

impl FromStr for Access {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let row = ACCESSES.iter().find(|row| row.1 == text);
        row.map(|row| row.0).ok_or(())
    }
}

/// What happens to each ordering before loom sees it.
pub trait Mutation: Copy + Debug + Send + Sync + 'static {
    /// Added to a scheme's name, for the rows of `results/models.csv`.
    const SUFFIX: &'static str;
    /// Whether the backend says that the asymmetric pair of fences works.
    const ASYMMETRIC: bool = true;
    /// Whether it does; if not, the light fence is nothing.
    const LIGHT_FENCE: bool = Self::ASYMMETRIC;

    /// Whether a compare-exchange that fails may return a value that is no longer there, as the
    /// language allows and loom never shows.
    const STALE_FAILURE: bool = false;

    /// The ordering that loom sees.
    fn order(access: Access, order: Ordering) -> Ordering {
        let _ = access;
        order
    }
}

/// Nothing is wrong.
#[derive(Clone, Copy, Debug)]
pub struct AsWritten;

impl Mutation for AsWritten {
    const SUFFIX: &'static str = "";
}

/// A machine whose failing compare-exchanges return old values.
#[derive(Clone, Copy, Debug)]
pub struct StaleFailures;

impl Mutation for StaleFailures {
    const SUFFIX: &'static str = "-stale-failures";
    const STALE_FAILURE: bool = true;
}

/// A machine without `membarrier`: schemes must fall back to full fences.
#[derive(Clone, Copy, Debug)]
pub struct Symmetric;

impl Mutation for Symmetric {
    const SUFFIX: &'static str = "-symmetric";
    const ASYMMETRIC: bool = false;
}

/// A machine that says it has `membarrier`, and has none.
#[derive(Clone, Copy, Debug)]
pub struct WithoutMembarrier;

impl Mutation for WithoutMembarrier {
    const SUFFIX: &'static str = "-without-membarrier";
    const LIGHT_FENCE: bool = false;
}

/// A machine without `membarrier`, where the fallback's fences are not executed either.
#[derive(Clone, Copy, Debug)]
pub struct SymmetricWithoutFence;

impl Mutation for SymmetricWithoutFence {
    const SUFFIX: &'static str = "-symmetric-without-fence";
    const ASYMMETRIC: bool = false;

    fn order(access: Access, order: Ordering) -> Ordering {
        WithoutFence::order(access, order)
    }
}

fn is_fence(access: Access) -> bool {
    use Access::{Fence, HeavyFence, LightFence};
    matches!(access, Fence | LightFence | HeavyFence)
}

/// No fence is executed.
#[derive(Clone, Copy, Debug)]
pub struct WithoutFence;

impl Mutation for WithoutFence {
    const SUFFIX: &'static str = "-without-fence";

    fn order(access: Access, order: Ordering) -> Ordering {
        if is_fence(access) { Relaxed } else { order }
    }
}

/// No store and no read-modify-write releases.
#[derive(Clone, Copy, Debug)]
pub struct WithoutRelease;

impl Mutation for WithoutRelease {
    const SUFFIX: &'static str = "-without-release";

    fn order(access: Access, order: Ordering) -> Ordering {
        match (access, order) {
            _ if is_fence(access) => order,
            (_, Release) => Relaxed,
            (_, AcqRel) => Acquire,
            _ => order,
        }
    }
}

/// No load and no read-modify-write acquires.
#[derive(Clone, Copy, Debug)]
pub struct WithoutAcquire;

impl Mutation for WithoutAcquire {
    const SUFFIX: &'static str = "-without-acquire";

    fn order(access: Access, order: Ordering) -> Ordering {
        match (access, order) {
            _ if is_fence(access) => order,
            (_, Acquire) => Relaxed,
            (_, AcqRel) => Release,
            _ => order,
        }
    }
}
