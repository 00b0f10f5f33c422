//! What may be wrong with a backend: the same loom backend, with one kind of ordering taken away.
//!
//! A model that passes on the intact backend and on a weakened one has not looked at what was taken
//! away. So a mutation is a type parameter of [`Loom`](crate::backend::Loom), never a copy of it.

use std::fmt::Debug;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// Which operation an ordering belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load, or the failure of a compare-exchange.
    Load,
    /// A store.
    Store,
    /// A read-modify-write.
    Rmw,
    /// A fence; weakened to `Relaxed` it is none.
    Fence,
}

/// What happens to each ordering before loom sees it.
pub trait Mutation: Copy + Debug + Send + Sync + 'static {
    /// Added to a scheme's name, for the rows of `results/models.csv`.
    const SUFFIX: &'static str;
    /// Whether the backend says that the asymmetric pair of fences works.
    const ASYMMETRIC: bool = true;
    /// Whether it does; if not, the light fence is nothing.
    const LIGHT_FENCE: bool = Self::ASYMMETRIC;

    /// The ordering that loom sees.
    #[track_caller]
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

/// No fence is executed.
#[derive(Clone, Copy, Debug)]
pub struct WithoutFence;

impl Mutation for WithoutFence {
    const SUFFIX: &'static str = "-without-fence";

    fn order(access: Access, order: Ordering) -> Ordering {
        if access == Access::Fence {
            Relaxed
        } else {
            order
        }
    }
}

/// No store and no read-modify-write releases.
#[derive(Clone, Copy, Debug)]
pub struct WithoutRelease;

impl Mutation for WithoutRelease {
    const SUFFIX: &'static str = "-without-release";

    fn order(access: Access, order: Ordering) -> Ordering {
        match (access, order) {
            (Access::Fence, _) => order,
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
            (Access::Fence, _) => order,
            (_, Acquire) => Relaxed,
            (_, AcqRel) => Release,
            _ => order,
        }
    }
}
