//! Waivers: rows of a check that may be red until a day, and why.
//!
//! ```toml
//! [[waiver]]
//! row = "posix_spawn blocked.p50"      # a row of the check, or a claim
//! until = 2026-12-31                   # the last day, in UTC
//! because = "the new loader is known to be slower; fixed in 2.4"
//! ```

use std::fmt;

use crate::model::scenario::parse::{BadFile, Entry, Part, Reader, in_order};

/// A row that may be red for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// What the row is called, or the sentence that is claimed.
    pub row: String,
    /// The last day on which it holds.
    pub until: Day,
    /// Why.
    pub because: String,
}

/// A day of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// Waivers, and the day on which they are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waivers {
    /// In the order of their file.
    pub all: Vec<Waiver>,
    /// Today.
    pub today: Day,
}

impl Day {
    /// The day of a text that begins as `2026-12-31`; none of any other, and of a day that is not in
    /// the calendar.
    pub fn parse(text: &str) -> Option<Day> {
        Day::of(&text.get(..10)?.parse().ok()?)
    }

    fn of(time: &toml::value::Datetime) -> Option<Day> {
        match (time.date, time.time, time.offset) {
            (Some(date), None, None) => {
                Some(Day { year: date.year, month: date.month, day: date.day })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Day {
    /// `2026-12-31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Waivers {
    /// None at all.
    pub fn none() -> Waivers {
        Waivers { all: Vec::new(), today: Day { year: 1970, month: 1, day: 1 } }
    }

    /// Reads them from the text of `file`.
    ///
    /// # Errors
    ///
    /// At the first thing in the file that is not understood, and where it waives nothing.
    pub fn parse(file: &str, text: &str, today: Day) -> Result<Waivers, BadFile> {
        let reader = Reader { file, text };
        let table = reader.document()?;
        let mut all: Vec<Waiver> = Vec::new();
        for entry in in_order(table.get_ref()) {
            if entry.key != "waiver" {
                return Err(reader.unknown(&entry, &["waiver"]));
            }
            for part in reader.tables(&entry)? {
                let waiver = one(&reader, &part)?;
                if all.iter().any(|known| known.row == waiver.row) {
                    let wrong = format!("there are two waivers of `{}`", waiver.row);
                    return Err(reader.wrong(&part.at, wrong));
                }
                all.push(waiver);
            }
        }
        if all.is_empty() {
            return Err(reader.whole("it waives nothing: give it at least one [[waiver]]"));
        }
        Ok(Waivers { all, today })
    }

    /// The waiver that names a row, whether it has expired or not.
    pub fn of(&self, row: &str) -> Option<&Waiver> {
        self.all.iter().find(|waiver| waiver.row == row)
    }

    /// What lets a row pass; none where nothing does, and after its last day.
    pub fn live(&self, row: &str) -> Option<&Waiver> {
        self.of(row).filter(|waiver| waiver.until >= self.today)
    }

    /// What is to be said of a row that nothing lets pass any more; none of any other.
    pub fn expired(&self, row: &str) -> Option<String> {
        let waiver = self.of(row).filter(|waiver| waiver.until < self.today)?;
        Some(format!("its waiver has expired: it was {waiver}"))
    }
}

impl fmt::Display for Waiver {
    /// `until 2026-12-31, since the new loader is known to be slower`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "until {}, since {}", self.until, self.because)
    }
}

fn one(reader: &Reader, part: &Part) -> Result<Waiver, BadFile> {
    let (mut row, mut until, mut because) = (None, None, None);
    for entry in in_order(part.table) {
        match entry.key {
            "row" => row = Some(reader.text(&entry)?.to_owned()),
            "until" => until = Some(day(reader, &entry)?),
            "because" => because = Some(reader.text(&entry)?.to_owned()),
            _ => return Err(reader.unknown(&entry, &["row", "until", "because"])),
        }
    }
    let lacks = |key: &str| {
        let wrong = format!("[[waiver]] lacks `{key}`: it takes `row`, `until` and `because`");
        reader.wrong(&part.at, wrong)
    };
    Ok(Waiver {
        row: row.ok_or_else(|| lacks("row"))?,
        until: until.ok_or_else(|| lacks("until"))?,
        because: because.ok_or_else(|| lacks("because"))?,
    })
}

fn day(reader: &Reader, entry: &Entry) -> Result<Day, BadFile> {
    let day = match entry.value.as_str() {
        Some(text) if text.len() == 10 => Day::parse(text),
        Some(_) => None,
        None => entry.value.as_datetime().and_then(Day::of),
    };
    day.ok_or_else(|| reader.wrong(&entry.value_at, "`until` must be a day, such as 2026-12-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "[[waiver]]\nrow = 'vfork blocked.p50'\nuntil = 2026-12-31\nbecause = 'it is known'\n";

    fn on(day: &str) -> Waivers {
        Waivers::parse("w.toml", GOOD, Day::parse(day).unwrap()).unwrap()
    }

    #[test]
    fn a_waiver_holds_on_its_last_day_and_not_on_the_next() {
        for day in ["2025-01-01", "2026-12-31"] {
            assert!(on(day).live("vfork blocked.p50").is_some(), "{day}");
            assert_eq!(on(day).expired("vfork blocked.p50"), None);
        }
        let late = on("2027-01-01");
        assert_eq!(late.live("vfork blocked.p50"), None);
        let told = late.expired("vfork blocked.p50").unwrap();
        assert!(told.ends_with("until 2026-12-31, since it is known"), "{told}");
        assert_eq!((late.of("vfork"), late.expired("vfork")), (None, None));
    }

    #[test]
    fn errors_say_where_and_what_is_meant() {
        let day = GOOD.replace("2026-12-31", "'2026-12-31'");
        assert_eq!(Waivers::parse("w.toml", &day, on("2026-01-01").today), Ok(on("2026-01-01")));
        for (text, wanted) in [
            (String::new(), "w.toml: it waives nothing"),
            (GOOD.replace("until", "untill"), "w.toml:3:1: unknown key `untill`; did you mean"),
            (GOOD.replace("until = 2026-12-31\n", ""), "w.toml:1:1: [[waiver]] lacks `until`"),
            (GOOD.replace("because = 'it is known'\n", ""), "[[waiver]] lacks `because`"),
            (GOOD.replace("2026-12-31", "'soon'"), "w.toml:3:9: `until` must be a day"),
            (GOOD.replace("2026-12-31", "2026-12-31T01:00:00Z"), "`until` must be a day"),
            (GOOD.replace("2026-12-31", "2026-02-31"), "w.toml:3:"),
            (GOOD.replace("[[waiver]]", "[[waive]]"), "unknown key `waive`"),
            (GOOD.repeat(2), "there are two waivers of `vfork blocked.p50`"),
        ] {
            let error = Waivers::parse("w.toml", &text, on("2026-01-01").today).expect_err(&text);
            assert!(error.to_string().contains(wanted), "{text}\n{error}");
        }
    }
}
