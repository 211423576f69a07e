//! `forkbench run` from end to end: the built program, what it prints, what it leaves on disk, and
//! what it leaves behind.
//!
//! Nothing here asserts an absolute time, save generous limits on how long a thing may take at most.
//! What this machine or this user cannot do is skipped, and the reason printed.

mod archive;
mod bad_input;
mod bench;
mod budgets;
mod check;
mod chromium;
mod cow;
mod directories;
mod exports;
mod extern_;
mod faults;
mod figures;
mod gap;
mod hazard;
mod hazard_cli;
mod hazard_law;
mod hazard_program;
mod images;
mod interruption;
mod limits;
mod output;
mod page;
mod pipeline;
mod recipes;
mod refusals;
mod report;
mod scenarios;
mod shapes;
mod sides;
mod stall;
mod strings;
mod threads;
mod throughput;
mod validate;
mod waivers;
