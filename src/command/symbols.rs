//! `forkbench hazard --symbols`: which functions of the catalogue a program imports beside fork.
//!
//! Reads the dynamic symbols of ELF files and runs nothing. What it tells is a hint: that a function
//! is imported does not say that a thread calls it, or a child between fork and exec; and what a
//! program loads or links statically does not show.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use object::{Object, ObjectSymbol};
use serde::Serialize;

use crate::command::exit::{self, Exit};
use crate::model::hazard::{self, Hazard, Reset};
use crate::show::terminal::{NARROWEST, Screen, WIDEST};
use crate::show::text::wrap;
use crate::show::units;

/// Functions that make a process whose child has a copy of the memory, or runs in it.
const FORKS: [&str; 9] =
    ["fork", "_Fork", "__fork", "vfork", "clone", "__clone", "forkpty", "daemon", "__libc_fork"];

/// Functions that make a process without a gap that the program fills.
const SPAWNS: [&str; 7] =
    ["posix_spawn", "posix_spawnp", "pidfd_spawn", "pidfd_spawnp", "system", "popen", "wordexp"];

/// Functions that make a thread.
const THREADS: [&str; 2] = ["pthread_create", "thrd_create"];

/// What one file imports.
#[derive(Debug, Default)]
struct Imports {
    /// Whether it has dynamic symbols; without them nothing can be told.
    is_dynamic: bool,
    forks: Vec<String>,
    spawns: Vec<String>,
    threads: Vec<String>,
    /// The functions of the catalogue, with the hazards that they lead into.
    unsafe_ones: Vec<(&'static Hazard, Vec<String>)>,
}

/// A row of csv and json.
#[derive(Serialize)]
struct Record<'a> {
    path: String,
    kind: &'static str,
    function: &'a str,
    id: &'static str,
    hazard: &'static str,
    reset: &'static str,
    advice: &'static str,
}

/// Reads the files and prints what was found in a format of `hazard`.
pub(super) fn run(paths: &[PathBuf], format: &str) -> anyhow::Result<ExitCode> {
    let mut read: Vec<(&Path, Imports)> = Vec::new();
    let mut failed = Vec::new();
    for path in paths {
        match imports(path) {
            Ok(imports) => read.push((path, imports)),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    if read.is_empty() {
        return Err(exit::usage_text(failed.join("; ")));
    }
    let mut out = anstream::stdout();
    match format {
        "csv" | "hazard-csv" => {
            let mut writer = csv::Writer::from_writer(out);
            read.iter().flat_map(records).try_for_each(|record| writer.serialize(record))?;
            writer.flush()?;
        }
        "json" => {
            let records: Vec<Record<'_>> = read.iter().flat_map(records).collect();
            serde_json::to_writer_pretty(&mut out, &records)?;
            out.write_all(b"\n")?;
        }
        _ => {
            let width = Screen::of_stdout().width.clamp(NARROWEST, WIDEST);
            let texts: Vec<String> = read.iter().map(|one| told(one, width)).collect();
            out.write_all(texts.join("\n").as_bytes())?;
        }
    }
    for error in &failed {
        writeln!(anstream::stderr(), "forkbench: {error}")?;
    }
    Ok(match failed.as_slice() {
        [] if read.iter().all(|(_, imports)| !imports.is_dynamic) => Exit::Nothing,
        [] => Exit::Fine,
        _ => Exit::Failed,
    }
    .into())
}

/// What a file imports.
///
/// Fails if it cannot be read or is no ELF file.
fn imports(path: &Path) -> anyhow::Result<Imports> {
    let shown = path.display();
    let advice = "give an executable or a shared object";
    // A pipe or a terminal would be waited for.
    let metadata = fs::metadata(path).with_context(|| shown.to_string())?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
        anyhow::bail!("{shown}: it is {what}; {advice}");
    }
    let data = fs::read(path).with_context(|| shown.to_string())?;
    if !data.starts_with(b"\x7fELF") {
        anyhow::bail!("{shown}: it is no ELF file; {advice}");
    }
    let file = object::File::parse(&*data)
        .map_err(|error| anyhow::anyhow!("{shown}: a garbled ELF file: {error}; {advice}"))?;
    let mut names: Vec<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_undefined())
        .filter_map(|symbol| Some(symbol.name().ok()?.to_owned()))
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(Imports::of(file.dynamic_symbols().next().is_some(), &names))
}

impl Imports {
    fn of(is_dynamic: bool, names: &[String]) -> Imports {
        let among = |known: &[&str]| -> Vec<String> {
            names.iter().filter(|name| known.contains(&name.as_str())).cloned().collect()
        };
        let of_hazard = |hazard: &'static Hazard| {
            let found = among(hazard.functions);
            (!found.is_empty()).then_some((hazard, found))
        };
        Imports {
            is_dynamic,
            forks: among(&FORKS),
            spawns: among(&SPAWNS),
            threads: among(&THREADS),
            unsafe_ones: hazard::all().filter_map(of_hazard).collect(),
        }
    }
}

fn records<'a>((path, imports): &'a (&Path, Imports)) -> Vec<Record<'a>> {
    let path = path.display().to_string();
    let plain =
        [("fork", &imports.forks), ("spawn", &imports.spawns), ("thread", &imports.threads)];
    let plain = plain
        .into_iter()
        .flat_map(|(kind, names)| names.iter().map(move |name| (kind, name.as_str(), None)));
    let hazards = imports.unsafe_ones.iter().flat_map(|(hazard, names)| {
        names.iter().map(move |name| ("hazard", name.as_str(), Some(*hazard)))
    });
    plain
        .chain(hazards)
        .map(|(kind, function, hazard)| Record {
            path: path.clone(),
            kind,
            function,
            id: hazard.map_or("", |row| row.id),
            hazard: hazard.map_or("", |row| row.name),
            reset: hazard.map_or("", |row| row.reset.word()),
            advice: hazard.map_or("", |row| row.advice),
        })
        .collect()
}

/// What is said of one file, each line ended.
fn told((path, imports): &(&Path, Imports), width: usize) -> String {
    let mut lines = Vec::new();
    let mut say = |text: &str, first: &str, rest: &str| {
        lines.extend(wrap(text, width, first, rest));
    };
    let path = path.display();
    if !imports.is_dynamic {
        say(
            &format!(
                "{path}: it has no dynamic symbols (it is linked statically, or is no program): \
                 nothing can be told"
            ),
            "",
            "  ",
        );
        return lines.join("\n") + "\n";
    }
    let named = |names: &[String], none: &str| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.is_empty() { none.to_owned() } else { units::list(&names, "and") }
    };
    say(
        &format!(
            "{path}: makes processes by {}; threads by {}",
            named(&[imports.forks.as_slice(), &imports.spawns].concat(), "nothing that it imports"),
            named(&imports.threads, "nothing that it imports")
        ),
        "",
        "  ",
    );
    if imports.forks.is_empty() {
        say("it imports no fork: what is below matters only if a library forks for it", "  ", "  ");
    }
    for (hazard, names) in &imports.unsafe_ones {
        let names = named(names, "");
        let reset = match hazard.reset {
            Reset::Yes => ", whose lock fork() of the libc puts right, and a raw clone does not",
            Reset::No | Reset::NotOurs => "",
        };
        say(&format!("{} {}: {names}{reset}", hazard.id, hazard.name), "  ", "      ");
        say(hazard.advice, "      ", "      ");
    }
    if imports.unsafe_ones.is_empty() {
        say("none of the catalogue's functions is imported", "  ", "  ");
    }
    say(
        "a hint and nothing more: an import does not say that another thread calls the function, \
         nor that a child does between fork and exec; what is loaded at run time or linked in does \
         not show",
        "  ",
        "  ",
    );
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn functions_lead_to_their_hazards() {
        let imports = Imports::of(true, &names(&["fork", "localtime_r", "malloc", "puts_not"]));
        assert_eq!((&*imports.forks, imports.spawns.len()), (&*names(&["fork"]), 0));
        let found: Vec<&str> = imports.unsafe_ones.iter().map(|(row, _)| row.name).collect();
        assert_eq!(found, ["malloc", "localtime"]);
        let path = Path::new("/usr/bin/logger");
        let text = told(&(path, imports), 60);
        for part in [
            "/usr/bin/logger: makes processes by fork;",
            "H06 localtime: localtime_r",
            "a hint and nothing more",
            "puts right, and a raw",
        ] {
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(part), "no `{part}` in {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn of_a_static_program_nothing_is_told() {
        let text = told(&(Path::new("x"), Imports::of(false, &[])), 80);
        assert!(text.contains("nothing can be told") && !text.contains("hint"), "{text}");
    }

    #[test]
    fn this_test_is_an_elf_file_and_others_say_what_they_are() {
        let own = std::env::current_exe().unwrap();
        let found = imports(&own).unwrap();
        assert!(found.is_dynamic && !found.unsafe_ones.is_empty(), "{found:?}");
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("notes.txt");
        fs::write(&text, "no program").unwrap();
        let garbled = directory.path().join("garbled");
        fs::write(&garbled, b"\x7fELF and nothing else").unwrap();
        for (path, why) in [
            (text.as_path(), "no ELF file"),
            (garbled.as_path(), "garbled"),
            (directory.path(), "a directory"),
            (Path::new("/dev/null"), "no regular file"),
            (Path::new("/nowhere/at/all"), "No such file"),
        ] {
            let error = format!("{:#}", imports(path).unwrap_err());
            assert!(error.contains(why) && error.contains(&*path.to_string_lossy()), "{error}");
        }
    }
}
