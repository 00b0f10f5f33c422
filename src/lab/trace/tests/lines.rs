//! The parser, on lines as perf prints them and on awkward ones.

use crate::lab::trace::perf::{Access, Kind, Object, parse};

fn kind(line: &str) -> Kind<'_> {
    parse(line).map_or(Kind::Other, |record| record.kind)
}

#[test]
fn a_fault_of_a_thread_with_a_long_name() {
    let record =
        parse(" tokio-runtime-w 10266/10268  3938.512701: page-faults:     7f6eb9d6b018").unwrap();
    assert_eq!((record.pid, record.tid), (10266, 10268));
    assert_eq!(record.time_ns, 3_938_512_701_000);
    assert_eq!(
        record.kind,
        Kind::Fault {
            addr: 0x7f6e_b9d6_b018
        }
    );
}

#[test]
fn names_may_hold_anything() {
    for name in [
        "opt cgu.0",
        "a: b",
        "1/2 3.5: x",
        "7 1.5:",
        "(sd-pam)",
        "[001]",
        "",
        "0",
        ":-1",
        "\u{e9}\u{3000}",
    ] {
        let line = std::format!("{name} 12/34 [003]  5.000001: page-faults: 1000");
        let record = parse(&line).unwrap();
        assert_eq!((record.pid, record.tid), (12, 34), "{line}");
        assert_eq!(record.kind, Kind::Fault { addr: 0x1000 }, "{line}");
    }
}

#[test]
fn other_ways_to_print_a_fault() {
    for (text, time_ns) in [
        ("x 12/12 5.000001: page-faults: 7f00", 5_000_001_000),
        ("x 12/12 5.000001002: page-faults:u: 7f00", 5_000_001_002),
        ("x 12 5.000001: minor-faults: 7f00", 5_000_001_000),
        (
            "x 12 [000] 5.000001: 1 page-faults:Hu: 7f00 55d0 main+0x1 (x)",
            5_000_001_000,
        ),
        (
            "12/12 [000] K 5.000001: major-faults: 0x7f00",
            5_000_001_000,
        ),
        (
            "x 12/12 5.000001:          1   faults:   7f00 a b",
            5_000_001_000,
        ),
    ] {
        let record = parse(text).unwrap();
        assert_eq!(
            (record.pid, record.tid, record.time_ns),
            (12, 12, time_ns),
            "{text}"
        );
        assert_eq!(record.kind, Kind::Fault { addr: 0x7f00 }, "{text}");
    }
    assert_eq!(kind("x 1/1 5.0: page-faults:"), Kind::FaultWithoutAddress);
    assert_eq!(
        kind("x 1/1 5.0: page-faults: main+0x5"),
        Kind::FaultWithoutAddress
    );
    assert_eq!(
        kind("x 1/1 5.0: page-faults: ffffffff81000000"),
        Kind::Fault {
            addr: 0xffff_ffff_8100_0000
        }
    );
}

#[test]
fn tasks() {
    assert_eq!(
        kind("bash 7/7 5.0: PERF_RECORD_FORK(8:9):(7:6)"),
        Kind::Fork {
            pid: 8,
            tid: 9,
            ppid: 7,
            ptid: 6
        }
    );
    assert_eq!(
        kind("bash 7/7 5.0: PERF_RECORD_EXIT(8:9):(7:7)"),
        Kind::Exit { pid: 8, tid: 9 }
    );
    let exec = parse("bash 7/7 5.0: PERF_RECORD_COMM exec: a:b c:8/9").unwrap();
    assert_eq!((exec.pid, exec.tid), (8, 9), "the record's own task wins");
    assert_eq!(
        exec.kind,
        Kind::Comm {
            exec: true,
            name: "a:b c"
        }
    );
    assert_eq!(
        kind("perf-exec 0/0 0.000000: PERF_RECORD_COMM: perf-exec:1/1"),
        Kind::Comm {
            exec: false,
            name: "perf-exec"
        }
    );
}

#[test]
fn mappings() {
    let Kind::Mmap2 {
        start,
        len,
        pgoff,
        object,
        access,
        name,
    } = kind(
        "bash 1/1 5.0: PERF_RECORD_MMAP2 1/1: [0x555cd947d000(0xc1000) @ 0x2f000 fe:0a 247003 9]: r-xs a ]: b",
    )
    else {
        panic!("not a mapping");
    };
    assert_eq!((start, len, pgoff), (0x555c_d947_d000, 0xc1000, 0x2f000));
    assert_eq!(
        object,
        Object::Inode {
            major: 0xfe,
            minor: 10,
            inode: 247_003
        }
    );
    assert_eq!(
        access,
        Access {
            read: true,
            write: false,
            execute: true,
            private: false
        }
    );
    assert_eq!(name, "a ]: b");

    let by_build = kind("b 1/1 5.0: PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 <0af3>]: r--p x");
    assert!(matches!(
        by_build,
        Kind::Mmap2 {
            object: Object::BuildId("<0af3>"),
            ..
        }
    ));
}

#[test]
fn what_is_not_understood_is_other() {
    for text in [
        "",
        "# comment",
        ":",
        "5.0: page-faults: 1000",
        "x 1/1 5: page-faults: 1000",
        "x 1/1 5.0000000001: page-faults: 1000",
        "x 1/1 99999999999999999999.0: page-faults: 1000",
        "x 1/1 99999999999999.0: page-faults: 1000",
        "x -1/1 5.0: page-faults: 1000",
        "x 99999999999/1 5.0: page-faults: 1000",
        "x 1/1 5.0: cycles: 1000",
        "x 1/1 5.0: PERF_RECORD_LOST lost 5",
        "x 1/1 5.0: PERF_RECORD_FORK(1:1):",
        "x 1/1 5.0: PERF_RECORD_MMAP2 1/1: [0x1(0x1) @ 0 00:00 0 0]: rw-",
        "x 1/1 5.0: PERF_RECORD_MMAP2 1/1: [0x1(0x11111111111111111) @ 0 00:00 0 0]: rw-p",
        "swapper 0/0 0.0: PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x1206448) @ 0xffffffff81000000]: x [k]_text",
        "\tffffffff81000000 do_page_fault+0x5 ([kernel.kallsyms])",
    ] {
        assert_eq!(kind(text), Kind::Other, "{text}");
    }
}
