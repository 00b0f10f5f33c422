//! The other side of `peer.h`: a table of C functions as a contender.
//!
//! `shared` is made and destroyed by `CPeer`, a worker by `CWorker`, which borrows the peer and
//! stays on the thread that made it: what it registers is that thread.

#![allow(unsafe_code)]

use super::super::{Order, Peer};
use crate::lab::measure::contender::{Contender, Worker};
use crate::lab::measure::p2m::translate;
use crate::lab::measure::site::Site;
use crate::lab::measure::watch::{Watch, attend};
use crate::lab::measure::workload::FAILED;
use crate::lab::sample::Workload;
use crate::scheme::Full;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// `struct ops` of `peer.h`, field by field.
#[repr(C)]
struct Ops {
    create: unsafe extern "C" fn(*const u64, u64) -> *mut c_void,
    destroy: unsafe extern "C" fn(*mut c_void),
    join: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    leave: unsafe extern "C" fn(*mut c_void),
    begin: unsafe extern "C" fn(*mut c_void),
    end: unsafe extern "C" fn(*mut c_void),
    enter: unsafe extern "C" fn(*mut c_void),
    exit: unsafe extern "C" fn(*mut c_void),
    quiescent: unsafe extern "C" fn(*mut c_void),
    table: unsafe extern "C" fn(*mut c_void) -> *const AtomicU64,
    hold: unsafe extern "C" fn(*mut c_void, u64) -> u64,
    nested: unsafe extern "C" fn(*mut c_void, u64) -> u64,
    dependent: unsafe extern "C" fn(*mut c_void, u64) -> u64,
    suspend: unsafe extern "C" fn(*mut c_void, unsafe extern "C" fn(*mut c_void), *mut c_void),
}

// SAFETY: each is a constant of that type in the file of its name, built beside this one.
unsafe extern "C" {
    safe static ptom_c_raw: Ops;
    safe static ptom_urcu_memb: Ops;
    safe static ptom_urcu_mb: Ops;
    safe static ptom_urcu_qsbr: Ops;
    safe static ptom_urcu_bp: Ops;
    safe static ptom_ck_brlock: Ops;
    safe static ptom_ck_bytelock: Ops;
    safe static ptom_ck_rwlock: Ops;
    safe static ptom_ck_pflock: Ops;
    safe static ptom_ck_epoch: Ops;
    safe static ptom_ck_sequence: Ops;
    safe static ptom_pthread_rwlock: Ops;
    safe static ptom_pthread_rwlock_writer: Ops;
}

fn ops(name: &str) -> Option<&'static Ops> {
    Some(match name {
        "c_raw" => &ptom_c_raw,
        "urcu_memb" => &ptom_urcu_memb,
        "urcu_mb" => &ptom_urcu_mb,
        "urcu_qsbr" => &ptom_urcu_qsbr,
        "urcu_bp" => &ptom_urcu_bp,
        "ck_brlock" => &ptom_ck_brlock,
        "ck_bytelock" => &ptom_ck_bytelock,
        "ck_rwlock" => &ptom_ck_rwlock,
        "ck_pflock" => &ptom_ck_pflock,
        "ck_epoch" => &ptom_ck_epoch,
        "ck_sequence" => &ptom_ck_sequence,
        "pthread_rwlock" => &ptom_pthread_rwlock,
        "pthread_rwlock_writer" => &ptom_pthread_rwlock_writer,
        _ => return None,
    })
}

/// The contender of a peer in C.
pub(super) fn make(peer: &'static Peer, order: &Order<'_>) -> Box<dyn Contender> {
    let words: Vec<u64> = order
        .table
        .words()
        .iter()
        .map(|w| w.load(Relaxed))
        .collect();
    let made = ops(peer.name).and_then(|ops| {
        // SAFETY: the words are as many as it is told, and it copies them.
        let shared = unsafe { (ops.create)(words.as_ptr(), words.len() as u64) };
        Some((ops, NonNull::new(shared)?))
    });
    Box::new(CPeer {
        peer,
        made,
        entries: words.len(),
        workload: order.workload,
    })
}

/// A lock in C, and its table.
struct CPeer {
    peer: &'static Peer,
    /// `None` where it could not be made: then it has no room for a worker.
    made: Option<(&'static Ops, NonNull<c_void>)>,
    entries: usize,
    workload: Workload,
}

// SAFETY: what `shared` points to is a lock and a table, made to be used by many threads, and all
// that is called on it here (`join`) locks it where it writes.
unsafe impl Send for CPeer {}
// SAFETY: as above.
unsafe impl Sync for CPeer {}

impl Drop for CPeer {
    fn drop(&mut self) {
        if let Some((ops, shared)) = self.made {
            // SAFETY: it was made by `create`, and every worker borrows this, so all have left.
            unsafe { (ops.destroy)(shared.as_ptr()) };
        }
    }
}

impl Contender for CPeer {
    fn name(&self) -> &'static str {
        self.peer.name
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        let (ops, shared) = self.made.ok_or(Full)?;
        // SAFETY: it was made by `create`, and is destroyed after this worker.
        let worker = unsafe { (ops.join)(shared.as_ptr()) };
        Ok(Box::new(CWorker {
            ops,
            worker: NonNull::new(worker).ok_or(Full)?,
            entries: self.entries,
            workload: self.workload,
            _peer: PhantomData,
        }))
    }

    fn holds_per_op(&self) -> Option<f64> {
        None
    }
}

/// A registered thread; not `Send`, since it holds a pointer.
struct CWorker<'p> {
    ops: &'static Ops,
    worker: NonNull<c_void>,
    entries: usize,
    workload: Workload,
    _peer: PhantomData<&'p CPeer>,
}

impl CWorker<'_> {
    fn call(&self, function: unsafe extern "C" fn(*mut c_void)) {
        // SAFETY: the worker is this thread's own, and has not left; `function` is of its own table.
        unsafe { function(self.worker.as_ptr()) }
    }
}

impl Drop for CWorker<'_> {
    fn drop(&mut self) {
        self.call(self.ops.leave);
    }
}

impl Worker for CWorker<'_> {
    fn batch(&mut self, n: u64) -> u64 {
        let run = match self.workload {
            Workload::Hold | Workload::Snapshot => self.ops.hold,
            Workload::Nested => self.ops.nested,
            Workload::Dependent => self.ops.dependent,
            _ => return FAILED,
        };
        // SAFETY: as in `call`.
        unsafe { run(self.worker.as_ptr(), n) }
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        Site::suspend(self, during);
    }

    fn attend(&mut self, watch: &Watch, reader: usize) {
        self.call(self.ops.begin);
        attend(self, watch, reader);
        self.call(self.ops.end);
    }
}

/// Calls the closure that `context` points to. A panic in it ends the process.
unsafe extern "C" fn call_during(context: *mut c_void) {
    // SAFETY: `suspend` below passes a pointer to such a reference, which outlives the call, and
    // which nobody else uses meanwhile.
    let during = unsafe { &mut *context.cast::<&mut dyn FnMut()>() };
    during();
}

/// For the readers of a suspend, whose operation looks at a word of ours within: a call a step, which
/// is not timed.
impl Site for CWorker<'_> {
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        self.call(self.ops.enter);
        // SAFETY: as in `call`. The table has so many entries, lives as long as the peer, and is
        // written by nobody while this section lasts.
        let table = unsafe {
            let table = (self.ops.table)(self.worker.as_ptr());
            slice::from_raw_parts(table, self.entries)
        };
        let result = used(translate(table, pfn));
        self.call(self.ops.exit);
        result
    }

    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        self.call(self.ops.enter);
        let result = inner();
        self.call(self.ops.exit);
        result
    }

    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let mut during = during;
        let context = (&raw mut during).cast();
        // SAFETY: as in `call`; `call_during` gets back the context that it wants, while it lives.
        unsafe { (self.ops.suspend)(self.worker.as_ptr(), call_during, context) }
    }

    fn quiescent(&mut self) {
        self.call(self.ops.quiescent);
    }
}
