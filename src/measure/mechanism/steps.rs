//! Actions as what a child of our own does: raw system calls, made ready before the birth.

use crate::measure::mechanism::child::{Step, StepKind};
use crate::model::action::Action;

/// What a child does for these actions. Pointers in it are to what the actions own, which must not
/// move as long as the steps are used.
pub(super) fn of(actions: &[Action]) -> Box<[Step]> {
    actions.iter().map(step).collect()
}

fn step(action: &Action) -> Step {
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
