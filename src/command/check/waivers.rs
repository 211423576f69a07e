//! `--waivers FILE`: rows that may be red until a day. Says which of them name nothing.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use crate::command::exit;
use crate::model::did_you_mean;
use crate::model::waiver::{Day, Waivers};

/// Reads the waivers of a file; without one there are none.
///
/// # Errors
///
/// Of usage: where it cannot be read, and with its line where it is not understood.
pub(super) fn read(path: Option<&Path>) -> anyhow::Result<Waivers> {
    let Some(path) = path else { return Ok(Waivers::none()) };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| exit::usage_text(format!("{file} cannot be read: {error}")))?;
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let today = Day::parse(&now)
        .ok_or_else(|| anyhow::anyhow!("the clock says {now}, which is no day for a waiver"))?;
    Waivers::parse(&file, &text, today).map_err(exit::usage)
}

/// Warns of waivers that name none of the rows: most likely they are spelt wrong, or done with.
pub(super) fn warn(waivers: &Waivers, rows: &[&str]) -> anyhow::Result<()> {
    for waiver in waivers.all.iter().filter(|waiver| !rows.contains(&waiver.row.as_str())) {
        let meant = did_you_mean(&waiver.row, rows.iter().copied());
        writeln!(
            anstream::stderr(),
            "forkbench: warning: the waiver of `{}` names no row of this check{meant}",
            waiver.row
        )?;
    }
    Ok(())
}
