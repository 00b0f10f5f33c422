//! tmp
use ptom::conformance::native::{payload::Words, plan::Plan, registry, stress::Quota};
fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let holds: u64 = a[0].parse().unwrap();
    for c in registry::all() {
        if a.len() > 1 && !c.name.contains(&a[1]) {
            continue;
        }
        let seed = a.get(2).map_or(1, |s| s.parse().unwrap());
        let o = (c.run)(
            Plan {
                seed,
                ..Plan::holds(holds)
            },
            &Words::default(),
            &Quota::default(),
        );
        println!(
            "{} {} {} {:?} {:.0}k/s",
            c.name,
            o.verdict(),
            c.expected,
            o,
            holds as f64 / o.elapsed.as_secs_f64() / 1e3
        );
    }
}
