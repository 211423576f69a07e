//! Actions as posix_spawn has them: file actions.
//!
//! # Safety
//!
//! The list belongs to the libc, which is only called with it between its making and its end.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;

use crate::measure::mechanism::Refusal;
use crate::model::action::Action;

/// The file actions of one mechanism; none where there is nothing to do.
pub(super) struct FileActions(Option<Box<libc::posix_spawn_file_actions_t>>);

impl FileActions {
    /// Makes them of all actions, in their order.
    pub(super) fn new(actions: &[Action]) -> Result<FileActions, Refusal> {
        if actions.is_empty() {
            return Ok(FileActions(None));
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
