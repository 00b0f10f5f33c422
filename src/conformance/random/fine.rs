//! A scheme whose words are scheduling points, one and all, on a machine whose words are not.

use super::grain;
use crate::backend::Backend;
use crate::scheme::{Claims, Describe, Full, Scheme, Size};

/// The scheme, made of fine words.
#[derive(Debug)]
pub(super) struct Fine<S>(S);

impl<S: Describe> Describe for Fine<S> {
    const NAME: &'static str = S::NAME;
    const PRECEDENT: &'static str = S::PRECEDENT;
    const CLAIMS: Claims = S::CLAIMS;
}

impl<B: Backend, S: Scheme<B>> Scheme<B> for Fine<S> {
    type Reader<'s> = S::Reader<'s>;

    fn new(size: Size) -> Self {
        let before = grain::makes_fine();
        grain::make_fine(true);
        let scheme = S::new(size);
        grain::make_fine(before);
        Self(scheme)
    }

    fn reader(&self) -> Result<S::Reader<'_>, Full> {
        self.0.reader()
    }
}
