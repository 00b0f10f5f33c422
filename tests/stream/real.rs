//! Streams that Xen 4.17 wrote: read, walked, compared with what else was recorded, written again.

use crate::streams::{dump, recorded};
use ptom::xen::stream::{PageType, Stream};

const BARE: [&str; 2] = ["rust16-1vcpu", "rust16-types"];

fn bare(name: &str) -> Vec<u8> {
    recorded(&format!("{name}.libxc.xz"))
}

#[test]
fn what_was_read_is_written_again_octet_for_octet() {
    for name in BARE {
        let bytes = bare(name);
        let stream = Stream::read(&bytes).unwrap();
        assert!(stream.write() == bytes, "{name}");
    }
}

#[test]
fn the_file_that_xl_wrote_holds_the_same_stream() {
    let file = recorded("rust16-1vcpu.xlsave.xz");
    let stream = Stream::read_saved(&file).unwrap();
    assert!(stream.write() == bare("rust16-1vcpu"));
    // Around it, too, nothing may be amiss.
    for (at, octet, part) in [
        (0, 0, "xl's header, octet 0x0: octet of the magic"),
        (0x24, 2, "xl's header, octet 0x24: mandatory flags is 0x2"),
        (0x30, 0, "xl's configuration, octet 0x30: length is"),
        (0x33f, 0, "libxl's header, octet 0x33f: ident"),
        (0x34f, 2, "LIBXC_CONTEXT of libxl, octet 0x34f: type is 0x2"),
        (0x357, 0, "image header, octet 0x357: marker"),
        (0x38f, 3, "record 2 (X86_PV_P2M_FRAMES), octet 0x38f"),
        (file.len() - 1, 1, "END of libxl, octet 0x100ae1b: length"),
    ] {
        let mut broken = file.clone();
        broken[at] = octet;
        let refused = Stream::read_saved(&broken).unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn every_present_entry_leads_somewhere() {
    // The second guest has unmapped two of the pages that its L1 tables map at boot.
    let expected = [([2, 1, 1, 1], 1024), ([5, 3, 3, 4], 1022)];
    for (name, (tables, pages)) in BARE.into_iter().zip(expected) {
        let bytes = bare(name);
        let stream = Stream::read(&bytes).unwrap();
        let loaded = stream.walk([stream.state().vcpus[0].root()]).unwrap();
        assert_eq!(loaded.tables, [2, 1, 1, 1], "{name}");
        assert_eq!(loaded.entries, [pages, 2, 1, 1], "{name}");
        let all = stream.walk(stream.roots()).unwrap();
        assert_eq!(all.tables, tables, "{name}");
        assert_eq!((all.linear > 0, all.empty), (name == "rust16-types", 0));
        // What is a table is reached from a root, or from a pin: nothing else makes it one.
        let kinds = stream.pages().map(|(_, page)| page.kind());
        let typed = kinds.filter(|kind| matches!(kind, PageType::Table { .. }));
        assert_eq!(typed.count() as u64, all.tables.iter().sum::<u64>());
    }
}

#[test]
fn the_list_inside_is_the_p2m_before_the_save() {
    for name in BARE {
        let bytes = bare(name);
        let stream = Stream::read(&bytes).unwrap();
        let frames = stream.state().p2m_frames.iter();
        let pages = frames.map(|pfn| stream.page(*pfn).unwrap());
        let inside: Vec<u64> = pages.flat_map(|page| page.words()).collect();
        let dump = dump(&format!("{name}.p2m-before.txt.xz"));
        let outside: Vec<u64> = dump.iter().map(|(mfn, _)| *mfn).collect();
        assert_eq!(inside, outside, "{name}");
        for ((pfn, page), (mfn, kind)) in stream.pages().zip(&dump) {
            let said = match page.kind() {
                PageType::Table { level, pinned } => u64::from(level) | u64::from(pinned) << 3,
                PageType::XTab => 15,
                _ => 0,
            };
            assert_eq!(said, *kind, "{name}: {pfn:?}");
            assert_eq!(said == 15, *mfn == u64::MAX, "{name}: {pfn:?}");
        }
    }
}
