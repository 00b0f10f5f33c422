//! Sources: packings, and files that are no traces.

use std::io::Write;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{fault, load_bytes};
use crate::lab::trace::{EMBEDDED, Source, TraceErrorKind, load};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn plain() -> String {
    (0..50).map(|us| fault((1, 1), us, u64::from(us))).collect()
}

/// The message for a trace that must be refused: one line, with the name.
fn refused(bytes: impl Into<Vec<u8>>) -> String {
    let message = load_bytes(bytes).expect_err("no trace").to_string();
    assert!(
        message.starts_with("test: ") && !message.contains('\n'),
        "{message}"
    );
    message
}

#[test]
fn every_packing_gives_the_same_script() {
    let text = plain();
    let expected = load_bytes(text.clone()).unwrap();
    assert_eq!(expected.stats.faults, 50);
    assert_eq!(load_bytes(gzip(text.as_bytes())).unwrap(), expected);
    let (head, tail) = text.as_bytes().split_at(777);
    assert_eq!(
        load_bytes([gzip(head), gzip(tail)].concat()).unwrap(),
        expected
    );
    assert_eq!(load_bytes(text.replace('\n', "\r\n")).unwrap(), expected);
}

#[test]
fn concatenated_xz_is_read_to_its_end() {
    let twice = load_bytes([EMBEDDED.1, EMBEDDED.1].concat()).unwrap();
    assert_eq!(twice.stats.faults, 2 * 7_450);
    super::interpreter::check(&twice);
}

#[test]
fn sources_have_names() {
    assert_eq!(Source::from_argument("-"), Source::Stdin);
    assert_eq!(Source::Stdin.name(), "standard input");
    assert_eq!(Source::embedded().name(), "shell.perf.xz");
    let nowhere = Source::from_argument("no/such\nfile");
    let error = load(&nowhere).unwrap_err();
    assert!(matches!(error.kind, TraceErrorKind::Open(_)));
    assert!(
        error
            .to_string()
            .starts_with("no/such\\nfile: cannot be opened")
    );
}

#[test]
fn cut_packed_files_say_so() {
    let gz = gzip(plain().as_bytes());
    let xz = EMBEDDED.1;
    for (name, whole) in [("gzip", &gz[..]), ("xz", xz)] {
        for keep in [8, 13, whole.len() / 2, whole.len() - 1] {
            let message = refused(&whole[..keep]);
            let said = message.contains(&format!("the {name} data ends too early"));
            assert!(said, "{keep} of {}: {message}", whole.len());
        }
    }
}

#[test]
fn damaged_packed_files_say_so() {
    let gz = gzip(plain().as_bytes());
    for (name, whole) in [("gzip", &gz[..]), ("xz", EMBEDDED.1)] {
        let mut bytes = whole.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40].fill(0xff);
        let message = refused(bytes);
        assert!(
            message.contains(&format!("the {name} data is damaged")),
            "{message}"
        );
    }
    assert!(refused([gz, vec![1; 100]].concat()).contains("gzip data"));
}

#[test]
fn perf_data_and_other_packings_have_their_own_messages() {
    assert!(refused("PERFILE2\0\0\0").contains("this is perf.data"));
    assert!(refused("\x28\u{b5}").contains("not the output of perf script"));
    assert!(refused(*b"\x28\xb5\x2f\xfd....").contains("zstd"));
    assert!(refused(*b"BZh91AY").contains("bzip2"));
}

#[test]
fn foreign_files_are_refused() {
    assert!(refused("").contains("is empty"));
    assert!(refused(gzip(b"")).contains("is empty"));
    assert!(refused("\n").contains("not the output of perf script"));
    assert!(
        refused("# a comment\nof some other\nprogram\n").contains("not the output of perf script")
    );
    assert!(refused("x 1/1 5.0: cycles: 1000\n").contains("not the output of perf script"));
    assert!(refused([plain().as_bytes(), b"a\0b\n"].concat()).contains("line 51 holds a NUL byte"));
    assert!(refused([plain().as_bytes(), b"\xff\xfe\n"].concat()).contains("line 51 is not text"));
    assert!(refused(vec![b'x'; 3 << 20]).contains("longer than 1 MiB"));
    assert!(refused(gzip(&vec![b'x'; 64 << 20])).contains("longer than 1 MiB"));
}

#[test]
fn names_in_other_encodings_are_no_reason_to_refuse() {
    let line = b"caf\xe9 1/1 5.0: page-faults: 1000\n";
    assert_eq!(load_bytes(*line).unwrap().stats.faults, 1);
}

#[test]
fn a_cut_last_line_is_refused() {
    let text = plain();
    for cut in [
        "            bash 1/1 ",
        "x 1/1 5.0: page-fau",
        "x 1/1 5.0: page-faults:  ",
    ] {
        let message = refused(format!("{text}{cut}"));
        assert!(message.contains("line 51, the last, is cut"), "{message}");
    }
    // Its record can be read, but an address may have lost its last digits.
    let message = refused(text.trim_end().to_owned());
    assert!(message.contains("line 50, the last, is cut"), "{message}");
}

#[test]
fn faults_without_addresses_are_refused() {
    let without = "x 1/1 5.0: page-faults:\n";
    assert!(refused(without).contains("carry no addresses"));
    assert!(refused("x 1/1 5.0: page-faults:  0\n").contains("carry no addresses"));
    assert!(load_bytes(format!("{without}{}", plain())).is_ok());
}

#[test]
fn unknown_lines_are_counted() {
    let text = format!("# comment\n\n{}x 1/1 5.0: cycles: 5\n", plain());
    let stats = load_bytes(text).unwrap().stats;
    assert_eq!(
        (stats.lines, stats.unknown_lines, stats.faults),
        (53, 3, 50)
    );
}
