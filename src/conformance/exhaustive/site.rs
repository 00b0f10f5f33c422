//! Call sites: where a scheme names an ordering, and which one of them is weakened in this process.
//!
//! Every operation of the machine tells `order` what it is and how it is ordered. That records the
//! site, and answers with the ordering that loom sees: another one, if this site is the chosen one.
//! One process explores with one weakening, chosen before it begins; loom runs all its threads on
//! the OS thread that explores.

use super::mutation::{Access, Mutation};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// An operation in the source of a scheme. Written `src/scheme/percpu.rs:120:9:fence`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// As the compiler names it, but relative to this crate where it is this crate's.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What it does there.
    pub access: Access,
}

/// A site with the ordering that it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ordered {
    /// Where.
    pub site: Site,
    /// How it is ordered: an ordering's name.
    pub order: Order,
}

/// An [`Ordering`] that can be sorted, written and read; for a fence, `Relaxed` is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Order(pub Ordering);

/// One site, ordered less strictly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weakening {
    /// Where, and what stands there.
    pub from: Ordered,
    /// What loom sees instead.
    pub to: Order,
}

static CHOSEN: OnceLock<Weakening> = OnceLock::new();

thread_local! {
    /// By address: the compiler makes few copies of a location, and looking one up is cheap.
    static SEEN: RefCell<BTreeSet<(usize, Access)>> = const { RefCell::new(BTreeSet::new()) };
    static SITES: RefCell<BTreeSet<Ordered>> = const { RefCell::new(BTreeSet::new()) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// Weakens a site from now on, in this process.
///
/// # Panics
/// The second time.
pub fn weaken(weakening: Weakening) {
    CHOSEN.set(weakening).expect("one weakening a process");
}

/// Every site that an operation has come from on this thread, whatever its ordering.
pub fn reached() -> BTreeSet<Ordered> {
    SITES.with_borrow(Clone::clone)
}

/// How often a scheme has asked on this thread whether the asymmetric pair of fences works.
pub fn asked() -> usize {
    ASKED.get()
}

/// A scheme asks whether the asymmetric pair works.
pub(super) fn ask() {
    ASKED.set(ASKED.get() + 1);
}

/// The ordering that loom is to see at the caller's site.
#[track_caller]
pub(super) fn order<M: Mutation>(access: Access, order: Ordering) -> Ordering {
    let location = Location::caller();
    let key = (std::ptr::from_ref(location).addr(), access);
    if SEEN.with_borrow_mut(|seen| seen.insert(key)) {
        let site = Site::new(location, access);
        let order = Order(order);
        SITES.with_borrow_mut(|sites| sites.insert(Ordered { site, order }));
    }
    match CHOSEN.get() {
        Some(chosen) if chosen.from.site.is(location, access) => chosen.to.0,
        _ => M::order(access, order),
    }
}

impl Site {
    fn new(location: &Location<'_>, access: Access) -> Self {
        Self {
            file: relative(location.file()).into_owned(),
            line: location.line(),
            column: location.column(),
            access,
        }
    }

    fn is(&self, location: &Location<'_>, access: Access) -> bool {
        (self.line, self.column, self.access) == (location.line(), location.column(), access)
            && self.file == relative(location.file())
    }
}

/// How files of this crate begin, seen from another.
const THIS_CRATE: &str = "ptom/";

/// A file of this crate, compiled for another workspace, is named from this crate's root, wherever
/// that is.
fn relative(file: &str) -> Cow<'_, str> {
    match file.strip_prefix(env!("CARGO_MANIFEST_DIR")) {
        Some(inside) => format!("{THIS_CRATE}{}", inside.trim_start_matches(['/', '\\'])).into(),
        None => file.into(),
    }
}

impl Site {
    /// Where the file is, if it is on this machine: in this crate, above the working directory, or in the
    /// workspace that this crate is the root of.
    pub fn source(&self) -> Option<PathBuf> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let candidates = match self.file.strip_prefix(THIS_CRATE) {
            Some(inside) => vec![here.join(inside)],
            None => {
                let working = std::env::current_dir().unwrap_or_default();
                let above = working.ancestors().chain([here]);
                above.map(|folder| folder.join(&self.file)).collect()
            }
        };
        candidates.into_iter().find(|path| path.is_file())
    }
}

impl Ordered {
    /// The weaker orderings to try here, strictest first.
    ///
    /// A SeqCst access becomes what loom takes it for, so that it survives: loom cannot judge it.
    pub fn weaker(&self) -> Vec<Weakening> {
        use Access::{Failure, Fence, HeavyFence, LightFence, Load, Rmw, Store};
        let to: &[Ordering] = match (self.site.access, self.order.0) {
            (Fence, SeqCst) => &[AcqRel, Acquire, Release, Relaxed],
            (LightFence | HeavyFence, _) => &[Relaxed],
            (Load | Failure, SeqCst) => &[Acquire],
            (Store, SeqCst) => &[Release],
            (Rmw, SeqCst) => &[AcqRel],
            (_, AcqRel) => &[Acquire, Release],
            (_, Acquire | Release) => &[Relaxed],
            _ => &[],
        };
        let weakening = |&order: &Ordering| Weakening {
            from: self.clone(),
            to: Order(order),
        };
        to.iter().map(weakening).collect()
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            access,
        } = self;
        write!(f, "{file}:{line}:{column}:{access}")
    }
}

impl FromStr for Site {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.rsplitn(4, ':');
        let mut next = || parts.next().ok_or(());
        let (access, column, line) = (next()?, next()?, next()?);
        Ok(Self {
            access: access.parse()?,
            column: column.parse().map_err(drop)?,
            line: line.parse().map_err(drop)?,
            file: next()?.to_owned(),
        })
    }
}

impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.site, self.order)
    }
}

impl FromStr for Ordered {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (site, order) = text.rsplit_once(':').ok_or(())?;
        Ok(Self {
            site: site.parse()?,
            order: order.parse()?,
        })
    }
}

impl fmt::Display for Weakening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl FromStr for Weakening {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (from, to) = text.rsplit_once('-').ok_or(())?;
        Ok(Self {
            from: from.parse()?,
            to: to.parse()?,
        })
    }
}

const ORDERS: [(Ordering, &str); 5] = [
    (Relaxed, "Relaxed"),
    (Acquire, "Acquire"),
    (Release, "Release"),
    (AcqRel, "AcqRel"),
    (SeqCst, "SeqCst"),
];

impl Order {
    fn place(self) -> usize {
        ORDERS
            .iter()
            .position(|row| row.0 == self.0)
            .expect("one of five")
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ORDERS[self.place()].1)
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Ord for Order {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let row = ORDERS.iter().find(|row| row.1 == text).ok_or(())?;
        Ok(Self(row.0))
    }
}
