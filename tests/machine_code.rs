//! What a checksum cannot show: that the reader's own stores are in the machine code of the measured
//! loop. A compiler that proved every gate open might delete them, and the sum would still be right.
//!
//! The loop of [`workload::hold`] is found in this very program by its address, and disassembled by
//! `objdump`. For the loop in a release build: `cargo test --release --test machine_code`.

use ptom::backend::Native;
use ptom::lab::measure::contender::{Selection, on_table};
use ptom::lab::measure::place::PLACES;
use ptom::lab::measure::site::{Site, TableSite};
use ptom::lab::measure::workload;
use ptom::lab::peers::one_xchg::OneXchgSite;
use ptom::lab::sample::Workload;
use ptom::native::percpu_rseq::PerCpuRseq;
use ptom::scheme::{Claims, Ours, Registry, Scheme, Visit};
use std::process::Command;

/// Schemes whose holds write words of the reader's own or its CPU's, at the begin and at the end.
const PRIVATE: [&str; 5] = [
    "percpu",
    "percpu_asym",
    "percpu_rwsem",
    "epoch",
    "percpu_rseq",
];
/// The scheme whose holds are restartable sections: each announces itself to the kernel by a store to the
/// thread's own memory, without which it would hardly ever go wrong, and never be sound.
const RESTARTED: &str = "percpu_rseq";
/// As much code as is looked at; a loop is far shorter.
const REACH: usize = 4_096;

/// The measured loop of every scheme of ours, and of what counts by CPU, by name, at each place.
struct Loops(Vec<(&'static str, Claims, [usize; PLACES])>);

/// The measured loop on a site, at each place.
fn loops<S: Site>() -> [usize; PLACES] {
    let code: [fn(&S, u64) -> u64; PLACES] = [
        workload::hold::<0>,
        workload::hold::<1>,
        workload::hold::<2>,
        workload::hold::<3>,
    ];
    code.map(|code| code as usize)
}

impl Visit<Native> for Loops {
    fn visit<S: Scheme<Native>>(&mut self) {
        let code = loops::<TableSite<'static, S::Reader<'static>>>();
        self.0.push((S::NAME, S::CLAIMS, code));
    }
}

/// Where this program was loaded.
fn base() -> usize {
    let program = std::env::current_exe().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let ours = |line: &&str| line.ends_with(&*program.to_string_lossy());
    let first = maps.lines().find(ours).expect("a program is mapped");
    usize::from_str_radix(first.split('-').next().unwrap(), 16).unwrap()
}

/// An instruction: where it is, and its text without comments.
type Instruction = (usize, String);

/// The function at `address`, if there is an objdump.
fn disassembled(address: usize) -> Option<Vec<Instruction>> {
    let start = address - base();
    let output = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn"])
        .arg(format!("--start-address={start:#x}"))
        .arg(format!("--stop-address={:#x}", start + REACH))
        .arg(std::env::current_exe().unwrap())
        .output()
        .ok()?;
    assert!(output.status.success(), "objdump failed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut code = Vec::new();
    for line in text.lines() {
        if line.ends_with(">:") && !code.is_empty() {
            break;
        }
        let Some((at, rest)) = line.trim_start().split_once(":\t") else {
            continue;
        };
        if let Ok(at) = usize::from_str_radix(at, 16) {
            let rest = rest.split(['#', '<']).next().unwrap_or("");
            code.push((at, rest.trim().to_owned()));
        }
    }
    Some(code)
}

/// The shortest loop in which a table is read: an index times eight.
fn measured_loop(code: &[Instruction]) -> &[Instruction] {
    let place = |address| code.iter().position(|(at, _)| *at == address);
    let back = code.iter().enumerate().filter_map(|(end, (at, text))| {
        let mut words = text.split_whitespace();
        let name = words.next()?;
        // A way back without a condition is that of the slow path, which is laid out elsewhere.
        let jump = name.starts_with('j') && name != "jmp";
        let target = usize::from_str_radix(words.next()?, 16).ok()?;
        let start = place(target).filter(|_| jump && target <= *at)?;
        Some(&code[start..=end])
    });
    let reads = |part: &&[Instruction]| part.iter().any(|(_, text)| text.contains(",8)"));
    back.filter(reads)
        .min_by_key(|part| part.len())
        .expect("a loop")
}

/// Whether an instruction writes memory that is not the stack.
fn stores(text: &str) -> bool {
    let text = text.strip_prefix("lock ").unwrap_or(text);
    let Some((name, operands)) = text.split_once(char::is_whitespace) else {
        return false;
    };
    let writes = [
        "mov", "add", "sub", "inc", "dec", "xadd", "xchg", "cmpxchg", "and", "or",
    ];
    // The last operand is written; a comma within brackets is part of an address.
    let mut depth = 0;
    let outside = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    let to = operands.split(outside).last().unwrap_or(operands);
    let memory = to.contains('(') && to.ends_with(')');
    let stack = to.contains("%rsp");
    writes.iter().any(|write| name.starts_with(write)) && memory && !stack
}

#[test]
fn the_readers_stores_are_in_the_measured_loop() {
    if !cfg!(target_arch = "x86_64") {
        return eprintln!("skipped: reads the code of x86-64 only");
    }
    // Whoever can suspend keeps the compiler from proving that nobody does, as in a measurement.
    for contender in on_table(Workload::Hold, 1, &Selection::all()).runners {
        let mut worker = contender.worker().expect("room for one");
        worker.suspend(&mut || {});
        worker.batch(1);
    }
    let mut loops = Loops(Vec::new());
    Ours::each::<Native>(&mut loops);
    loops.visit::<PerCpuRseq>();
    let each = |(name, claims, code): (_, _, [usize; PLACES])| code.map(|at| (name, claims, at));
    for (name, claims, address) in loops.0.into_iter().flat_map(each) {
        let Some(code) = disassembled(address) else {
            return eprintln!("skipped: there is no objdump; it is in the package binutils");
        };
        let part = measured_loop(&code);
        let found = part.iter().filter(|(_, text)| stores(text)).count();
        let text = || -> Vec<&str> { part.iter().map(|(_, text)| text.as_str()).collect() };
        if PRIVATE.contains(&name) {
            assert!(found >= 2, "{name}: {found} stores in {:#?}", text());
        }
        if name == RESTARTED {
            let told = |text: &str| stores(text) && text.contains("%fs:");
            let told = part.iter().filter(|(_, text)| told(text)).count();
            assert_eq!(told, 2, "{name}: {:#?}", text());
        }
        if !claims.holds {
            assert_eq!(found, 0, "{name}: the control writes: {:#?}", text());
        }
    }
}

/// The control of one exchange has one, and nothing else that writes.
#[test]
fn one_exchange_is_in_the_loop_of_its_control() {
    if !cfg!(target_arch = "x86_64") {
        return eprintln!("skipped: reads the code of x86-64 only");
    }
    for address in loops::<OneXchgSite<'static>>() {
        let Some(code) = disassembled(address) else {
            return eprintln!("skipped: there is no objdump; it is in the package binutils");
        };
        let part = measured_loop(&code);
        let written: Vec<&str> = part.iter().map(|(_, text)| text.as_str()).collect();
        let writes = written.iter().filter(|text| stores(text));
        let exchanges = writes.clone().filter(|text| text.starts_with("xchg"));
        assert_eq!((writes.count(), exchanges.count()), (1, 1), "{written:#?}");
    }
}

#[test]
fn stores_are_told_from_loads() {
    for store in [
        "mov    %rax,(%rcx)",
        "movq   $0x0,0x8(%rax)",
        "lock xadd %rax,(%rdx,%rcx,8)",
        "xchg   %rax,(%rdi)",
    ] {
        assert!(stores(store), "{store}");
    }
    for other in [
        "mov    (%rcx),%rax",
        "mov    (%r8,%rdx,8),%r9",
        "lock orl $0x0,-0x40(%rsp)",
        "ret",
    ] {
        assert!(!stores(other), "{other}");
    }
}
