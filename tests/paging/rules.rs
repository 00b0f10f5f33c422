//! Xen's rules for a PAE guest's root and its last L2, one by one.

use crate::*;
use ptom::pmap::Layout;
use ptom::xen::frame::Type;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::{Access, Domid, Errno, Mmu, MmuUpdate, NewPte, Pte};

/// Unused pages, zeroed.
const ROOT: Pfn = Pfn(900);
const L2S: [Pfn; 4] = [Pfn(901), Pfn(902), Pfn(903), Pfn(904)];
const OTHER: Pfn = Pfn(910);
const UNUSED: Pfn = Pfn(905);

/// Runs `check` in a PAE guest with a root made of those pages that is none yet.
fn with_root(check: impl FnOnce(Access<'_, Native>)) {
    let machine = machine(Paging::Pae, Era::Now);
    let cpu = machine.vcpu().unwrap();
    let _kernel = boot(&cpu, Alternate::Direct);
    let hold = cpu.hold();
    for (at, l2) in L2S.into_iter().enumerate() {
        set(hold.access(), ROOT, at, Some(l2), Pte::P).unwrap();
    }
    check(hold.access());
    drop(hold);
    assert_eq!(machine.guest().broken(), []);
}

/// Writes an entry that names a page, or nothing.
fn set(
    access: Access<'_, Native>,
    table: Pfn,
    index: usize,
    named: Option<Pfn>,
    flags: u64,
) -> Result<(), Errno> {
    let entry = access.mfn(table).unwrap().entry(index);
    let val = named.map(|page| NewPte::map(access.mfn(page).unwrap(), flags));
    let update = MmuUpdate::normal(entry, val.unwrap_or(NewPte::ZERO));
    let done = access.mmu_update(&[update]);
    done.map(drop).map_err(|refused| refused.errno)
}

fn pin(access: Access<'_, Native>, page: Pfn, level: u32) -> Result<(), Errno> {
    let pinned = access.pin(access.mfn(page).unwrap(), level);
    pinned.map_err(|refused| refused.errno)
}

fn word(access: Access<'_, Native>, table: Pfn, index: usize) -> Pte {
    access.read(access.mfn(table).unwrap(), index).pte()
}

#[test]
fn a_pae_root_is_whole_or_none() {
    with_root(|access| {
        set(access, ROOT, 3, None, 0).unwrap();
        assert_eq!(pin(access, ROOT, 3), Err(Errno::Inval), "no last L2");
        set(access, ROOT, 3, Some(L2S[3]), Pte::P).unwrap();
        set(access, ROOT, 0, None, 0).unwrap();
        // What the guest has behind the four is gone afterwards.
        set(access, ROOT, 4, Some(OTHER), Pte::P).unwrap();
        assert_eq!(pin(access, ROOT, 3), Ok(()), "any other may be missing");
        assert_eq!(word(access, ROOT, 4), Pte(0));
        assert_eq!(word(access, ROOT, 1).flags(), Pte::P | Pte::RW | Pte::US);
        let root = access.mfn(ROOT).unwrap();
        access.unpin(root).unwrap();
        assert_eq!(word(access, ROOT, 1).flags(), Pte::P);
    });
}

#[test]
fn its_last_entry_stays() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        set(access, ROOT, 2, None, 0).unwrap();
        set(access, ROOT, 2, Some(OTHER), Pte::P).unwrap();
        for (index, named) in [
            (3, None),
            (3, Some(L2S[3])),
            (3, Some(OTHER)),
            (3, Some(UNUSED)),
            (4, None),
        ] {
            let got = set(access, ROOT, index, named, Pte::P);
            assert_eq!(got, Err(Errno::Inval), "{index} {named:?}");
        }
        for flag in [Pte::NX, Pte::G, Pte::PWT, Pte::PSE, 1 << 52] {
            let got = set(access, ROOT, 1, Some(L2S[1]), Pte::P | flag);
            assert_eq!(got, Err(Errno::Inval), "{flag:#x}");
        }
    });
}

#[test]
fn its_last_l2_is_of_a_type_of_its_own() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        let kind = |page| {
            let mfn = access.mfn(page).unwrap().raw();
            access.guest().host().frame(mfn).kind()
        };
        assert_eq!(L2S.map(kind), [Type::L2, Type::L2, Type::L2, Type::XenL2]);
        assert_eq!(pin(access, L2S[3], 2), Err(Errno::Inval));
        assert_eq!(pin(access, L2S[2], 2), Ok(()));
        let first = set(access, ROOT, 0, Some(L2S[3]), Pte::P);
        assert_eq!(first, Err(Errno::Inval), "by another entry");
        // Xen's part of it begins where NetBSD says, and nobody else's L2 has one.
        let xens = Layout::of(Paging::Pae).xen.start % 512;
        assert!(word(access, L2S[3], xens).present());
        assert!(!word(access, L2S[2], xens).present());
        for (at, table, expected) in [
            (xens, L2S[3], Err(Errno::Perm)),
            (511, L2S[3], Err(Errno::Perm)),
            (xens - 1, L2S[3], Ok(())),
            (xens, L2S[2], Ok(())),
        ] {
            assert_eq!(
                set(access, table, at, Some(OTHER), Pte::P),
                expected,
                "{at}"
            );
        }
    });
}

#[test]
fn no_two_roots_share_it() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        for (last, expected) in [(L2S[3], Err(Errno::Inval)), (UNUSED, Ok(()))] {
            for (at, l2) in [L2S[0], L2S[1], L2S[2], last].into_iter().enumerate() {
                set(access, OTHER, at, Some(l2), Pte::P).unwrap();
            }
            assert_eq!(pin(access, OTHER, 3), expected, "{last:?}");
        }
    });
}

#[test]
fn nor_is_it_anything_else_before() {
    for (prepared, expected) in [
        (None, Ok(())),
        (Some(2), Err(Errno::Inval)),
        (Some(1), Err(Errno::Inval)),
    ] {
        with_root(|access| {
            if let Some(level) = prepared {
                pin(access, L2S[3], level).unwrap();
            }
            assert_eq!(pin(access, ROOT, 3), expected, "pinned as {prepared:?}");
        });
    }
}

#[test]
fn a_linear_entry_raises_its_count_and_no_root_names_another() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        let shared = |access: Access<'_, Native>| {
            let mfn = access.mfn(L2S[3]).unwrap().raw();
            access.guest().host().frame(mfn).type_count()
        };
        assert_eq!(shared(access), 1);
        set(access, L2S[2], 511, Some(L2S[3]), Pte::P).unwrap();
        assert_eq!(shared(access), 2, "NetBSD keeps a copy of it for that");
    });
    with_root(|access| {
        set(access, ROOT, 0, Some(ROOT), Pte::P).unwrap();
        assert_eq!(pin(access, ROOT, 3), Err(Errno::Inval), "itself");
    });
}

#[test]
fn there_is_no_fourth_level_and_no_user_root() {
    with_root(|access| {
        assert_eq!(pin(access, OTHER, 4), Ok(()), "ignored");
        let mfn = access.mfn(OTHER).unwrap();
        assert_eq!(access.guest().host().frame(mfn.raw()).type_count(), 0);
        let user = MmuextOp {
            command: 15,
            arg1: access.mfn(ROOT).unwrap().raw().0,
            arg2: 0,
        };
        let refused = access.raw().mmuext_op([Some(user)], None, Domid::SELF);
        assert_eq!(refused, Errno::Inval as i64, "MMUEXT_NEW_USER_BASEPTR");
        let end = Layout::of(Paging::Pae).base(1964);
        for va in [end, Va(1 << 32), Va(u64::MAX << 12)] {
            assert!(access.peek(va).is_err(), "{va:?}");
        }
    });
}
