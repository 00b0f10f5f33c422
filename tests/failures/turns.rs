//! A bounded scheduler: one actor runs at a time, until it gives way or cannot get on.
//!
//! [`Turns`] is a machine for schemes. Whoever would sleep or poll there passes the turn to the next actor
//! instead, so that every run is the same, and none of them needs a clock. When all have passed
//! [`PATIENCE`] times in a row and nobody did anything else, the play is stuck: a deadlock, or a livelock.
//! Actors that are stuck are left where they are, so what they use must live for ever ([`for_ever`]).

use ptom::backend::{Backend, Native};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// Turns passed in vain, by all together, after which nobody will get on.
const PATIENCE: u32 = 1000;

/// An actor: its name, and what it does.
pub(crate) type Actor = (&'static str, Box<dyn FnOnce() + Send>);

/// How a play ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everybody came to an end.
    Done,
    /// These did not, and never will.
    Stuck(Vec<&'static str>),
    /// One of them panicked, with this first line; the others were left there.
    Panicked(&'static str, String),
}

#[derive(Debug)]
struct State {
    names: Vec<&'static str>,
    /// Whose turn it is; nobody's when the play is over.
    turn: Option<usize>,
    ended: Vec<bool>,
    /// Turns passed in vain, in a row.
    vain: u32,
    ending: Option<Ending>,
}

#[derive(Debug)]
struct Play {
    state: Mutex<State>,
    changed: Condvar,
}

thread_local! {
    static ACTOR: RefCell<Option<(Arc<Play>, usize)>> = const { RefCell::new(None) };
}

impl State {
    /// The turn goes to the next who has not ended, round and round.
    fn pass(&mut self) {
        let actors = self.names.len();
        let from = self.turn.unwrap_or(actors - 1);
        let round = (from + 1..=from + actors).map(|at| at % actors);
        self.turn = { round }.find(|at| !self.ended[*at]);
        if self.turn.is_none() {
            self.ending.get_or_insert(Ending::Done);
        } else if self.vain > PATIENCE {
            let left = self.names.iter().zip(&self.ended);
            let left = left.filter(|(_, ended)| !**ended).map(|(name, _)| *name);
            self.ending = Some(Ending::Stuck(left.collect()));
        }
        if self.ending.is_some() {
            self.turn = None;
        }
    }
}

impl Play {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    /// Returns when it is `me`'s turn.
    fn await_turn(&self, me: usize) {
        let mut state = self.state();
        while state.turn != Some(me) {
            state = self.changed.wait(state).expect("nobody panics with it");
        }
    }

    fn pass(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.pass();
        self.changed.notify_all();
    }

    fn act(self: Arc<Self>, me: usize, act: Box<dyn FnOnce() + Send>) {
        ACTOR.set(Some((self.clone(), me)));
        self.await_turn(me);
        let panic = catch_unwind(AssertUnwindSafe(act)).err();
        self.pass(|state| {
            state.ended[me] = true;
            state.vain = 0;
            if let Some(payload) = panic {
                let text = payload.downcast_ref::<String>().cloned();
                let text = text.or(payload.downcast_ref::<&str>().map(|s| s.to_string()));
                let name = state.names[me];
                state.ending = Some(Ending::Panicked(name, text.unwrap_or_default()));
            }
        });
    }
}

/// Runs the actors in this order, each until it gives way or cannot get on, and so on round.
pub(crate) fn play(actors: Vec<Actor>) -> Ending {
    let (names, acts): (Vec<_>, Vec<_>) = actors.into_iter().unzip();
    let play = Arc::new(Play {
        state: Mutex::new(State {
            ended: vec![false; names.len()],
            names,
            turn: Some(0),
            vain: 0,
            ending: None,
        }),
        changed: Condvar::new(),
    });
    for (me, act) in acts.into_iter().enumerate() {
        let play = play.clone();
        // Not joined: one that is stuck never returns.
        thread::spawn(move || play.act(me, act));
    }
    let mut state = play.state();
    loop {
        match state.ending.take() {
            Some(ending) => return ending,
            None => state = play.changed.wait(state).expect("nobody panics with it"),
        }
    }
}

/// Passes the turn, in vain or not.
fn pass(in_vain: bool) {
    let (play, me) = ACTOR
        .with_borrow(Clone::clone)
        .expect("only actors wait for each other");
    play.pass(|state| state.vain = if in_vain { state.vain + 1 } else { 0 });
    play.await_turn(me);
}

/// Lets all the others run until they cannot get on: this actor is preempted here.
pub(crate) fn give_way() {
    pass(false);
}

/// Waits for what another actor will do.
pub(crate) fn until(happened: impl Fn() -> bool) {
    while !happened() {
        pass(true);
    }
}

/// Something that actors share, and that outlives those that are stuck.
pub(crate) fn for_ever<T>(thing: T) -> &'static T {
    Box::leak(Box::new(thing))
}

/// The machine. Its atomics are this machine's; since one actor runs at a time, no fence is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns;

impl Backend for Turns {
    type U32 = AtomicU32;
    type U64 = AtomicU64;

    fn fence(order: Ordering) {
        Native::fence(order);
    }

    fn light_fence() {}

    fn heavy_fence() {}

    fn asymmetric() -> bool {
        true
    }

    fn wait(word: &AtomicU32, expected: u32) {
        until(|| word.load(Ordering::SeqCst) != expected);
    }

    fn wake_all(_: &AtomicU32) {}

    fn relax(_: u32) {
        pass(true);
    }
}
