//! A reference machine that runs a script and refuses whatever is not legal.
//!
//! It keeps its own books, from the meaning of each op alone: it shares no code with the rebuilding.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::trace::{Op, Script, Stats};

/// A mapping: the frame, and whether it may be written through.
pub(super) type Mapping = (u32, bool);

/// The machine.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) spaces: BTreeMap<u32, BTreeMap<u64, Mapping>>,
    pub(super) taken: BTreeSet<u32>,
    loaded: Option<u32>,
    /// The child of the fork that just happened: `Protect` may name it.
    forked: Option<u32>,
    /// Mappings of each frame.
    uses: BTreeMap<u32, u64>,
    counted: Stats,
}

impl Machine {
    /// Runs one op.
    pub(super) fn step(&mut self, op: &Op) {
        if !matches!(op, Op::Protect { .. }) {
            self.forked = None;
        }
        match *op {
            Op::Create { space } => {
                self.counted.pmap_creates += 1;
                assert!(self.spaces.insert(space.0, BTreeMap::new()).is_none());
            }
            Op::Fork { parent, child } => {
                self.counted.pmap_creates += 1;
                self.forked = Some(child.0);
                let old = self.spaces.get_mut(&parent.0).expect("a live parent");
                for (frame, write) in old.values_mut() {
                    *write = false;
                    *self.uses.entry(*frame).or_default() += 1;
                }
                let new = old.clone();
                self.counted.copied_on_fork += new.len() as u64;
                assert!(self.spaces.insert(child.0, new).is_none());
            }
            Op::Destroy { space } => {
                self.counted.pmap_destroys += 1;
                let old = self.spaces.remove(&space.0).expect("a live space");
                old.values().for_each(|mapping| self.drop_use(mapping.0));
                self.loaded = self.loaded.filter(|loaded| *loaded != space.0);
            }
            Op::Switch { space } => {
                self.counted.switches += 1;
                assert!(self.spaces.contains_key(&space.0));
                assert_ne!(self.loaded.replace(space.0), Some(space.0));
            }
            Op::Alloc { frame } => assert!(self.taken.insert(frame.0)),
            Op::Free { frame } => {
                assert!(self.taken.remove(&frame.0));
                assert!(!self.uses.contains_key(&frame.0), "freed while mapped");
            }
            Op::Enter {
                space,
                page,
                frame,
                write,
            } => {
                self.counted.enters += 1;
                assert_eq!(self.loaded, Some(space.0));
                assert!(page < 1 << 35);
                assert!(self.taken.contains(&frame.0));
                *self.uses.entry(frame.0).or_default() += 1;
                let pages = self.spaces.get_mut(&space.0).expect("a live space");
                if let Some((old, _)) = pages.insert(page, (frame.0, write)) {
                    self.drop_use(old);
                }
            }
            Op::Remove { space, page, pages } => {
                self.counted.removes += 1;
                assert_eq!(self.loaded, Some(space.0));
                let old = self.spaces.get_mut(&space.0).expect("a live space");
                assert!(old.contains_key(&page) && old.contains_key(&(page + pages - 1)));
                let range = page..page + pages;
                let gone: BTreeMap<_, _> = old.extract_if(range, |_, _| true).collect();
                gone.values().for_each(|mapping| self.drop_use(mapping.0));
            }
            Op::Protect {
                space,
                page,
                pages,
                write,
            } => {
                self.counted.protects += 1;
                assert!(self.loaded == Some(space.0) || self.forked == Some(space.0));
                let range = page..page + pages;
                let old = self.spaces.get_mut(&space.0).expect("a live space");
                assert!(old.contains_key(&page) && old.contains_key(&(page + pages - 1)));
                for (_, mapping) in old.range_mut(range) {
                    mapping.1 = write;
                }
            }
        }
    }

    fn drop_use(&mut self, frame: u32) {
        let uses = self.uses.get_mut(&frame).expect("a mapped frame");
        *uses -= 1;
        if *uses == 0 {
            self.uses.remove(&frame);
        }
    }

    /// Page-table pages needed for what is resident now.
    pub(super) fn tables(&self) -> u64 {
        let of = |pages: &BTreeMap<u64, Mapping>| {
            let level = |bits: u32| -> BTreeSet<u64> { pages.keys().map(|p| p >> bits).collect() };
            1 + [9, 18, 27]
                .map(|bits| level(bits).len() as u64)
                .iter()
                .sum::<u64>()
        };
        self.spaces.values().map(of).sum()
    }
}

/// Runs a script, twice in a row, and checks all that a script promises.
pub(super) fn check(script: &Script) {
    let stats = &script.stats;
    let mut machine = Machine::default();
    for _ in 0..2 {
        machine.counted = Stats::default();
        let (mut spaces, mut frames) = (0, 0);
        for op in &script.ops {
            machine.step(op);
            spaces = spaces.max(machine.spaces.len());
            frames = frames.max(machine.taken.len());
            assert!(machine.spaces.keys().all(|space| *space < script.spaces));
            assert!(
                machine
                    .taken
                    .last()
                    .is_none_or(|frame| *frame < script.frames)
            );
        }
        assert!(machine.spaces.is_empty() && machine.taken.is_empty());
        assert_eq!(
            (spaces, frames),
            (script.spaces as usize, script.frames as usize)
        );

        let counted = machine.counted;
        assert_eq!(counted.pmap_creates, stats.pmap_creates);
        assert_eq!(counted.pmap_destroys, stats.pmap_destroys);
        assert_eq!(counted.pmap_creates, counted.pmap_destroys);
        assert_eq!(counted.switches, stats.switches);
        assert_eq!(counted.enters, stats.enters);
        assert_eq!(counted.removes, stats.removes);
        assert_eq!(counted.protects, stats.protects);
        assert_eq!(counted.copied_on_fork, stats.copied_on_fork);
    }
    assert_eq!(u64::from(script.spaces), stats.peak_spaces);
    assert_eq!(u64::from(script.frames), stats.peak_frames);
    assert!(stats.peak_frames_unshared >= stats.peak_frames);
    assert_eq!(stats.enters, stats.faults - stats.kernel_faults);
}
