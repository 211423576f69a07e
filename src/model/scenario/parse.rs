//! Reading a scenario file. Every error says where: line and column, and the nearest name.
//!
//! ```toml
//! about = "What does each MiB of the parent cost?"
//! rss = ["0", "256M", "1G"]                 # a list is an axis
//! mechanism = ["fork", "posix_spawn"]
//! image = "noop"                            # one value holds at every point
//!
//! [[axis.parent]]                           # points that set several knobs
//! page = "thp"
//! memory = "anon"
//!
//! [[claim]]
//! name = "fork costs at least 20 times as much"
//! ratio = "blocked.p50"
//! at = { mechanism = "fork", rss = "1G" }
//! to = { mechanism = "posix_spawn", rss = "1G" }
//! at-least = 20
//! ```

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::model::claim::{Claim, Counted, Estimate, FLAT, Per, Place};
use crate::model::did_you_mean;
use crate::model::knob::{self, KNOBS, Knob};
use crate::model::quantity::{Measure, Quantity};
use crate::model::scenario::{Axis, Published, Requires, Sampling, Scenario, Setting, Source};
use crate::model::setup::Setup;
use crate::model::units::{self, Size};

/// Why a file is no scenario: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadFile {
    /// The file.
    pub file: String,
    /// Line and column, from 1; none where the whole file is meant.
    pub place: Option<(usize, usize)>,
    /// What is wrong, and what is allowed.
    pub wrong: String,
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.wrong)
    }
}

type Result<T> = std::result::Result<T, BadFile>;

/// Reads a scenario from the text of `file`; its name is `name`.
///
/// # Errors
///
/// At the first thing in the file that is not understood.
pub fn parse(name: &str, file: &str, text: &str) -> Result<Scenario> {
    let reader = Reader { file, text };
    let table = reader.document()?;
    let mut scenario = Scenario { name: name.to_owned(), ..Scenario::default() };
    let mut has_about = false;
    for entry in in_order(table.get_ref()) {
        match entry.key {
            "about" => {
                scenario.about = reader.text(&entry)?.to_owned();
                has_about = true;
            }
            "axis" => reader.axes(&entry, &mut scenario)?,
            "contrast" => scenario.contrast = reader.place(&entry)?,
            "requires" => scenario.requires = reader.requires(&entry)?,
            "sampling" => scenario.sampling = reader.sampling(&entry)?,
            "source" => scenario.source = Some(reader.source(&entry)?),
            "claim" => {
                for claim in reader.tables(&entry)? {
                    reader.claim(claim, &mut scenario.claims)?;
                }
            }
            "published" => {
                for published in reader.tables(&entry)? {
                    scenario.published.push(reader.published(published)?);
                }
            }
            _ => reader.knob_or_list(&entry, &mut scenario)?,
        }
    }
    if !has_about {
        return Err(reader.whole("it has no `about`: say in one line what it asks"));
    }
    Ok(scenario)
}

/// Reads the claims of a budget from the text of `file`: `[[claim]]` tables as a scenario has them,
/// and nothing else.
///
/// # Errors
///
/// At the first thing in the file that is not understood, and where it claims nothing.
pub fn claims(file: &str, text: &str) -> Result<Vec<Claim>> {
    let reader = Reader { file, text };
    let table = reader.document()?;
    let mut claims = Vec::new();
    for entry in in_order(table.get_ref()) {
        match entry.key {
            "claim" => {
                for claim in reader.tables(&entry)? {
                    reader.claim(claim, &mut claims)?;
                }
            }
            _ => return Err(reader.unknown(&entry, &["claim"])),
        }
    }
    if claims.is_empty() {
        return Err(reader.whole("it claims nothing: give it at least one [[claim]]"));
    }
    Ok(claims)
}

/// Keys of a scenario that are not knobs.
const KEYS: [&str; 8] =
    ["about", "axis", "contrast", "requires", "sampling", "source", "claim", "published"];

/// One key of a table with its value.
pub(in crate::model) struct Entry<'a> {
    pub(in crate::model) key: &'a str,
    pub(in crate::model) key_at: Range<usize>,
    pub(in crate::model) value: &'a DeValue<'a>,
    pub(in crate::model) value_at: Range<usize>,
}

/// A table of several of the same name, and where it stands.
pub(in crate::model) struct Part<'a> {
    pub(in crate::model) table: &'a DeTable<'a>,
    pub(in crate::model) at: Range<usize>,
}

/// The entries of a table in the order in which they stand in the file.
pub(in crate::model) fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref(),
            key_at: key.span(),
            value: value.get_ref(),
            value_at: value.span(),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at.start);
    entries
}

/// A file that is read, for errors to say where.
pub(in crate::model) struct Reader<'a> {
    pub(in crate::model) file: &'a str,
    pub(in crate::model) text: &'a str,
}

impl<'t> Reader<'t> {
    pub(in crate::model) fn document(&self) -> Result<Spanned<DeTable<'t>>> {
        DeTable::parse(self.text).map_err(|error| BadFile {
            file: self.file.to_owned(),
            place: error.span().map(|span| self.line_and_column(span.start)),
            wrong: error.message().to_owned(),
        })
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    pub(in crate::model) fn wrong(&self, at: &Range<usize>, wrong: impl Into<String>) -> BadFile {
        let place = Some(self.line_and_column(at.start));
        BadFile { file: self.file.to_owned(), place, wrong: wrong.into() }
    }

    pub(in crate::model) fn whole(&self, wrong: &str) -> BadFile {
        BadFile { file: self.file.to_owned(), place: None, wrong: wrong.to_owned() }
    }

    pub(in crate::model) fn unknown(&self, entry: &Entry, allowed: &[&'static str]) -> BadFile {
        let meant = did_you_mean(entry.key, allowed.iter().copied());
        let allowed = allowed.join(", ");
        self.wrong(
            &entry.key_at,
            format!("unknown key `{}`{meant} (allowed are {allowed})", entry.key),
        )
    }

    pub(in crate::model) fn text<'a>(&self, entry: &Entry<'a>) -> Result<&'a str> {
        match entry.value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text),
            Some(_) => Err(self.wrong(&entry.value_at, format!("`{}` is empty", entry.key))),
            None => Err(self.kind(entry, "a text")),
        }
    }

    fn kind(&self, entry: &Entry, wanted: &str) -> BadFile {
        let given = entry.value.type_str();
        self.wrong(
            &entry.value_at,
            format!("`{}` must be {wanted}, and is of type {given}", entry.key),
        )
    }

    fn table<'a>(&self, entry: &Entry<'a>) -> Result<&'a DeTable<'a>> {
        entry.value.as_table().ok_or_else(|| self.kind(entry, &format!("a table, [{}]", entry.key)))
    }

    pub(in crate::model) fn tables<'a>(&self, entry: &Entry<'a>) -> Result<Vec<Part<'a>>> {
        let wanted = || self.kind(entry, &format!("a list of tables, [[{}]]", entry.key));
        let array = entry.value.as_array().ok_or_else(wanted)?;
        let part = |value: &'a Spanned<DeValue<'a>>| {
            Some(Part { table: value.get_ref().as_table()?, at: value.span() })
        };
        array.iter().map(part).collect::<Option<_>>().ok_or_else(wanted)
    }

    /// A value of a knob, or anything else that is a text or a number: as text.
    fn scalar(&self, key: &str, value: &DeValue, at: &Range<usize>) -> Result<String> {
        match value {
            DeValue::String(text) => Ok(text.clone().into_owned()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            other => Err(self.wrong(
                at,
                format!("`{key}` must be a text or a number, and is of type {}", other.type_str()),
            )),
        }
    }

    /// A setting in canonical form.
    fn setting(&self, entry: &Entry, value: &DeValue, at: &Range<usize>) -> Result<Setting> {
        let knob = self.known_knob(entry)?;
        let text = self.scalar(entry.key, value, at)?;
        let mut setup = Setup::default();
        (knob.set)(&mut setup, &text).map_err(|error| self.wrong(at, error.to_string()))?;
        Ok(Setting { knob: knob.name.to_owned(), value: (knob.get)(&setup) })
    }

    fn known_knob(&self, entry: &Entry) -> Result<&'static Knob> {
        knob::find(entry.key).ok_or_else(|| {
            let meant = did_you_mean(entry.key, KNOBS.iter().map(|knob| knob.name));
            let see = "see `forkbench list knobs`";
            self.wrong(&entry.key_at, format!("there is no knob `{}`{meant} ({see})", entry.key))
        })
    }

    fn knob_or_list(&self, entry: &Entry, scenario: &mut Scenario) -> Result<()> {
        if knob::find(entry.key).is_none() {
            let names: Vec<&str> =
                KEYS.into_iter().chain(KNOBS.iter().map(|knob| knob.name)).collect();
            return Err(self.unknown(entry, &names));
        }
        let Some(list) = entry.value.as_array() else {
            scenario.base.push(self.setting(entry, entry.value, &entry.value_at)?);
            return Ok(());
        };
        let points = self.list(entry, list)?;
        scenario.axes.push(Axis { name: entry.key.to_owned(), points });
        Ok(())
    }

    fn list(&self, entry: &Entry, list: &DeArray) -> Result<Vec<Vec<Setting>>> {
        if list.is_empty() {
            let wrong =
                format!("`{}` is an empty list: give it a value, or leave it out", entry.key);
            return Err(self.wrong(&entry.value_at, wrong));
        }
        list.iter()
            .map(|value| Ok(vec![self.setting(entry, value.get_ref(), &value.span())?]))
            .collect()
    }

    /// `[[axis.NAME]]`: each table is a point.
    fn axes(&self, entry: &Entry, scenario: &mut Scenario) -> Result<()> {
        for axis in in_order(self.table(entry)?) {
            let parts = self.tables(&axis)?;
            if parts.is_empty() {
                let wrong = format!("the axis `{}` has no points", axis.key);
                return Err(self.wrong(&axis.value_at, wrong));
            }
            let points = parts
                .iter()
                .map(|part| {
                    in_order(part.table)
                        .iter()
                        .map(|setting| self.setting(setting, setting.value, &setting.value_at))
                        .collect()
                })
                .collect::<Result<_>>()?;
            if scenario.axes.iter().any(|other| other.name == axis.key) {
                let wrong = format!("there are two axes of the name `{}`", axis.key);
                return Err(self.wrong(&axis.key_at, wrong));
            }
            scenario.axes.push(Axis { name: axis.key.to_owned(), points });
        }
        Ok(())
    }

    fn place(&self, entry: &Entry) -> Result<Place> {
        let Some(table) = entry.value.as_table() else {
            return Err(self.kind(entry, "settings, { mechanism = \"fork\" }"));
        };
        let settings = in_order(table);
        let settings = settings.iter().map(|s| self.setting(s, s.value, &s.value_at));
        Ok(Place(settings.collect::<Result<_>>()?))
    }

    fn requires(&self, entry: &Entry) -> Result<Requires> {
        let mut requires = Requires::default();
        for entry in in_order(self.table(entry)?) {
            match entry.key {
                "kernel" | "glibc" => {
                    let version = self.text(&entry)?;
                    let is_version = version.split('.').all(|part| part.parse::<u32>().is_ok());
                    if !is_version {
                        let wrong = format!("`{version}` is no version such as \"6.9\"");
                        return Err(self.wrong(&entry.value_at, wrong));
                    }
                    let version = Some(version.to_owned());
                    match entry.key {
                        "kernel" => requires.kernel = version,
                        _ => requires.glibc = version,
                    }
                }
                "cpus" => requires.cpus = Some(self.count(&entry)?),
                "memory" => {
                    let size = self.text(&entry)?.parse::<Size>();
                    let size = size.map_err(|why| self.wrong(&entry.value_at, why.to_string()))?;
                    requires.memory_bytes = Some(size.bytes());
                }
                "root" => {
                    let is = entry.value.as_bool();
                    requires.root = is.ok_or_else(|| self.kind(&entry, "true or false"))?;
                }
                _ => {
                    let allowed = ["kernel", "glibc", "cpus", "memory", "root"];
                    return Err(self.unknown(&entry, &allowed));
                }
            }
        }
        Ok(requires)
    }

    fn sampling(&self, entry: &Entry) -> Result<Sampling> {
        let mut sampling = Sampling::default();
        for entry in in_order(self.table(entry)?) {
            match entry.key {
                "time" => {
                    let length = units::parse_duration(self.text(&entry)?);
                    let length =
                        length.map_err(|why| self.wrong(&entry.value_at, why.to_string()))?;
                    sampling.time_ns = u64::try_from(length.as_nanos()).ok();
                }
                "launches" => sampling.launches = Some(self.count(&entry)?),
                "blocks" => sampling.blocks = Some(self.count(&entry)?),
                "precision" => {
                    let share = units::parse_percentage(self.text(&entry)?);
                    let share =
                        share.map_err(|why| self.wrong(&entry.value_at, why.to_string()))?;
                    sampling.precision = Some(share);
                }
                _ => {
                    let allowed = ["time", "launches", "blocks", "precision"];
                    return Err(self.unknown(&entry, &allowed));
                }
            }
        }
        Ok(sampling)
    }

    fn count(&self, entry: &Entry) -> Result<u32> {
        let number = entry.value.as_integer().filter(|number| number.radix() == 10);
        match number.and_then(|number| number.as_str().parse().ok()) {
            Some(number @ 1..) => Ok(number),
            _ => Err(self.kind(entry, "a whole number, at least 1")),
        }
    }

    fn source(&self, entry: &Entry) -> Result<Source> {
        let table = self.table(entry)?;
        let mut source = Source {
            title: String::new(),
            by: String::new(),
            year: 0,
            machine: String::new(),
            finding: None,
        };
        let allowed = ["title", "by", "year", "machine", "finding"];
        for entry in in_order(table) {
            match entry.key {
                "title" => source.title = self.text(&entry)?.to_owned(),
                "by" => source.by = self.text(&entry)?.to_owned(),
                "year" => source.year = self.count(&entry)?,
                "machine" => source.machine = self.text(&entry)?.to_owned(),
                "finding" => source.finding = Some(self.text(&entry)?.to_owned()),
                _ => return Err(self.unknown(&entry, &allowed)),
            }
        }
        let missing = allowed[..4].iter().find(|key| !table.contains_key(**key));
        match missing {
            Some(key) => Err(self.wrong(&entry.key_at, format!("[source] lacks `{key}`"))),
            None => Ok(source),
        }
    }

    fn published(&self, part: Part) -> Result<Published> {
        let (mut at, mut quantity, mut value, mut note) = (None, None, None, None);
        for entry in in_order(part.table) {
            match entry.key {
                "at" => at = Some(self.place(&entry)?),
                "quantity" => quantity = Some(self.quantity(&entry)?),
                "value" => value = Some(entry),
                "note" => note = Some(self.text(&entry)?.to_owned()),
                _ => return Err(self.unknown(&entry, &["at", "quantity", "value", "note"])),
            }
        }
        let (Some(at), Some(quantity), Some(value)) = (at, quantity, value) else {
            return Err(self.wrong(&part.at, "[[published]] takes `at`, `quantity` and `value`"));
        };
        let counted = Counted::As(quantity.measure());
        let ends = match value.value.as_array() {
            None => vec![self.bound(&value, value.value, &value.value_at, counted)?],
            Some(list) => list
                .iter()
                .map(|end| self.bound(&value, end.get_ref(), &end.span(), counted))
                .collect::<Result<_>>()?,
        };
        match ends[..] {
            [one] => Ok(Published { at, quantity, low: one, high: one, note }),
            [low, high] if low <= high => Ok(Published { at, quantity, low, high, note }),
            _ => Err(self.wrong(&value.value_at, "`value` is one figure, or [lowest, highest]")),
        }
    }

    fn quantity(&self, entry: &Entry) -> Result<Quantity> {
        self.text(entry)?.parse().map_err(|why: String| self.wrong(&entry.value_at, why))
    }

    /// A bound in the unit of what it bounds.
    fn bound(
        &self,
        entry: &Entry,
        value: &DeValue,
        at: &Range<usize>,
        unit: Counted,
    ) -> Result<f64> {
        let text = self.scalar(entry.key, value, at)?;
        let time = |text: &str| units::parse_time(text).map_err(|why| why.to_string());
        let number = |text: &str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("`{text}` is no number")),
        };
        let size = |text: &str| {
            text.parse::<Size>().map(|size| size.bytes() as f64).map_err(|why| why.to_string())
        };
        let parsed = match unit {
            Counted::As(Measure::Nanoseconds) | Counted::For(Measure::Nanoseconds, _) => {
                time(&text)
            }
            Counted::As(Measure::Bytes) | Counted::For(Measure::Bytes, _) | Counted::Size => {
                size(&text)
            }
            Counted::As(Measure::Things) | Counted::For(Measure::Things, _) => number(&text),
            Counted::Times | Counted::Count => number(&text),
        };
        parsed.map_err(|why| self.wrong(at, format!("`{}`: {why}", entry.key)))
    }

    /// Reads one claim, or the claims that a shorthand stands for.
    fn claim(&self, part: Part, claims: &mut Vec<Claim>) -> Result<()> {
        let draft = self.draft(&part)?;
        let Some(name) = draft.name.clone() else {
            return Err(self.wrong(&part.at, "[[claim]] has no `name`: say what it claims"));
        };
        let name_at = name.0;
        let before = claims.len();
        for (name, estimate, at_most) in self.estimates(&part, &draft, &name.1)? {
            let counted = estimate.measure();
            let bound = |entry: &Option<Entry>| {
                entry.as_ref().map(|e| self.bound(e, e.value, &e.value_at, counted)).transpose()
            };
            let at_least = bound(&draft.at_least)?;
            let at_most = bound(&draft.at_most)?.or(at_most);
            if let (Some(least), Some(most)) = (at_least, at_most)
                && least > most
            {
                return Err(self.wrong(&name_at, "`at-least` is more than `at-most`"));
            }
            if at_least.is_none() && at_most.is_none() && draft.r2_at_least.is_none() {
                return Err(
                    self.wrong(&name_at, "it claims nothing: give `at-least`, `at-most` or both")
                );
            }
            if draft.r2_at_least.is_some() && !matches!(estimate, Estimate::Slope { .. }) {
                return Err(self.wrong(&name_at, "`r2-at-least` is for a slope"));
            }
            if claims.iter().any(|claim| claim.name == name) {
                return Err(self.wrong(&name_at, format!("there are two claims `{name}`")));
            }
            claims.push(Claim {
                name,
                estimate,
                at_least,
                at_most,
                r2_at_least: draft.r2_at_least,
                published: draft.published.clone(),
                because: draft.because.clone(),
            });
        }
        debug_assert!(claims.len() > before);
        Ok(())
    }

    fn draft<'a>(&self, part: &Part<'a>) -> Result<Draft<'a>> {
        let mut draft = Draft::default();
        for entry in in_order(part.table) {
            match entry.key {
                "name" => {
                    draft.name = Some((entry.value_at.clone(), self.text(&entry)?.to_owned()))
                }
                "at" => draft.at = Some(self.place(&entry)?),
                "to" => draft.to = Some(self.place(&entry)?),
                "to-quantity" => draft.to_of = Some(self.quantity(&entry)?),
                "over" => draft.over = Some(entry),
                "per" => draft.per = Some(entry),
                "at-least" => draft.at_least = Some(entry),
                "at-most" => draft.at_most = Some(entry),
                "r2-at-least" => {
                    let share = self.bound(&entry, entry.value, &entry.value_at, Counted::Times)?;
                    draft.r2_at_least = Some(share);
                }
                "places" => draft.places = Some(self.places(&entry)?),
                "published" => draft.published = Some(self.text(&entry)?.to_owned()),
                "because" => draft.because = Some(self.text(&entry)?.to_owned()),
                kind if KINDS.contains(&kind) => {
                    let of = self.quantity(&entry)?;
                    if draft.kind.replace((kind, of)).is_some() {
                        let wrong =
                            format!("a claim has one estimate, one of {}", KINDS.join(", "));
                        return Err(self.wrong(&entry.key_at, wrong));
                    }
                }
                _ => {
                    let rest = [
                        "name",
                        "at",
                        "to",
                        "to-quantity",
                        "over",
                        "per",
                        "at-least",
                        "at-most",
                        "r2-at-least",
                        "places",
                        "published",
                        "because",
                    ];
                    let allowed: Vec<&str> = KINDS.into_iter().chain(rest).collect();
                    return Err(self.unknown(&entry, &allowed));
                }
            }
        }
        Ok(draft)
    }

    fn places(&self, entry: &Entry) -> Result<Vec<Place>> {
        let wanted = || self.kind(entry, "a list of settings, [{ .. }, { .. }]");
        let list = entry.value.as_array().ok_or_else(wanted)?;
        if list.len() < 2 {
            return Err(self.wrong(&entry.value_at, "an order is of at least two places"));
        }
        list.iter()
            .map(|value| {
                self.place(&Entry {
                    key: entry.key,
                    key_at: entry.key_at.clone(),
                    value: value.get_ref(),
                    value_at: value.span(),
                })
            })
            .collect()
    }

    /// What a claim estimates: its name, the estimate, and the bound of a shorthand.
    fn estimates(
        &self,
        part: &Part,
        draft: &Draft,
        name: &str,
    ) -> Result<Vec<(String, Estimate, Option<f64>)>> {
        let lacks = |key: &str, kind: &str| {
            self.wrong(&part.at, format!("the claim `{name}` is a {kind} and lacks `{key}`"))
        };
        let Some((kind, of)) = draft.kind.clone() else {
            let kinds = KINDS.join(", ");
            let wrong = format!("the claim `{name}` has no estimate: give one of {kinds}");
            return Err(self.wrong(&part.at, wrong));
        };
        let at = || draft.at.clone().ok_or_else(|| lacks("at", kind));
        let to = || draft.to.clone().ok_or_else(|| lacks("to", kind));
        let over = || {
            let entry = draft.over.as_ref().ok_or_else(|| lacks("over", kind))?;
            Ok((self.text(entry)?.to_owned(), entry.value_at.clone()))
        };
        let one = |estimate| Ok(vec![(name.to_owned(), estimate, None)]);
        match kind {
            "value" => one(Estimate::Value { of, at: at()? }),
            "ratio" => {
                let to_of = draft.to_of.clone().unwrap_or_else(|| of.clone());
                one(Estimate::Ratio { of, at: at()?, to_of, to: to()? })
            }
            "difference" => one(Estimate::Difference { of, at: at()?, to: to()? }),
            "spread" => one(Estimate::Spread { of, at: at()?, over: over()?.0 }),
            "flat" => {
                let estimate = Estimate::Spread { of, at: at()?, over: over()?.0 };
                Ok(vec![(name.to_owned(), estimate, Some(FLAT))])
            }
            "crossover" => {
                let (over, over_at) = over()?;
                self.numeric(&over, &over_at)?;
                one(Estimate::Crossover { of, at: at()?, to: to()?, over })
            }
            "slope" => {
                let (over, over_at) = over()?;
                let per = self.per(&over, &over_at, draft.per.as_ref())?;
                one(Estimate::Slope { of, at: at()?, over, per })
            }
            _ => {
                let places = draft.places.clone().ok_or_else(|| lacks("places", kind))?;
                let pairs = places.windows(2).map(|pair| {
                    let name = if places.len() == 2 {
                        name.to_owned()
                    } else {
                        format!("{name}: {} before {}", pair[0], pair[1])
                    };
                    let (at, to) = (pair[0].clone(), pair[1].clone());
                    let estimate = Estimate::Ratio { of: of.clone(), at, to_of: of.clone(), to };
                    (name, estimate, Some(1.0))
                });
                Ok(pairs.collect())
            }
        }
    }

    fn numeric(&self, over: &str, at: &Range<usize>) -> Result<()> {
        if knob::find(over).is_some_and(|knob| knob::number(knob, &Setup::default()).is_some()) {
            return Ok(());
        }
        Err(self.wrong(at, format!("`{over}` is no knob whose values are numbers")))
    }

    fn per(&self, over: &str, over_at: &Range<usize>, per: Option<&Entry>) -> Result<Per> {
        let Some(usual) = Per::of_knob(over) else {
            let knobs = KNOBS.iter().map(|knob| knob.name);
            let knobs: Vec<&str> = knobs.filter(|name| Per::of_knob(name).is_some()).collect();
            let wrong = format!("a slope is over one of {}; `{over}` is none", knobs.join(", "));
            return Err(self.wrong(over_at, wrong));
        };
        let Some(entry) = per else { return Ok(usual) };
        let text = self.text(entry)?;
        let suitable = || Per::ALL.into_iter().filter(|per| per.suits(over));
        suitable().find(|per| per.word() == text).ok_or_else(|| {
            let allowed: Vec<&str> = suitable().map(Per::word).collect();
            let wrong =
                format!("`{text}` is no unit of {over}; allowed are {}", allowed.join(", "));
            self.wrong(&entry.value_at, wrong)
        })
    }
}

/// The keys of a claim that name its estimate; `order` and `flat` are shorthands.
pub const KINDS: [&str; 8] =
    ["value", "ratio", "difference", "slope", "spread", "crossover", "order", "flat"];

/// A claim as far as it has been read.
#[derive(Default)]
struct Draft<'a> {
    name: Option<(Range<usize>, String)>,
    kind: Option<(&'a str, Quantity)>,
    at: Option<Place>,
    to: Option<Place>,
    to_of: Option<Quantity>,
    over: Option<Entry<'a>>,
    per: Option<Entry<'a>>,
    at_least: Option<Entry<'a>>,
    at_most: Option<Entry<'a>>,
    r2_at_least: Option<f64>,
    places: Option<Vec<Place>>,
    published: Option<String>,
    because: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = r#"
about = "What does each MiB cost?"
mechanism = ["fork", "posix_spawn"]
rewrite = "none"
rss = [0, "64M"]
contrast = { mechanism = "posix_spawn" }

[requires]
kernel = "6.8"
memory = "8G"
cpus = 2
root = true

[sampling]
time = "90s"
launches = 12
precision = "2%"

[[axis.parent]]
page = "4k"

[[axis.parent]]
page = "thp"
order = "random"

[source]
title = "A paper"
by = "A. Author, Proc. 2019"
year = 2019
machine = "i7"
finding = "it no longer holds"

[[published]]
at = { mechanism = "fork", rss = "64M", page = "4k" }
quantity = "blocked.p50"
value = ["1ms", "1.5ms"]
note = "figure 1"

[[claim]]
name = "linear"
slope = "blocked.p50"
at = { mechanism = "fork", page = "4k" }
over = "rss"
at-least = "4us"
at-most = "40us"
r2-at-least = 0.98
published = "16 us"

[[claim]]
name = "flat"
flat = "reaped.p50"
at = { mechanism = "posix_spawn", page = "4k" }
over = "rss"

[[claim]]
name = "sorted"
order = "blocked.p50"
places = [{ mechanism = "posix_spawn" }, { mechanism = "fork" }, { mechanism = "_fork" }]

[[claim]]
name = "faults"
difference = "minor_faults.child"
at = { mechanism = "fork" }
to = { mechanism = "posix_spawn" }
at-least = 5
at-most = 15.5

[[claim]]
name = "crosses"
crossover = "blocked.p50"
at = { mechanism = "fork" }
to = { mechanism = "posix_spawn" }
over = "rss"
at-most = "4M"
because = "it does"
"#;

    fn error(text: &str) -> String {
        parse("t", "t.toml", text).expect_err(text).to_string()
    }

    #[test]
    fn a_whole_file_is_read() {
        let scenario = parse("t", "t.toml", WHOLE).unwrap();
        assert_eq!(scenario.about, "What does each MiB cost?");
        let axes: Vec<&str> = scenario.axes.iter().map(|axis| axis.name.as_str()).collect();
        assert_eq!(axes, ["mechanism", "rss", "parent"]);
        assert_eq!(scenario.axes[1].points[1][0].value, "64MiB");
        assert_eq!(scenario.combinations(), 8);
        assert_eq!(scenario.expand().unwrap().len(), 8);
        assert_eq!(scenario.base.len(), 1);
        assert_eq!(scenario.contrast.to_string(), "mechanism=posix_spawn");
        assert_eq!(scenario.requires.memory(), Some(Size::from_bytes(8 << 30)));
        assert!(scenario.requires.root);
        assert_eq!(scenario.sampling.time_ns, Some(90_000_000_000));
        assert_eq!(scenario.source.as_ref().map(|source| source.year), Some(2019));
        let published = &scenario.published[0];
        assert_eq!((published.low, published.high), (1e6, 1.5e6));
        let names: Vec<&str> = scenario.claims.iter().map(|claim| claim.name.as_str()).collect();
        assert_eq!(names.len(), 6);
        assert!(names.contains(&"sorted: mechanism=fork before mechanism=_fork"), "{names:?}");
        let slope = &scenario.claims[0];
        assert_eq!((slope.at_least, slope.at_most), (Some(4e3), Some(4e4)));
        assert_eq!(slope.estimate.measure(), Counted::For(Measure::Nanoseconds, Per::MiB));
        assert_eq!(scenario.claims[1].at_most, Some(FLAT));
        assert_eq!(scenario.claims[5].at_most, Some(f64::from(4 << 20)));
    }

    #[test]
    fn a_scenario_survives_the_file_of_a_plan() {
        let scenario = parse("t", "t.toml", WHOLE).unwrap();
        let text = toml::to_string(&scenario).unwrap();
        assert_eq!(toml::from_str::<Scenario>(&text).unwrap(), scenario);
    }

    #[test]
    fn errors_say_where_and_what_is_meant() {
        for (text, wanted) in [
            ("about = 'x'\nrs = 1\n", "t.toml:2:1: unknown key `rs`; did you mean `rss`?"),
            ("about = 'x'\nrss = ['1G', '5X']\n", "t.toml:2:14: `5X` is not a value of rss"),
            ("about = 'x'\nrss = []\n", "t.toml:2:7: `rss` is an empty list"),
            ("about = 'x'\nrss = true\n", "t.toml:2:7: `rss` must be a text or a number"),
            ("about = 1\n", "t.toml:1:9: `about` must be a text, and is of type integer"),
            ("rss = '1G'\n", "t.toml: it has no `about`"),
            ("about = 'x'\nabout = 'y'\n", "t.toml:2:1: "),
            ("about = 'x\n", "t.toml:1:"),
            (
                "about = 'x'\n[requires]\nkernal = '6.9'\n",
                "t.toml:3:1: unknown key `kernal`; did you mean `kernel`?",
            ),
            ("about = 'x'\n[requires]\nkernel = 'new'\n", "t.toml:3:10: `new` is no version"),
            ("about = 'x'\n[sampling]\ntime = '60'\n", "t.toml:3:8: \"60\" is not a duration"),
            ("about = 'x'\n[[claim]]\nvalue = 'blocked.p50'\n", "has no `name`"),
            ("about = 'x'\n[[claim]]\nname = 'a'\n", "the claim `a` has no estimate"),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nvalue = 'bloked.p50'\n",
                "t.toml:4:9: `bloked` is no interval",
            ),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nvalue = 'blocked.p50'\nat = { mechanism = 'fork' }\n",
                "it claims nothing",
            ),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nvalue = 'blocked.p50'\nat = { mechansim = 'fork' }\nat-most = '1ms'\n",
                "t.toml:5:8: there is no knob `mechansim`; did you mean `mechanism`?",
            ),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nvalue = 'blocked.p50'\nat = {}\nat-most = 5\n",
                "t.toml:6:11: `at-most`: ",
            ),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nvalue = 'blocked.p50'\nratio = 'blocked.p50'\n",
                "t.toml:5:1: a claim has one estimate",
            ),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nslope = 'blocked.p50'\nat = {}\nover = 'page'\n",
                "t.toml:6:8: a slope is over one of rss,",
            ),
            (
                "about = 'x'\n[[claim]]\nname = 'a'\nslope = 'blocked.p50'\nat = {}\nover = 'rss'\nper = 'fd'\n",
                "allowed are MiB, PTE",
            ),
            ("about = 'x'\n[claim]\nname = 'a'\n", "must be a list of tables, [[claim]]"),
            ("about = 'x'\n[source]\ntitle = 'a'\n", "[source] lacks `by`"),
            ("about = 'x'\n[[published]]\nvalue = '1ms'\n", "takes `at`, `quantity` and `value`"),
        ] {
            let error = error(text);
            assert!(error.contains(wanted), "{text}\n{error}");
        }
    }

    #[test]
    fn a_budget_is_claims_and_nothing_else() {
        let budget = "[[claim]]\nname = 'a'\nvalue = 'image.p50'\nat = {}\nat-most = '3ms'\n";
        let read = claims("b.toml", budget).unwrap();
        assert_eq!((read.len(), read[0].at_most), (1, Some(3e6)));
        for (text, wanted) in [
            ("", "b.toml: it claims nothing: give it at least one [[claim]]"),
            ("[[claims]]\n", "b.toml:1:3: unknown key `claims`; did you mean `claim`?"),
            ("mechanism = 'fork'\n", "unknown key `mechanism` (allowed are claim)"),
            ("[[claim]]\nname = 'a'\nvalu = 'image.p50'\n", "b.toml:3:1: unknown key `valu`"),
        ] {
            let error = claims("b.toml", text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}\n{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = parse("t", "t.toml", &text);
        }

        #[test]
        fn no_change_of_a_good_file_panics(cut in 0..WHOLE.len(), length in 0..60usize, put in "[-a-z0-9 =\\[\\]{}\"'.,\n]{0,12}") {
            let end = (cut + length).min(WHOLE.len());
            let mut text = WHOLE.to_owned();
            text.replace_range(cut..end, &put);
            if let Ok(scenario) = parse("t", "t.toml", &text) {
                let _ = scenario.expand();
                let written = toml::to_string(&scenario).unwrap();
                prop_assert_eq!(toml::from_str::<Scenario>(&written).unwrap(), scenario);
            }
        }
    }
}
