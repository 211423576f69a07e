//! Actions as what a child of our own does: raw system calls, made ready before the birth.

use std::ptr;

use crate::measure::mechanism::child::{Step, StepKind};
use crate::model::action::Action;

/// What a child does for these actions. Pointers in it are to what the actions own, which must not
/// move as long as the steps are used.
pub(super) fn of(actions: &[Action]) -> Box<[Step]> {
    actions.iter().map(step).collect()
}

/// What it does for one of them.
pub(super) fn step(action: &Action) -> Step {
    match action {
        Action::Dup2 { from, to } if from == to => {
            call(libc::SYS_fcntl, &[number(*from), libc::F_SETFD as usize, 0])
        }
        Action::Dup2 { from, to } => call(libc::SYS_dup3, &[number(*from), number(*to), 0]),
        Action::Open { path, flags, mode, to } => Step {
            kind: StepKind::OpenAt,
            ..call(
                libc::SYS_openat,
                &[
                    number(libc::AT_FDCWD),
                    path.as_ptr() as usize,
                    number(*flags),
                    *mode as usize,
                    number(*to),
                ],
            )
        },
        Action::Close { descriptor } => call(libc::SYS_close, &[number(*descriptor)]),
        Action::Chdir { path } => call(libc::SYS_chdir, &[path.as_ptr() as usize]),
        Action::Fchdir { directory } => call(libc::SYS_fchdir, &[number(*directory)]),
        Action::Umask { mask } => call(libc::SYS_umask, &[*mask as usize]),
        Action::Setsid => call(libc::SYS_setsid, &[]),
        Action::Setpgid => call(libc::SYS_setpgid, &[0, 0]),
        Action::SignalDefault { signals } => {
            Step { kind: StepKind::Defaults, ..call(libc::SYS_rt_sigaction, &[*signals as usize]) }
        }
        Action::SignalMask { mask } => call(
            libc::SYS_rt_sigprocmask,
            &[libc::SIG_SETMASK as usize, ptr::from_ref(mask) as usize, 0, 8],
        ),
        Action::Setuid { user } => call(libc::SYS_setuid, &[*user as usize]),
        Action::Setgid { group } => call(libc::SYS_setgid, &[*group as usize]),
        Action::Setgroups { groups } => {
            call(libc::SYS_setgroups, &[groups.len(), groups.as_ptr() as usize])
        }
        Action::Rlimit { resource, limits } => {
            call(libc::SYS_prlimit64, &[0, *resource as usize, ptr::from_ref(limits) as usize, 0])
        }
        Action::Priority { nice } => {
            call(libc::SYS_setpriority, &[libc::PRIO_PROCESS as usize, 0, number(*nice)])
        }
        Action::Affinity { mask } => {
            call(libc::SYS_sched_setaffinity, &[0, size_of_val(&mask[..]), mask.as_ptr() as usize])
        }
        Action::DeathSignal { signal } => {
            call(libc::SYS_prctl, &[libc::PR_SET_PDEATHSIG as usize, number(*signal), 0, 0, 0])
        }
        // 0 is whoever writes it.
        Action::Cgroup { procs, .. } => {
            call(libc::SYS_write, &[number(*procs), c"0".as_ptr() as usize, 1])
        }
        Action::CloseLoop { first, end } => Step {
            kind: StepKind::CloseLoop,
            ..call(libc::SYS_close, &[*first as usize, *end as usize])
        },
        Action::CloseWalk { first } => {
            Step { kind: StepKind::CloseWalk, ..call(libc::SYS_getdents64, &[*first as usize]) }
        }
        Action::CloseRange { first } => {
            call(libc::SYS_close_range, &[*first as usize, u32::MAX as usize, 0])
        }
    }
}

fn call(system_call: libc::c_long, given: &[usize]) -> Step {
    let mut arguments = [0; 6];
    arguments[..given.len()].copy_from_slice(given);
    Step { kind: StepKind::Call, number: system_call as usize, arguments }
}

/// A number of 32 bits as the kernel takes it: with its sign.
fn number(value: i32) -> usize {
    value as isize as usize
}
