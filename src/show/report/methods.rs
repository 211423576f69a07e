//! How a run was made, in a paragraph that can be pasted into a paper or a pull request, and what its
//! numbers are not. Every sentence holds for the run at hand: what it did not do is not said.

use crate::analyse::contrasts::Contrast;
use crate::analyse::summary::{CountSource, VariantSummary};
use crate::model::interval::Interval;
use crate::model::row::Role;
use crate::model::setup::Workload;
use crate::record::archive::FINENESS;
use crate::show::document::{Block, Part};
use crate::show::units;

use super::{Run, machine};

/// The paragraph.
pub(super) fn part(run: &Run, id: String) -> Part {
    Part::new(id, "Methods", vec![Block::Quote(paragraph(run))])
}

/// What the numbers are not.
pub(super) fn limits(run: &Run, id: String) -> Part {
    Part::new(id, "What these numbers are not", vec![Block::List(not(run))])
}

fn paragraph(run: &Run) -> String {
    let sentences = [
        Some(tool(run)),
        Some(design(run)),
        order(run),
        pinning(run),
        rewriting(run),
        samples(run),
        archived(run),
        intervals(run),
        faults(run),
        statistics(run),
        laws(run),
        claims(run),
        gate(run),
        hazards(run),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn tool(run: &Run) -> String {
    let environment = &run.environment;
    let version = environment.fact("tool.version");
    let version = version.map_or_else(String::new, |version| format!(" {version}"));
    let on = machine::in_short(environment).map_or_else(String::new, |on| format!(" on {on}"));
    let began = environment.started().map_or_else(String::new, |at| format!(", begun {at}"));
    format!("Process creation was measured with forkbench{version}{on}{began}.")
}

/// A whole number of the plan.
fn number(table: &toml::Table, key: &str) -> Option<i64> {
    table.get(key)?.as_integer()
}

/// The parents of the plan.
fn parents(run: &Run) -> Vec<&toml::Table> {
    let parents = run.plan.get("parents").and_then(toml::Value::as_array);
    parents.into_iter().flatten().filter_map(toml::Value::as_table).collect()
}

/// A number of each variant of each parent of the plan.
fn of_variants(run: &Run, key: &str) -> Vec<i64> {
    let of = |parent: &toml::Table| -> Vec<i64> {
        let variants = parent.get("variants").and_then(toml::Value::as_array);
        let tables = variants.into_iter().flatten().filter_map(toml::Value::as_table);
        tables.filter_map(|variant| number(variant, key)).collect()
    };
    parents(run).into_iter().flat_map(of).collect()
}

/// `4` or `4 to 12`.
fn range(numbers: &[i64]) -> Option<String> {
    let (least, most) = (numbers.iter().min()?, numbers.iter().max()?);
    let count = |number: &i64| units::count(u64::try_from(*number).unwrap_or(0));
    Some(if least == most { count(least) } else { format!("{} to {}", count(least), count(most)) })
}

/// Whether each sample is a whole experiment, in a parent of its own.
fn is_whole(run: &Run) -> bool {
    let parents = parents(run);
    let without = |parent: &&toml::Table| number(parent, "warmup_rounds") == Some(0);
    !parents.is_empty() && parents.iter().all(without)
}

fn design(run: &Run) -> String {
    let summary = &run.summary;
    let totals = &summary.totals;
    let count = |number: usize, one, many| units::plural(number as u64, one, many);
    let mut shapes: Vec<&str> = summary.variants.iter().map(|v| v.row.shape.as_str()).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let what = format!(
        "{} in parents of {}",
        count(summary.variants.len(), "variant", "variants"),
        count(shapes.len(), "shape", "shapes"),
    );
    let launches = count(totals.launches, "launch", "launches");
    if is_whole(run) {
        return format!(
            "{what} were each observed in a process of their own, in {launches}; how often was \
             fixed beforehand."
        );
    }
    let blocks = count(totals.time_blocks, "timed block", "timed blocks");
    let counted = match totals.count_blocks {
        0 => String::new(),
        blocks => format!(" and {} for counting", count(blocks, "block", "blocks")),
    };
    let planned = number(&run.plan, "launches").and_then(|n| usize::try_from(n).ok());
    let planned = planned.filter(|planned| *planned > totals.launches);
    let planned = planned.map_or_else(String::new, |n| format!(" of {} planned", n));
    format!(
        "{what} were measured in {launches}{planned}, each with parent processes started afresh, \
         in {blocks}{counted} all together."
    )
}

fn order(run: &Run) -> Option<String> {
    if is_whole(run) || parents(run).is_empty() {
        return None;
    }
    let in_parent: Vec<usize> = parents(run)
        .iter()
        .map(|parent| parent.get("variants").and_then(toml::Value::as_array).map_or(0, Vec::len))
        .collect();
    let balance = match (in_parent.contains(&2), in_parent.iter().any(|n| *n > 2)) {
        (false, false) => "",
        (true, false) => " (a fair coin for each block picks ABBA or BAAB)",
        (false, true) => " (rows of a Williams square under fresh labels)",
        (true, true) => {
            " (of two variants a fair coin picks ABBA or BAAB; of more, rows of a Williams square \
             under fresh labels)"
        }
    };
    let rounds: Vec<i64> = parents(run).iter().filter_map(|one| number(one, "rounds")).collect();
    let rounds = range(&rounds)?;
    let turns = range(&of_variants(run, "samples"))?;
    let seed = run.plan.get("wishes").and_then(|wishes| wishes.get("seed")?.as_integer());
    let seed = seed.map_or_else(String::new, |seed| format!("; the seed was {seed}"));
    let settle = of_variants(run, "settle_first").into_iter().max().unwrap_or(0);
    let settle = match settle {
        0 => String::new(),
        n => format!(", turns begin with up to {n} settling spawns,"),
    };
    let plural = if rounds == "1" { "round" } else { "rounds" };
    Some(format!(
        "A block is {rounds} {plural} in which every variant of a parent takes a turn of {turns} \
         samples, in an order drawn anew for each block{balance}{seed}. A launch begins with a \
         warm-up{settle} and neither counts in a figure."
    ))
}

/// The value of a setting of each subject that was measured.
fn settings<'a>(run: &'a Run, knob: &'a str) -> impl Iterator<Item = Option<&'a str>> {
    subjects(run).map(move |variant| {
        let mut settings = variant.row.settings.split(';');
        settings.find_map(|one| one.strip_prefix(knob)?.strip_prefix('='))
    })
}

fn subjects(run: &Run) -> impl Iterator<Item = &VariantSummary> {
    run.summary.variants.iter().filter(|variant| variant.row.role == Role::Subject)
}

fn pinning(run: &Run) -> Option<String> {
    let cpu = number(&run.plan, "cpu")?;
    let free = settings(run, "child-cpu").filter(|value| *value == Some("free")).count();
    let all = subjects(run).count();
    let children = match free {
        0 => "and so were its children",
        free if free == all => "its children on any",
        _ => "and so were its children where nothing else is said",
    };
    Some(format!("The spawning thread was pinned to one processor (CPU {cpu}), {children}."))
}

fn rewriting(run: &Run) -> Option<String> {
    let has_bill = |variant: &VariantSummary| {
        variant.row.copies_pages && variant.interval(Interval::Rewrite).is_some()
    };
    subjects(run).any(has_bill).then(|| {
        "After each birth that copies page tables the parent's memory was made writable again, \
         outside the other intervals."
            .to_owned()
    })
}

fn samples(run: &Run) -> Option<String> {
    let totals = &run.summary.totals;
    (totals.samples > 0).then(|| {
        let failed: usize = run.summary.variants.iter().map(|variant| variant.failed).sum();
        let failed = match failed {
            0 => String::new(),
            failed => format!("; {} failed", units::count(failed as u64)),
        };
        format!(
            "Figures are made of {} of {} samples (the rest is warm-up, settling and \
             counting{failed}); none was removed as an outlier, and nothing was subtracted.",
            units::count(totals.measured as u64),
            units::count(totals.samples as u64),
        )
    })
}

/// What an archive keeps in place of the samples.
fn archived(run: &Run) -> Option<String> {
    let archive = run.archive.as_ref()?;
    Some(match archive.exact {
        true => "They were archived without loss.".to_owned(),
        false => format!(
            "They were archived with each time rounded by at most one part in {}.",
            units::count(2 * FINENESS)
        ),
    })
}

fn intervals(run: &Run) -> Option<String> {
    let is_told = |interval: &Interval| {
        let has = |variant: &VariantSummary| {
            variant.interval(*interval).is_some_and(|found| found.count > 0)
        };
        subjects(run).any(has)
    };
    let told: Vec<String> = Interval::ALL
        .into_iter()
        .filter(is_told)
        .map(|interval| match interval {
            Interval::Blocked => "blocked, when the call has returned in the caller",
            Interval::Born => "born, when the child runs its first instruction",
            Interval::Image => "image, when the first instruction of the new image runs",
            Interval::Reaped => "reaped, when the caller has reaped the child",
            Interval::Rewrite => {
                "rewrite, a length of its own, what the parent takes to write its memory again"
            }
        })
        .map(str::to_owned)
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "Times are of CLOCK_MONOTONIC from the moment at which the call is entered until they \
             end: {}.",
            told.join("; ")
        )
    })
}

fn faults(run: &Run) -> Option<String> {
    let counts = subjects(run).flat_map(|variant| [variant.faults.parent, variant.faults.child]);
    let sources: Vec<CountSource> = counts.flatten().map(|count| count.source).collect();
    if sources.is_empty() {
        return None;
    }
    let by = match sources.iter().all(|source| *source == CountSource::Perf) {
        true => "perf events",
        false => "getrusage, which counts one more for each exec",
    };
    Some(format!("Page faults were counted by {by}, in blocks that were not timed."))
}

fn statistics(run: &Run) -> Option<String> {
    let intervals = || run.summary.variants.iter().flat_map(|variant| &variant.intervals);
    if intervals().all(|interval| interval.count == 0) {
        return None;
    }
    let percent = (run.summary.confidence * 100.0).round();
    let mut text = format!(
        "Quantiles have distribution-free {percent} % intervals from order statistics (exact \
         binomial)."
    );
    let is_shown = |contrast: Option<Contrast>| matches!(contrast, Some(Contrast::Shown(_)));
    let columns = || run.summary.variants.iter().flat_map(|variant| &variant.columns);
    if intervals().any(|one| is_shown(one.versus_p50)) || columns().any(|c| is_shown(c.versus)) {
        text += " Ratios are Hodges-Lehmann estimates over the logarithms of the ratios of block \
                 quantiles; their interval is the wider of that of the signed-rank test over \
                 blocks and that of Student's t over launches.";
    }
    Some(text)
}

fn laws(run: &Run) -> Option<String> {
    let fitted = run.summary.laws.iter().any(|law| law.fit.is_some());
    fitted.then(|| {
        "Lines are fitted in each launch by itself, by the weighted median of the slopes of all \
         pairs of points; the interval of a slope is over launches."
            .to_owned()
    })
}

fn claims(run: &Run) -> Option<String> {
    (!run.summary.findings.is_empty()).then(|| {
        let percent = (run.summary.confidence * 100.0).round();
        format!(
            "A claim HOLDS where the {percent} % interval of its estimate lies in the range \
             claimed, FAILS where it lies outside, and is UNCLEAR where it straddles a bound; \
             claims are not corrected for each other."
        )
    })
}

fn gate(run: &Run) -> Option<String> {
    let gated = run.gated.as_ref()?;
    let units: Vec<String> = designs(gated)
        .into_iter()
        .filter_map(|design| {
            Some(match design {
                "interleaved" => "blocks of one parent, and its launches".to_owned(),
                "launch-pairs" => "launches with a parent for each side".to_owned(),
                "counts" => "launches, whose counts are nearly exact".to_owned(),
                _ => return None,
            })
        })
        .collect();
    let units: Vec<&str> = units.iter().map(String::as_str).collect();
    Some(format!(
        "Of each row it was tested, one-sided, whether candidate / base lies above 1 + its margin, \
         by the signed ranks of the blocks and by a trimmed t over launches, of which the larger p \
         counts, at alpha = {}, with {} corrected for each other (Benjamini and Hochberg); units \
         are {}.",
        gated.alpha,
        units::plural(gated.family as u64, "row", "rows"),
        if units.is_empty() { "none".to_owned() } else { units::list(&units, "and") },
    ))
}

/// Every design that a row of a gate has, once.
fn designs(gated: &crate::show::judgement::Gated) -> Vec<&'static str> {
    let mut designs: Vec<&'static str> = Vec::new();
    for row in &gated.rows {
        if !designs.contains(&row.design) {
            designs.push(row.design);
        }
    }
    designs
}

fn hazards(run: &Run) -> Option<String> {
    (!run.summary.hazards.is_empty()).then(|| {
        "How many children were made of each hazard and birth was fixed beforehand; rates have \
         exact 95 % intervals (Clopper and Pearson), and a child counts as hung for ever only \
         where what was seen of it proves it."
            .to_owned()
    })
}

/// What the numbers do not say, as far as it concerns this run.
fn not(run: &Run) -> Vec<String> {
    let has_workload =
        |workload: Workload| subjects(run).any(|one| one.row.workload == workload.word());
    let is_open = settings(run, "load").flatten().any(|load| load != "closed");
    let mut told = Vec::new();
    if has_workload(Workload::Hazard) {
        told.push(
            "A rate is that of a program made to run into the hazard: a server holds its locks for \
             less of the time, and hangs more rarely, and as surely."
                .to_owned(),
        );
    }
    let is_of_hazards_alone = subjects(run).all(|one| one.row.workload == Workload::Hazard.word());
    if !is_of_hazards_alone {
        if !is_open {
            told.push(
                "It is a closed loop: the next begins when the last has ended. That is service \
                 time, not the response time of a server under load."
                    .to_owned(),
            );
        }
        told.push(
            "Interleaved is not isolated: each variant ran beside the others, so that ratios hold, \
             and times are those of a machine that also did the others."
                .to_owned(),
        );
        if settings(run, "between").any(|value| value.is_none_or(|between| between == "hot")) {
            told.push(
                "It is hot unless it says otherwise: a server that spawns now and then pays more; \
                 see the column cold, and --between."
                    .to_owned(),
            );
        }
        if has_workload(Workload::Spawn) {
            told.push(
                "One thread spawns, one child at a time, and the child does nothing.".to_owned(),
            );
        }
    }
    told.push(
        "It is of one machine. Times of two machines, or of two days on a shared one, differ by \
         more than most mechanisms do; shapes and ratios travel better."
            .to_owned(),
    );
    told.push("What the choices of this tool favour, and whom: BIAS.md.".to_owned());
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::report::fixture;

    #[test]
    fn a_paragraph_says_what_the_plan_and_the_machine_say() {
        let plan = "launches = 12\ncpu = 3\n[wishes]\nseed = 42\n[[parents]]\nlabel = 'rss=1GiB'\n\
                    rounds = 4\nwarmup_rounds = 1\nvariants = [{ samples = 1, settle_first = 1 }, \
                    { samples = 10, settle_first = 3 }]\n";
        let mut run = fixture::run(&crate::show::example::first_screen());
        run.plan = plan.parse().unwrap();
        run.environment =
            fixture::environment("[tool]\nversion = '1.2'\n[kernel]\nrelease = '6.1'");
        run.summary.totals.launches = 10;
        let text = paragraph(&run);
        for part in [
            "forkbench 1.2 on Linux 6.1",
            "4 variants in parents of 1 shape were measured in 10 launches of 12 planned",
            "4 rounds in which every variant of a parent takes a turn of 1 to 10 samples",
            "a fair coin for each block picks ABBA or BAAB",
            "the seed was 42",
            "(CPU 3), and so were its children",
            "Hodges-Lehmann",
            "counted by perf events",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("A claim") && !text.contains("Lines are"), "{text}");
    }

    #[test]
    fn what_a_run_did_not_do_is_not_said() {
        let text = paragraph(&fixture::run(&crate::show::example::summary(&[], "posix_spawn")));
        assert_eq!(
            text,
            "Process creation was measured with forkbench. 0 variants in parents of 0 shapes were \
             measured in 0 launches, each with parent processes started afresh, in 0 timed blocks \
             all together."
        );
        let text = paragraph(&fixture::run(&crate::show::example::sweep()));
        assert!(text.contains("Lines are fitted") && text.contains("A claim HOLDS"), "{text}");
    }

    #[test]
    fn what_the_numbers_are_not_depends_on_what_was_done() {
        let told = not(&fixture::run(&crate::show::example::first_screen()));
        assert!(told.iter().any(|one| one.contains("closed loop")));
        assert!(told.last().unwrap().contains("BIAS.md"));
        let mut open = crate::show::example::first_screen();
        for variant in &mut open.variants {
            variant.row.settings += ";load=open:100";
        }
        let told = not(&fixture::run(&open));
        assert!(!told.iter().any(|one| one.contains("closed loop")), "{told:?}");
    }
}
