//! Why a weakening survives, said beside the code in a form that the audit reads.
//!
//! ```text
//! // AUDIT: Acquire to Relaxed survives in percpu, percpu_asym: the fence that follows acquires too.
//! word.compare_exchange(open, open | CLOSED, Acquire, Relaxed)
//! ```
//!
//! Within a few lines above the site: from which ordering to which, in which schemes (or
//! `any scheme`), and a reason, which may go on over the following comment lines.

use crate::conformance::exhaustive::site::Weakening;
use std::fs;

/// Lines from the site up to the explanation.
const REACH: usize = 16;
/// What it begins with.
const MARK: &str = "// AUDIT: ";

/// The reason that stands beside a site, if there is one for this weakening in this scheme.
pub(super) fn of(scheme: &str, weakening: &Weakening) -> Option<String> {
    let site = &weakening.from.site;
    let text = fs::read_to_string(site.source()?).ok()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let end = (site.line as usize).min(lines.len());
    let above = &lines[end.saturating_sub(REACH)..end];
    let head = format!("{} to {} survives in ", weakening.from.order, weakening.to);
    explanations(above).find_map(|text| reason(text.strip_prefix(&head)?, scheme))
}

/// The reason of an explanation after its head, if it is about this scheme.
fn reason(rest: &str, scheme: &str) -> Option<String> {
    let (schemes, reason) = rest.split_once(": ")?;
    let named = schemes == "any scheme" || schemes.split(", ").any(|name| name == scheme);
    let reason = reason.trim();
    (named && !reason.is_empty()).then(|| reason.to_owned())
}

/// Each explanation, its lines joined.
fn explanations(lines: &[&str]) -> impl Iterator<Item = String> {
    lines.iter().enumerate().filter_map(|(at, line)| {
        let mut text = line.strip_prefix(MARK)?.to_owned();
        let more = lines[at + 1..]
            .iter()
            .map_while(|line| line.strip_prefix("// "));
        for line in
            more.take_while(|line| !line.starts_with("AUDIT: ") && !line.starts_with("ORDERING: "))
        {
            text.push(' ');
            text.push_str(line);
        }
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_names_its_weakening_its_schemes_and_a_reason() {
        let lines = [
            "// ORDERING: Acquire pairs with ...",
            "// AUDIT: Acquire to Relaxed survives in a, b_c: the fence",
            "// acquires too.",
            "// AUDIT: Release to Relaxed survives in any scheme: loom is stronger.",
            "word.swap(0, AcqRel);",
        ];
        let all: Vec<String> = explanations(&lines).collect();
        assert_eq!(all.len(), 2);
        let rest = all[0]
            .strip_prefix("Acquire to Relaxed survives in ")
            .unwrap();
        assert_eq!(reason(rest, "b_c").unwrap(), "the fence acquires too.");
        assert_eq!(reason(rest, "b"), None);
        let rest = all[1]
            .strip_prefix("Release to Relaxed survives in ")
            .unwrap();
        assert_eq!(reason(rest, "b").unwrap(), "loom is stronger.");
        assert_eq!(reason("a: ", "a"), None);
    }
}
