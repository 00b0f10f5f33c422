//! Everything that there is to stress: every scheme, and every scheme that a missing fence harms.
//!
//! The registry of schemes decides; a new scheme needs nothing here.

use super::broken::{Fallback, Fence, HeavyFence, NativeWithout, Removal, harms};
use super::outcome::{Outcome, Verdict};
use super::payload::{Payload, Words};
use super::plan::Plan;
use super::relaxed::{self, NativeRelaxed};
use super::stress::{self, Quota};
use crate::backend::{Backend, Native};
use crate::scheme::{Ours, Registry, Scheme, Visit};

/// A stress of a given scheme, for lists of many.
pub type Run<P> = fn(Plan, &P, &Quota) -> Outcome;

/// A scheme on a machine, intact or not.
#[derive(Debug)]
pub struct Case<P = Words> {
    /// The scheme's name, and what is taken from the machine.
    pub name: String,
    /// What the stress must find.
    pub expected: Verdict,
    /// The stress.
    pub run: Run<P>,
}

/// Every scheme of a registry on the intact machine, then those that are harmed on each broken one.
/// Each is asked once whether it is: a few holds and suspends.
pub fn all<R: Registry>() -> Vec<Case> {
    let mut cases = native::<R, _>();
    cases.extend(without::<R, Fence, _>());
    cases.extend(without::<R, HeavyFence, _>());
    cases.extend(without::<R, Fallback, _>());
    cases
}

/// Every scheme of a registry on the intact machine.
pub fn native<R: Registry, P: Payload>() -> Vec<Case<P>> {
    let mut intact = Intact(Vec::new());
    R::each(&mut intact);
    intact.0
}

/// The library contenders, which run on real atomics only; none without the feature `lab`.
pub fn libraries<P: Payload>() -> Vec<Case<P>> {
    let mut intact = Intact(Vec::new());
    #[cfg(feature = "lab")]
    crate::native::each_native(&mut intact);
    let ours = native::<Ours, P>();
    intact
        .0
        .retain(|case| ours.iter().all(|own| own.name != case.name));
    intact.0
}

/// What a sanitizer is run on: every scheme of a registry, then each on a machine whose accesses order
/// nothing. [`Case::expected`] is what the sanitizer must say, not what the stress will.
pub fn sanitized<R: Registry, P: Payload>() -> Vec<Case<P>> {
    let mut cases = native::<R, P>();
    let mut relaxed = Relaxed(Vec::new());
    R::each(&mut relaxed);
    cases.append(&mut relaxed.0);
    cases
}

/// The schemes that ask for what is taken away.
pub fn without<R: Registry, M: Removal, P: Payload>() -> Vec<Case<P>> {
    let mut harmed = Harmed::<M, P>(Vec::new(), core::marker::PhantomData);
    R::each(&mut harmed);
    harmed.0
}

/// The case of a scheme on a backend that is to be trusted.
pub fn case<B: Backend, S: Scheme<B>, P: Payload>() -> Case<P> {
    Case {
        name: S::NAME.to_owned(),
        expected: if S::CLAIMS.holds {
            Verdict::Pass
        } else {
            Verdict::Fail
        },
        run: stress::run::<B, S, P>,
    }
}

struct Intact<P>(Vec<Case<P>>);

impl<P: Payload> Visit<Native> for Intact<P> {
    fn visit<S: Scheme<Native>>(&mut self) {
        self.0.push(case::<Native, S, P>());
    }
}

struct Relaxed<P>(Vec<Case<P>>);

impl<P: Payload> Visit<NativeRelaxed> for Relaxed<P> {
    fn visit<S: Scheme<NativeRelaxed>>(&mut self) {
        self.0.push(Case {
            name: format!("{}{}", S::NAME, relaxed::SUFFIX),
            expected: Verdict::Fail,
            run: stress::run::<NativeRelaxed, S, P>,
        });
    }
}

struct Harmed<R, P>(Vec<Case<P>>, core::marker::PhantomData<R>);

impl<R: Removal, P: Payload> Visit<NativeWithout<R>> for Harmed<R, P> {
    fn visit<S: Scheme<NativeWithout<R>>>(&mut self) {
        if harms::<R, S>() {
            self.0.push(Case {
                name: format!("{}{}", S::NAME, R::SUFFIX),
                expected: Verdict::Fail,
                run: stress::run::<NativeWithout<R>, S, P>,
            });
        }
    }
}
