//! The commands behind a page: what measured the run, what shows it, what to ask next.

use crate::show::document::{Block, Part};

use super::Run;

/// How to make the run again, and what to run next.
pub(super) fn part(run: &Run, id: String) -> Part {
    let mut blocks = Vec::new();
    match measured(run) {
        Some(command) => {
            let seed = run.plan.get("wishes").and_then(|wishes| wishes.get("seed")?.as_integer());
            blocks.push(Block::Text(match seed.filter(|_| !command.contains("--seed")) {
                Some(seed) => format!("It was measured by this (the same order: --seed {seed}):"),
                None => "It was measured by this:".to_owned(),
            }));
            blocks.push(Block::Commands(vec![command]));
        }
        None => blocks.push(Block::Text("The command that measured it is not told.".to_owned())),
    }
    blocks.push(Block::Text("Its figures are told again by these:".to_owned()));
    blocks.push(Block::Commands(vec![shown(run), format!("{} --format csv", shown(run))]));
    if !run.view.next.is_empty() {
        blocks.push(Block::Text("What to ask next:".to_owned()));
        let next = run.view.next.iter().map(|next| (next.command.clone(), next.why.clone()));
        blocks.push(Block::Facts(next.collect()));
    }
    Part::new(id, "Make it again", blocks)
}

/// The command that shows the figures of a run.
pub(super) fn shown(run: &Run) -> String {
    format!("forkbench show {}", quoted(&run.path))
}

/// The command that measured a run, as it was typed, without where its results went and how much was
/// printed meanwhile; none where it is not told.
pub(super) fn measured(run: &Run) -> Option<String> {
    let words = run.environment.command_line()?;
    // By whatever path the program was started, it is known by its name.
    let mut kept = vec!["forkbench".to_owned()];
    let mut words = words.into_iter().skip(1);
    while let Some(word) = words.next() {
        match word {
            "--out" | "--export" => drop(words.next()),
            "--quiet" | "-q" => {}
            word if word.starts_with("--out=") || word.starts_with("--export=") => {}
            word => kept.push(quoted(word)),
        }
    }
    Some(kept.join(" "))
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;
    use crate::show::report::fixture;

    #[test]
    fn where_results_went_is_no_part_of_the_command() {
        let mut run = fixture::run(&example::first_screen());
        assert_eq!(measured(&run), None);
        run.environment = fixture::environment(
            "[tool]\ncommand_line = ['/opt/bin/forkbench', 'run', '--out', 'results/x', '--quiet', \
             '--image', '/bin/true a', '--export=md=a.md', '-q', '--export', 'csv=b', '--rss', '1G']",
        );
        let expected = "forkbench run --image '/bin/true a' --rss 1G";
        assert_eq!(measured(&run).as_deref(), Some(expected));
        run.path = "results/a b".to_owned();
        assert_eq!(shown(&run), "forkbench show 'results/a b'");
    }
}
