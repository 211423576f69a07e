//! What a document shows as printed is what its command prints: a block of text under a line
//! `<!-- screen: COMMAND -->`, run by a shell at the root of the project.
//!
//! `UPDATE_SCREENS=1 cargo test --test readme screens` writes them anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::documents::{DOCUMENTS, blocks, comment, read, root};

#[test]
fn screens_are_what_their_commands_print() {
    let update = std::env::var_os("UPDATE_SCREENS").is_some();
    let mut shown = 0;
    for document in DOCUMENTS {
        if update {
            write_anew(document);
        }
        for block in blocks(document) {
            let Some(command) = &block.screen else { continue };
            let Some(printed) = printed(command) else {
                println!("skipped: {}: the results of `{command}` are not here", block.place);
                continue;
            };
            assert_eq!(block.text, printed, "{}: {command}", block.place);
            shown += 1;
        }
    }
    println!("{shown} screens are as shown");
}

/// What a command prints; none where the results that it shows are not here.
fn printed(command: &str) -> Option<String> {
    let words = command.split_whitespace();
    if words.filter(|word| word.starts_with("results/")).any(|word| !root().join(word).exists()) {
        return None;
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_forkbench")).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("COLUMNS")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{command}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    // Neither an empty line at an end nor blanks behind a line are worth a difference.
    let lines: Vec<&str> = text.trim_matches('\n').lines().map(str::trim_end).collect();
    Some(lines.join("\n") + "\n")
}

fn write_anew(document: &str) {
    let text = read(document);
    let mut new = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        new += &format!("{line}\n");
        let Some(printed) = comment(line, "screen").and_then(|command| printed(&command)) else {
            continue;
        };
        let fence = lines.next();
        assert_eq!(fence, Some("```text"), "{document}: a screen takes a block of text");
        new += &format!("```text\n{printed}```\n");
        lines.by_ref().find(|line| *line == "```");
    }
    if new != text {
        fs::write(root().join(document), new).unwrap();
    }
}
