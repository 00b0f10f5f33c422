//! Small sweeps: the counts are exact, so the figures are.

use super::*;

fn plan() -> Plan {
    Plan {
        whole: 100,
        roots: 1_000,
        dirty: vec![Dirty::Count(8), Dirty::Percent(10.0)],
        vcpus: 4,
        memory: u64::MAX,
        charges: Charges::default(),
    }
}

fn rows(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    run(plan, |row| {
        rows.push(row);
        true
    });
    rows
}

fn row<'r>(rows: &'r [Row], pmaps: u64, asked: &str, way: &str) -> &'r Row {
    let mut found = rows
        .iter()
        .filter(|row| (row.pmaps, row.asked.as_str(), row.way) == (pmaps, asked, way));
    let only = found.next().expect("a row");
    assert_eq!(found.next(), None);
    only
}

#[test]
fn each_size_has_every_way_and_what_grows_is_known() {
    let rows = rows(&plan());
    assert_eq!(rows.len(), 3 * 2 * 6);
    assert!(rows.iter().all(|row| row.err.is_none()), "{rows:?}");
    let price = |pmaps, way| row(&rows, pmaps, "8", way).charged_ns;
    // 8 of 1,000: the list does not grow, nor do the vCPUs; the others do, by ten.
    for way in ["dirty_list", "per_cpu", "eager"] {
        assert!(price(1_000, way) == price(100, way), "{way}");
    }
    for way in ["map_each", "pm_pdir", "batched"] {
        let grown = price(1_000, way) / price(100, way);
        assert!((8.0..11.0).contains(&grown), "{way}: {grown}");
    }
    assert!(price(1_000, "eager") == 0.0);
    assert!(price(1_000, "map_each") > 100.0 * price(1_000, "dirty_list"));
    // What is saved at the save is paid on each visit.
    let visit = |way| row(&rows, 1_000, "8", way).visit_ns.unwrap();
    assert!(visit("eager") > 3.0 * visit("dirty_list"));
    let counted = row(&rows, 100, "10%", "dirty_list");
    assert_eq!(
        (counted.dirty, counted.updates, counted.hypercalls),
        (10, 10, 1)
    );
    let mapped = row(&rows, 100, "10%", "map_each");
    assert_eq!(mapped.hypercalls, 100 + 99 + 10 + 1);
}

#[test]
fn what_memory_lacks_is_a_line() {
    let plan = Plan {
        memory: 4_000_000,
        ..plan()
    };
    let rows = rows(&plan);
    let last = rows.last().unwrap();
    assert_eq!((last.pmaps, last.tables), (1_000, "roots"));
    let why = last.err.as_ref().unwrap();
    assert!(why.contains("memory") && why.contains("6 MB"), "{why}");
    let text = to_csv(&rows).unwrap();
    assert_eq!(text.lines().count(), 1 + rows.len());
    assert!(text.lines().last().unwrap().contains("memory"));
}

#[test]
fn prices_can_be_set_and_nonsense_cannot() {
    let mut charges = Charges::default();
    charges.set("hypercall=0").unwrap();
    charges.set("update=1").unwrap();
    charges.set("read=0").unwrap();
    let plan = Plan { charges, ..plan() };
    assert!(row(&rows(&plan), 100, "8", "dirty_list").charged_ns == 8.0);
    for nonsense in ["", "hypercall", "syscall=1", "read=-1", "read=NaN"] {
        let said = charges.set(nonsense).unwrap_err().to_string();
        assert!(said.contains("shootdown") && !said.contains('\n'), "{said}");
    }
}

#[test]
fn dirty_is_a_number_or_a_percentage() {
    assert_eq!("8".parse(), Ok(Dirty::Count(8)));
    assert_eq!("1%".parse(), Ok(Dirty::Percent(1.0)));
    assert_eq!(Dirty::Count(8).of(10), 5);
    for nonsense in ["", "%", "60%", "-1", "-1%", "many"] {
        assert!(nonsense.parse::<Dirty>().is_err(), "{nonsense}");
    }
}

#[test]
fn it_stops_when_told() {
    let mut seen = 0;
    run(&plan(), |_| {
        seen += 1;
        seen < 3
    });
    assert_eq!(seen, 3);
}

#[test]
fn the_recorded_sweep_reaches_the_aim() {
    // The mail's way against those that visit only what was set, at 100,000 pmaps of which 8 are.
    let recorded = include_str!("../../../results/sweep.csv");
    let mut reader = csv::Reader::from_reader(recorded.as_bytes());
    let rows: Vec<std::collections::HashMap<String, String>> =
        reader.deserialize().collect::<Result<_, _>>().unwrap();
    let charged = |way: &str| {
        let wanted = [
            ("pmaps", "100000"),
            ("tables", "whole"),
            ("asked", "8"),
            ("way", way),
        ];
        let mut found = rows
            .iter()
            .filter(|row| wanted.iter().all(|(column, value)| row[*column] == *value));
        found.next().expect("a row")["charged_ns"]
            .parse::<f64>()
            .unwrap()
    };
    for way in ["dirty_list", "per_cpu"] {
        assert!(charged("map_each") >= 1_000.0 * charged(way), "{way}");
    }
}
