//! What the verifier takes from itself before it reads what anybody may have sent.
//!
//! It keeps its three descriptors, memory up to a limit, and a few system calls: it can open no file and no socket,
//! start nothing, and signal no other process, also when the C libraries in it were taken over. All other calls fail with
//! `EPERM`, so that what the libraries merely try does not end the process.

use std::collections::BTreeMap;
use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

/// Address space, bytes: about ten times of what is needed.
const MEMORY_BYTES: u64 = 512 << 20;

/// Processor time, seconds.
const PROCESSOR_SECONDS: u64 = 5;

/// What computing, reading standard input and writing standard output need.
const CALLS: [libc::c_long; 23] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getpid,
    libc::SYS_gettid,
];

/// Limits memory, time and files. Comes first.
///
/// # Errors
/// What the system says.
pub fn limit() -> io::Result<()> {
    let limit = |resource, most: u64| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).map_err(io::Error::from)
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, 64)?;
    limit(Resource::As, MEMORY_BYTES)?;
    limit(Resource::Cpu, PROCESSOR_SECONDS)
}

/// Forbids all system calls but a few, for good. Comes when everything is loaded.
///
/// # Errors
/// What the system says; then nothing must be read.
pub fn confine() -> io::Result<()> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let rules: BTreeMap<i64, Vec<SeccompRule>> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter =
        SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture).map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}
