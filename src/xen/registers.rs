//! A vCPU's registers, as far as a guest may keep a frame's number in one, and its debug registers.
//!
//! They are words that come back as they were: of all but the roots, the tools know only that vCPU 0's rdx
//! holds start_info's frame at the suspend hypercall, and translate that one.
//!
//! Source: `struct vcpu_guest_context` of x86-64; `process_vcpu_basic`, `write_one_vcpu_basic` of the tools.

use super::domain::Cpu;
use super::hypercall::Errno;
use super::walk::is_guests;
use crate::backend::{Atomic, Backend};
use core::array;
use core::sync::atomic::Ordering::Relaxed;

/// A register of 64 bits. Of an xmm register, the low half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register64(usize);

/// The general registers, in the order of the context.
const GENERAL: [&str; 15] = [
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
    "rdi",
];
const RDX: usize = 12;
const XMM: usize = 16;
const DEBUG: usize = 4;
/// How many there are here.
pub(super) const REGISTERS: usize = GENERAL.len() + XMM + DEBUG;
const FIRST_XMM: usize = GENERAL.len();
const FIRST_DEBUG: usize = FIRST_XMM + XMM;

impl Register64 {
    /// What the third argument of a hypercall is in.
    pub const RDX: Self = Self(RDX);

    /// A general register by its name, or `xmm0` to `xmm15`.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix("xmm") {
            let number = number.parse().ok().filter(|number| *number < XMM);
            return number.map(|number: usize| Self(FIRST_XMM + number));
        }
        let at = GENERAL.iter().position(|known| *known == name);
        at.map(Self)
    }

    fn debug(number: u32) -> Option<Self> {
        let number = number as usize;
        (number < DEBUG).then_some(Self(FIRST_DEBUG + number))
    }
}

/// Where in a vCPU's context each register is.
pub(super) fn offsets() -> [usize; REGISTERS] {
    array::from_fn(|at| match at {
        FIRST_DEBUG.. => 5048 + 8 * (at - FIRST_DEBUG),
        FIRST_XMM.. => 160 + 16 * (at - FIRST_XMM),
        _ => 520 + 8 * at,
    })
}

/// What is in them.
pub(super) type Words = [u64; REGISTERS];

/// A vCPU's.
#[derive(Debug)]
pub(super) struct Registers<B: Backend>([B::U64; REGISTERS]);

impl<B: Backend> Registers<B> {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| B::U64::new(0)))
    }

    pub(super) fn get(&self, register: Register64) -> u64 {
        self.0[register.0].load(Relaxed)
    }

    pub(super) fn set(&self, register: Register64, word: u64) {
        self.0[register.0].store(word, Relaxed);
    }

    pub(super) fn words(&self) -> Words {
        self.0.each_ref().map(|register| register.load(Relaxed))
    }

    pub(super) fn load(&self, words: &Words) {
        for (register, word) in self.0.iter().zip(words) {
            register.store(*word, Relaxed);
        }
    }
}

impl<B: Backend> Cpu<'_, B> {
    /// `set_debugreg`, of those that hold an address: it must be the guest's.
    pub(super) fn set_debug(&self, number: u32, address: u64) -> Result<(), Errno> {
        let register = Register64::debug(number).ok_or(Errno::Inval)?;
        if !is_guests(address) {
            return Err(Errno::Perm);
        }
        self.state.registers.set(register, address);
        Ok(())
    }

    /// `get_debugreg`.
    pub(super) fn debug(&self, number: u32) -> Result<u64, Errno> {
        let register = Register64::debug(number).ok_or(Errno::Inval)?;
        Ok(self.state.registers.get(register))
    }
}
