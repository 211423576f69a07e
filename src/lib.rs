//! forkbench measures what creating a process costs on Linux.
//!
//! Seven rooms, each with one duty; `tests/layering.rs` keeps the walls between them:
//!
//! * [`model`]: the words everything shares (units, shapes, knobs, variants). No input or output.
//! * [`measure`]: what runs inside a subject, the parent process under test.
//! * [`drive`]: what runs around it: plan, harness, keeper, autopsy, environment.
//! * [`record`]: the results directory: rows, append, read, resume.
//! * [`analyse`]: numbers in, numbers out. Sees neither a process nor a mechanism.
//! * [`show`]: one view model and its renderings.
//! * [`command`]: one file per subcommand.

pub mod analyse;
pub mod command;
pub mod drive;
pub mod measure;
pub mod model;
pub mod record;
pub mod show;
