//! The walls between the rooms, and that nothing names the machine it was built on.
//!
//! A room may name only the rooms it stands on. The text `crate::ROOM` is looked for anywhere in a
//! file, comments included: a document that has to explain another room is as sure a sign of a
//! leak as a `use`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room and the other rooms that it may name.
const ROOMS: [(&str, &[&str]); 7] = [
    ("model", &[]),
    ("record", &["model"]),
    ("measure", &["model"]),
    ("analyse", &["model", "record"]),
    ("show", &["model", "record", "analyse"]),
    ("drive", &["model", "record", "measure"]),
    ("command", &["model", "record", "measure", "analyse", "show", "drive"]),
];

/// Directories that exist on one machine only. In pieces, so that this file does not name them.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

#[test]
fn no_room_sees_through_a_wall() {
    let mut broken = Vec::new();
    for (room, _) in ROOMS {
        let files = rust_files(&root().join("src").join(room));
        assert!(!files.is_empty(), "room {room} has no files in src/{room}");
        for file in files {
            broken.extend(walls_broken(room, &relative(&file), &read(&file)));
        }
    }
    assert_none(&broken);
}

#[test]
fn every_directory_of_the_source_is_a_room() {
    let rooms: Vec<String> = fs::read_dir(root().join("src"))
        .expect("src is there")
        .map(|entry| entry.expect("src can be read").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .filter(|name| ROOMS.iter().all(|(room, _)| room != name))
        .collect();
    assert!(rooms.is_empty(), "src/{} is no room: it needs its walls here", rooms.join(", src/"));
}

#[test]
fn a_broken_wall_is_found() {
    let text = "use crate::model::row;\n\
                /// See [`crate::drive::plan`].\n\
                fn f() { crate::measure::clock::now(); }\n\
                use crate::{model, show};\n\
                use super::super::command;\n\
                use crate::analyse::cells;\n\
                use crate::shown;\n";
    let broken = walls_broken("analyse", "src/analyse/made_up.rs", text);
    let found: Vec<(usize, &str)> = broken.iter().map(|b| (b.line, b.text.as_str())).collect();
    assert_eq!(
        found,
        [(2, "crate::drive"), (3, "crate::measure"), (4, "crate::{"), (5, "super::super::command")]
    );
    assert_eq!(
        broken[0].to_string(),
        "src/analyse/made_up.rs:2: `crate::drive`: the wall of analyse, which may name only model \
         and record"
    );
    assert_eq!(walls_broken("model", "", "use crate::record::rows;").len(), 1);
    assert!(walls_broken("command", "", "use crate::drive::plan;").is_empty());
}

#[test]
fn no_file_names_the_machine_it_was_built_on() {
    let mut broken = Vec::new();
    for file in tracked_files() {
        // Files that are not text name nothing.
        if let Ok(text) = fs::read_to_string(&file) {
            broken.extend(machine_paths(&relative(&file), &text));
        }
    }
    assert_none(&broken);
}

#[test]
fn a_path_of_a_machine_is_found() {
    let [first, second] = MACHINE_PATHS;
    let text = format!(
        "cd {first}main\n\
         fine: src{first}x, https://example.org{second}x, {first}\n\
         \"{second}.cargo\"\n"
    );
    let found: Vec<usize> = machine_paths("", &text).iter().map(|broken| broken.line).collect();
    assert_eq!(found, [1, 2, 3]);
    assert!(machine_paths("", &format!("src{first}x and framework/ and root/")).is_empty());
}

/// A line that should not be.
struct Broken {
    file: String,
    line: usize,
    text: String,
    rule: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: `{}`: {}", self.file, self.line, self.text, self.rule)
    }
}

fn assert_none(broken: &[Broken]) {
    let lines: Vec<String> = broken.iter().map(Broken::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

/// What in `text`, a file of `room`, names a room that it may not name.
///
/// Paths must be spelt out: a group (`crate::{..}`) would hide its rooms from a search.
fn walls_broken(room: &str, file: &str, text: &str) -> Vec<Broken> {
    let allowed = ROOMS.iter().find(|(name, _)| *name == room).expect("a room").1;
    let forbidden = ROOMS.iter().map(|(name, _)| *name);
    let forbidden = forbidden.filter(|name| *name != room && !allowed.contains(name));
    let needles: Vec<String> = forbidden
        .flat_map(|name| [format!("crate::{name}"), format!("super::super::{name}")])
        .chain(["crate::{".to_string()])
        .collect();
    let rule = match allowed {
        [] => format!("the wall of {room}, which may name no other room"),
        rooms => format!("the wall of {room}, which may name only {}", rooms.join(" and ")),
    };
    search(file, text, &needles, &rule, |before, after, needle| {
        let whole = needle.ends_with('{') || !after.is_some_and(is_word);
        whole && !before.is_some_and(is_word)
    })
}

/// Where `text` names a directory of the machine that it was written on.
fn machine_paths(file: &str, text: &str) -> Vec<Broken> {
    let needles = MACHINE_PATHS.map(str::to_string);
    search(file, text, &needles, "a path of one machine", |before, _, _| {
        !before.is_some_and(|c| is_word(c) || "./-~".contains(c))
    })
}

/// Every place of a needle in `text` that counts, judged by the characters around it.
fn search(
    file: &str,
    text: &str,
    needles: &[String],
    rule: &str,
    counts: impl Fn(Option<char>, Option<char>, &str) -> bool,
) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for needle in needles {
            let found = line.match_indices(needle.as_str()).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + needle.len()..].chars().next();
                counts(before, after, needle)
            });
            if found {
                let (file, line) = (file.to_string(), number + 1);
                broken.push(Broken { file, line, text: needle.clone(), rule: rule.to_string() });
            }
        }
    }
    broken
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root()).expect("a file of this package").display().to_string()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The files that belong to the package: those that git tracks or, where there is no repository
/// (a package unpacked from a registry), all source files.
fn tracked_files() -> Vec<PathBuf> {
    if !root().join(".git").exists() {
        return [rust_files(&root().join("src")), rust_files(&root().join("tests"))].concat();
    }
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root())
        .output()
        .expect("git can be started");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git ls-files: {complaint}");
    let names = String::from_utf8(output.stdout).expect("names in UTF-8");
    let files: Vec<PathBuf> = names.split_terminator('\0').map(|name| root().join(name)).collect();
    assert!(files.len() > 10, "git lists {} files only", files.len());
    files
}
