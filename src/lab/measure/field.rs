//! Who is compared, and with what.

use super::contender::{BASELINE, Contender};
use crate::backend::Native;
use crate::scheme::Scheme;

/// The contenders of one workload, what they are compared with, and who cannot run it, and why.
#[derive(Default)]
pub struct Field {
    /// Who runs; the [`BASELINE`] is one of them.
    pub runners: Vec<Box<dyn Contender>>,
    /// The baseline once more, in memory of its own, which all are compared with: what the one in
    /// `runners` differs from it is what any other may differ by chance.
    pub baseline: Option<Box<dyn Contender>>,
    /// Who does not: scheme and reason.
    pub excused: Vec<(&'static str, String)>,
}

impl Field {
    /// The runners, and last the baseline.
    pub fn everyone(&self) -> Vec<&dyn Contender> {
        let all = self.runners.iter().chain(&self.baseline);
        all.map(|contender| &**contender).collect()
    }

    /// With a scheme's contender, or its reason; the baseline's is made twice.
    pub(super) fn enter<S: Scheme<Native>>(
        &mut self,
        make: impl Fn() -> Result<Box<dyn Contender>, String>,
    ) {
        let made = match S::NAME == BASELINE {
            true => make().map(|baseline| self.baseline = Some(baseline)),
            false => Ok(()),
        };
        match made.and_then(|()| make()) {
            Ok(contender) => self.runners.push(contender),
            Err(why) => self.excused.push((S::NAME, why)),
        }
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.runners.iter().map(|runner| runner.name());
        f.debug_list().entries(names).finish()
    }
}
