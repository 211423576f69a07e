//! The words that every room shares. No input, no output, no system call.

pub mod action;
pub mod claim;
pub mod gate;
pub mod glossary;
pub mod hazard;
pub mod interval;
pub mod knob;
pub mod order;
pub mod quantity;
pub mod row;
pub mod scenario;
pub mod setup;
pub mod units;
pub mod waiver;
pub mod workload;

/// `; did you mean `NAME`?` with the candidate that is [`nearest`]; nothing if none is near.
pub fn did_you_mean<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    suggestion(nearest(given, candidates))
}

/// The same, of a candidate that has been found.
pub fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The candidate whose name is nearest to `given`, if one is near enough to be meant.
pub fn nearest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(given, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
