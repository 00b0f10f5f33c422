//! The two restartable sections, in x86-64 assembly: what a reader does to the line of the CPU it runs on.
//!
//! Invariant: the words that sections count in are written by sections of that line's CPU alone, and by
//! no more than one at a time: a section that is preempted, moved to another CPU, or interrupted by a signal or
//! by `membarrier` before its last instruction is begun anew, and its last instruction is its only store
//! to the line. So that one needs no `lock` prefix, and nobody ever counts on another CPU's line.
//!
//! How a section is made known to the kernel (`rseq(2)`): a descriptor names its first instruction, its
//! length, and where to go instead of going on; its address is stored in the thread's `struct rseq`, which
//! glibc has registered. Whatever the CPU number read within it says is true until the end. Outside it is
//! a guess.
//!
//! * The kernel takes the descriptor's address out when it finds the thread elsewhere, so nothing is
//!   stored at the end. But until then the thread points to it: code with sections must not be unmapped
//!   (`dlclose`) while a thread lives that has run one.
//! * A thread that is not registered has -1 or -2 for its CPU number: more than there are lines.
//! * A debugger that stops at each instruction of a section begins it anew for ever.
//!
//! Source: Linux `rseq(2)` and its selftests; Mathieu Desnoyers' librseq.

#![allow(unsafe_code)]

use super::lines::Line;
use crate::primitive::Padded;

/// What the sections of one lock work with; a copy is in each reader's handle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'l> {
    /// A line a CPU; none where there is no `rseq(2)`.
    lines: &'l [Padded<Line>],
    /// Where a thread's `struct rseq` is, from its thread pointer; right if there are lines.
    area: isize,
}

impl<'l> Section<'l> {
    /// Sections on these lines, the first of which is CPU 0's; none must be written otherwise.
    pub(super) fn new(lines: &'l [Padded<Line>]) -> Self {
        let area = area();
        Self {
            lines: if area.is_some() { lines } else { &[] },
            area: area.unwrap_or(0),
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) use assembly::area;

/// No section is written for this machine.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod without {
    use super::Section;

    pub(in super::super) fn area() -> Option<isize> {
        None
    }

    impl Section<'_> {
        pub(in super::super) fn guess(&self) -> Option<usize> {
            None
        }
        pub(in super::super) fn enter(&self) -> bool {
            false
        }
        pub(in super::super) fn leave(&self) -> bool {
            false
        }
    }
}
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(super) use without::area;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod assembly {
    use super::{Line, Padded, Section};
    use core::arch::asm;
    use core::mem::offset_of;

    /// Bytes between two lines, as a shift.
    const SHIFT: u32 = size_of::<Padded<Line>>().trailing_zeros();
    const _: () = assert!(size_of::<Padded<Line>>().is_power_of_two());

    /// Where the CPU number is in a `struct rseq`, and where the descriptor's address.
    const CPU_ID: usize = 4;
    const RSEQ_CS: usize = 8;

    /// Where the C library has registered its threads, from their thread pointers, if it has: what glibc tells
    /// by `__rseq_offset` and `__rseq_size`.
    ///
    /// The symbols are weak, so that a program links and runs where there are none (musl): then they are null.
    pub(in super::super) fn area() -> Option<isize> {
        let (offset, size): (*const isize, *const u32);
        // SAFETY: it loads two addresses that the linker, or the loader, has put there.
        unsafe {
            asm!(
                ".weak __rseq_offset",
                ".weak __rseq_size",
                "mov {offset}, qword ptr [rip + __rseq_offset@GOTPCREL]",
                "mov {size}, qword ptr [rip + __rseq_size@GOTPCREL]",
                offset = out(reg) offset,
                size = out(reg) size,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        // SAFETY: null, or constants of the C library, of the types that its header says.
        let (offset, size) = unsafe { (offset.as_ref()?, size.as_ref()?) };
        (*size != 0).then_some(*offset)
    }

    /// A section round these instructions, the last of which is its store: a false one makes the function
    /// return false. The CPU number is below the number of lines when they begin, and `{line}` the distance
    /// from the first line to that CPU's.
    ///
    /// The number before the way out is what glibc registers its threads with: the kernel jumps nowhere else.
    macro_rules! section {
        ($section:expr, [$($instruction:literal),*], $($word:ident = $offset:expr),*) => {
            asm!(
                "2:",
                "lea {line}, [rip + 8f]",
                "mov qword ptr fs:[{area} + {RSEQ_CS}], {line}",
                "3:",
                "mov {line:e}, dword ptr fs:[{area} + {CPU_ID}]",
                "cmp {line}, {count}",
                "jae {refused}",
                "shl {line}, {SHIFT}",
                $($instruction,)*
                "4:",
                ".pushsection __rseq_cs, \"aw\"",
                ".balign 32",
                "8:",
                ".long 0, 0",
                ".quad 3b, 4b - 3b, 9f",
                ".popsection",
                ".pushsection .text.__rseq_failure, \"ax\"",
                ".byte 0x0f, 0xb9, 0x3d",
                ".long 0x53053053",
                "9:",
                "jmp 2b",
                ".popsection",
                line = out(reg) _,
                lines = in(reg) $section.lines.as_ptr(),
                count = in(reg) $section.lines.len(),
                area = in(reg) $section.area,
                refused = label { return false },
                RSEQ_CS = const RSEQ_CS,
                CPU_ID = const CPU_ID,
                SHIFT = const SHIFT,
                $($word = const $offset,)*
                options(nostack)
            )
        };
    }

    impl Section<'_> {
        /// The calling thread's CPU, or the one it was on just now; `None` if that has no line.
        pub(in super::super) fn guess(&self) -> Option<usize> {
            if self.lines.is_empty() {
                return None;
            }
            let cpu: u32;
            // SAFETY: there are lines, so glibc has put a `struct rseq` there for every thread.
            unsafe {
                asm!(
                    "mov {cpu:e}, dword ptr fs:[{area} + {CPU_ID}]",
                    cpu = lateout(reg) cpu,
                    area = in(reg) self.area,
                    CPU_ID = const CPU_ID,
                    options(nostack, preserves_flags, readonly)
                );
            }
            Some(cpu as usize).filter(|&cpu| cpu < self.lines.len())
        }

        /// Counts a hold on this CPU, if that has a line, and its line the token. A section of six
        /// instructions and one store, and a store to announce it.
        #[inline(always)]
        pub(in super::super) fn enter(&self) -> bool {
            if self.lines.is_empty() {
                return false;
            }
            // SAFETY: there are lines, so glibc has put a `struct rseq` there for every thread, registered or
            // not. The descriptor lives as long as this code. The line is one of `lines`, and its words are
            // atomic; nobody else writes this one, see above. Begun anew, it uses nothing of its first run.
            unsafe {
                section!(
                    self,
                    [
                        "cmp qword ptr [{lines} + {line} + {TOKEN}], 0",
                        "je {refused}",
                        "inc qword ptr [{lines} + {line} + {ENTERED}]"
                    ],
                    TOKEN = offset_of!(Line, token),
                    ENTERED = offset_of!(Line, entered)
                );
            }
            true
        }

        /// Counts a hold's end on this CPU, if that has a line. A section of four instructions and one
        /// store, and a store to announce it.
        #[inline(always)]
        pub(in super::super) fn leave(&self) -> bool {
            if self.lines.is_empty() {
                return false;
            }
            // SAFETY: as in `enter`.
            unsafe {
                section!(
                    self,
                    ["inc qword ptr [{lines} + {line} + {LEFT}]"],
                    LEFT = offset_of!(Line, left)
                );
            }
            true
        }
    }
}
