//! The command line.

use ptom::conformance::native::plan::Plan;
use ptom::conformance::native::registry;
use ptom::scheme::Ours;

/// Holds of each scheme, if nothing is said.
const HOLDS: u64 = 10_000_000;
/// Readers that a stress may have.
const READERS: std::ops::RangeInclusive<u64> = 2..=64;

const USAGE: &str =
    "usage: stress [--litmus | --plain | --write] [--holds N] [--seed S] [--readers R] [SCHEME]";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Stress, on atomic words.
    Stress,
    /// Stress, on plain memory, for a sanitizer.
    Plain,
    /// Litmus tests.
    Litmus,
    /// Stress and litmus tests, into `results/`.
    Write,
}

/// A command line that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub mode: Mode,
    /// How long, and so on.
    pub plan: Plan,
    /// The one scheme to stress, exactly as it is named in the rows; all, if there is none.
    pub only: Option<String>,
}

impl Arguments {
    /// Parses the words after the program's name. A seed that is not given is random.
    ///
    /// # Errors
    /// One line on what is wrong.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut mode = None;
        let mut plan = Plan::holds(HOLDS);
        plan.seed = fastrand::u64(..1 << 32);
        let mut only = None;
        let mut words = words;
        while let Some(word) = words.next() {
            let mut number = |least, most| number(&word, words.next(), least..=most);
            match word.as_str() {
                "--holds" => plan.holds = number(1, u64::MAX)?,
                "--seed" => plan.seed = number(0, u64::MAX)?,
                "--readers" => plan.readers = number(*READERS.start(), *READERS.end())? as usize,
                "--litmus" | "--plain" | "--write" if mode.is_some() => return Err(USAGE.into()),
                "--litmus" => mode = Some(Mode::Litmus),
                "--plain" => mode = Some(Mode::Plain),
                "--write" => mode = Some(Mode::Write),
                option if option.starts_with('-') => {
                    return Err(format!("no option `{option}`; {USAGE}"));
                }
                _ if only.is_some() => return Err(format!("one scheme at a time; {USAGE}")),
                _ => only = Some(word),
            }
        }
        let mode = mode.unwrap_or(Mode::Stress);
        if let Some(scheme) = &only {
            let known = known(mode);
            if !known.contains(scheme) {
                let known = known.join(", ");
                return Err(format!(
                    "there is no scheme `{scheme}` here; there are: {known}"
                ));
            }
        }
        Ok(Self { mode, plan, only })
    }

    /// Whether a scheme of this name is to run.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == name)
    }
}

/// The names that a mode knows; those that run all or none know none.
fn known(mode: Mode) -> Vec<String> {
    let cases = match mode {
        Mode::Stress => [registry::all::<Ours>(), registry::libraries()]
            .into_iter()
            .flatten()
            .collect(),
        Mode::Plain => registry::sanitized::<Ours, _>(),
        Mode::Litmus | Mode::Write => Vec::new(),
    };
    cases.into_iter().map(|case| case.name).collect()
}

fn number(
    option: &str,
    word: Option<String>,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, String> {
    let word = word.ok_or_else(|| format!("{option} wants a number; {USAGE}"))?;
    let parsed = word.parse().ok().filter(|n| range.contains(n));
    parsed.ok_or_else(|| {
        let (least, most) = range.into_inner();
        format!("{option} wants a number from {least} to {most}, not `{word}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_said_is_done() {
        let said = parse("--holds 5 --seed 7 --readers 3 percpu").unwrap();
        let plan = Plan {
            holds: 5,
            readers: 3,
            seed: 7,
        };
        assert_eq!((said.mode, said.plan), (Mode::Stress, plan));
        assert!(said.wants("percpu") && !said.wants("percpu_asym"));
        assert!(parse("").unwrap().wants("percpu"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        let wrong = [
            "--holds",
            "--holds x",
            "--holds 0",
            "--readers 1",
            "--readers 65",
            "--seed -1",
            "--nonsense",
            "nonsense",
            "percpu epoch",
            "--litmus --write",
            "--write percpu",
        ];
        for line in wrong {
            let complaint = parse(line).unwrap_err();
            assert_eq!(complaint.lines().count(), 1, "{line}: {complaint}");
        }
    }
}
