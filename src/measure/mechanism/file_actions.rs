//! Actions as posix_spawn has them: file actions and attributes.
//!
//! # Safety
//!
//! Lists and attributes belong to the libc, which is only called with them between their making and
//! their end.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::mem::{self, MaybeUninit};
use std::ptr;

use crate::measure::mechanism::Refusal;
use crate::measure::mechanism::brief::{Brief, signal_set};
use crate::measure::shape::raise_descriptor_limit;
use crate::model::action::{Action, Means, Name};

type List = libc::posix_spawn_file_actions_t;
type AddPath = unsafe extern "C" fn(*mut List, *const libc::c_char) -> libc::c_int;
type AddNumber = unsafe extern "C" fn(*mut List, libc::c_int) -> libc::c_int;
type SetNumber = unsafe extern "C" fn(*mut libc::posix_spawnattr_t, libc::c_int) -> libc::c_int;

const ADD_CHDIR: &CStr = c"posix_spawn_file_actions_addchdir_np";
const ADD_FCHDIR: &CStr = c"posix_spawn_file_actions_addfchdir_np";
const ADD_CLOSE_FROM: &CStr = c"posix_spawn_file_actions_addclosefrom_np";
const SET_CGROUP: &CStr = c"posix_spawnattr_setcgroup_np";

// <spawn.h> of glibc, and of musl the first.
const SETSID: i32 = 0x80;
const SETCGROUP: i32 = 0x100;

/// A function that not every libc has, by its name.
///
/// # Safety
///
/// `F` must be the type that <spawn.h> declares it with.
unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    // SAFETY: looks a name up; nothing is run.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    const { assert!(size_of::<F>() == size_of::<*mut libc::c_void>()) };
    // SAFETY: a function of that type, as the caller vouches.
    (!symbol.is_null()).then(|| unsafe { mem::transmute_copy::<*mut libc::c_void, F>(&symbol) })
}

fn has(name: &CStr) -> bool {
    // SAFETY: the pointer is only looked at.
    unsafe { function::<*mut libc::c_void>(name) }.is_some()
}

/// By what posix_spawn does an action; if it cannot, why.
pub(super) fn how(name: Name) -> Result<Means, String> {
    let newer = |function: &CStr, means, since: &str| {
        if has(function) {
            return Ok(means);
        }
        let function = function.to_string_lossy();
        Err(format!("this libc has no {function}: glibc has it since {since}"))
    };
    match name {
        Name::Dup2 | Name::Open | Name::Pipe | Name::CloseLoop => Ok(Means::FileAction),
        Name::Chdir => newer(ADD_CHDIR, Means::FileAction, "2.29"),
        Name::Fchdir => newer(ADD_FCHDIR, Means::FileAction, "2.29"),
        Name::CloseRange => newer(ADD_CLOSE_FROM, Means::FileAction, "2.34"),
        Name::Setsid | Name::Setpgid | Name::Sigdefault | Name::Sigmask => Ok(Means::Attribute),
        Name::Cgroup => newer(SET_CGROUP, Means::Attribute, "2.39"),
        Name::Setuid | Name::Setgid => Err(
            "posix_spawn sets no user and no group: it can only make the effective ones the real \
             ones (POSIX_SPAWN_RESETIDS)"
                .to_owned(),
        ),
        Name::CloseWalk => Err(
            "posix_spawn does not look which descriptors are open: it closes a number, or all from \
             a number on (close-range)"
                .to_owned(),
        ),
        Name::Umask
        | Name::Setgroups
        | Name::Rlimit
        | Name::Nice
        | Name::NiceUp
        | Name::Affinity
        | Name::Pdeathsig => {
            Err("posix_spawn has neither an attribute nor a file action for it".to_owned())
        }
    }
}

/// Spawn attributes: the signal mask of the image, and what actions ask for.
pub(super) struct Attributes(Box<libc::posix_spawnattr_t>);

impl Attributes {
    /// Makes them.
    pub(super) fn new(brief: &Brief) -> Result<Attributes, Refusal> {
        let refuse = |errno| Refusal { errno, reason: "no spawn attributes".to_owned() };
        let mut raw = Box::new(MaybeUninit::uninit());
        // SAFETY: initialised by the call, where it succeeds, before anybody else uses it.
        let raw = unsafe {
            match libc::posix_spawnattr_init(raw.as_mut_ptr()) {
                0 => raw.assume_init(),
                errno => return Err(refuse(errno)),
            }
        };
        let mut attributes = Attributes(raw);
        let failed = attributes.set(brief);
        if failed != 0 { Err(refuse(failed)) } else { Ok(attributes) }
    }

    /// What posix_spawn is given.
    pub(super) fn as_ptr(&self) -> *const libc::posix_spawnattr_t {
        &*self.0
    }

    /// Sets them; the errno, or 0.
    fn set(&mut self, brief: &Brief) -> i32 {
        let attributes = &mut *self.0;
        let mut mask = brief.signal_mask();
        let mut flags = libc::POSIX_SPAWN_SETSIGMASK;
        for action in brief.actions() {
            // SAFETY: the attributes are initialised; sets are locals, which the libc copies.
            let failed = unsafe {
                match action {
                    Action::Setsid => {
                        flags |= SETSID;
                        0
                    }
                    Action::Setpgid => {
                        flags |= libc::POSIX_SPAWN_SETPGROUP;
                        libc::posix_spawnattr_setpgroup(attributes, 0)
                    }
                    Action::SignalDefault { signals } => {
                        flags |= libc::POSIX_SPAWN_SETSIGDEF;
                        libc::posix_spawnattr_setsigdefault(attributes, &signal_set(*signals))
                    }
                    Action::SignalMask { mask: wanted } => {
                        mask = signal_set(*wanted);
                        0
                    }
                    Action::Cgroup { directory, .. } => match function::<SetNumber>(SET_CGROUP) {
                        Some(set) => {
                            flags |= SETCGROUP;
                            set(attributes, *directory)
                        }
                        None => libc::ENOSYS,
                    },
                    _ => 0,
                }
            };
            if failed != 0 {
                return failed;
            }
        }
        // SAFETY: likewise.
        unsafe {
            match libc::posix_spawnattr_setsigmask(attributes, &mask) {
                0 => libc::posix_spawnattr_setflags(attributes, flags as libc::c_short),
                failed => failed,
            }
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new` and destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&mut *self.0) };
    }
}

/// The file actions of one mechanism; none where there is nothing to do.
pub(super) struct FileActions(Option<Box<libc::posix_spawn_file_actions_t>>);

impl FileActions {
    /// Makes them of all actions, in their order.
    pub(super) fn new(actions: &[Action]) -> Result<FileActions, Refusal> {
        if actions.is_empty() {
            return Ok(FileActions(None));
        }
        for action in actions {
            // The libc takes no number that is not below the limit.
            if let Action::CloseLoop { end, .. } = action {
                raise_descriptor_limit(u64::from(*end))?;
            }
        }
        let refuse = |errno: i32| Refusal {
            errno,
            reason: "the libc does not take these file actions".to_owned(),
        };
        let mut raw = Box::new(MaybeUninit::uninit());
        // SAFETY: initialised by the call, where it succeeds, before anybody else uses it.
        let list = unsafe {
            match libc::posix_spawn_file_actions_init(raw.as_mut_ptr()) {
                0 => raw.assume_init(),
                errno => return Err(refuse(errno)),
            }
        };
        let mut file_actions = FileActions(Some(list));
        for action in actions {
            match file_actions.add(action) {
                0 => {}
                errno => return Err(refuse(errno)),
            }
        }
        Ok(file_actions)
    }

    /// What posix_spawn is given.
    pub(super) fn as_ptr(&self) -> *const libc::posix_spawn_file_actions_t {
        self.0.as_deref().map_or(ptr::null(), ptr::from_ref)
    }

    /// Adds one; the errno, or 0.
    fn add(&mut self, action: &Action) -> i32 {
        let Some(list) = self.0.as_deref_mut() else { return 0 };
        // SAFETY: the list is initialised; the libc copies the path.
        unsafe {
            match action {
                Action::Dup2 { from, to } => {
                    libc::posix_spawn_file_actions_adddup2(list, *from, *to)
                }
                Action::Open { path, flags, mode, to } => {
                    libc::posix_spawn_file_actions_addopen(list, *to, path.as_ptr(), *flags, *mode)
                }
                Action::Close { descriptor } => {
                    libc::posix_spawn_file_actions_addclose(list, *descriptor)
                }
                Action::Chdir { path } => match function::<AddPath>(ADD_CHDIR) {
                    Some(add) => add(list, path.as_ptr()),
                    None => libc::ENOSYS,
                },
                Action::Fchdir { directory } => match function::<AddNumber>(ADD_FCHDIR) {
                    Some(add) => add(list, *directory),
                    None => libc::ENOSYS,
                },
                Action::CloseRange { first } => match function::<AddNumber>(ADD_CLOSE_FROM) {
                    Some(add) => add(list, *first as i32),
                    None => libc::ENOSYS,
                },
                Action::CloseLoop { first, end } => (*first..*end)
                    .map(|number| libc::posix_spawn_file_actions_addclose(list, number as i32))
                    .find(|errno| *errno != 0)
                    .unwrap_or(0),
                // These are attributes.
                Action::Setsid
                | Action::Setpgid
                | Action::SignalDefault { .. }
                | Action::SignalMask { .. }
                | Action::Cgroup { .. } => 0,
                _ => libc::ENOTSUP,
            }
        }
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        if let Some(list) = self.0.as_deref_mut() {
            // SAFETY: initialised in `new` and destroyed once.
            unsafe { libc::posix_spawn_file_actions_destroy(list) };
        }
    }
}
