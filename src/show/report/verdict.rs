//! What was found of a check, or of claims, as parts of a page.

use crate::analyse::gate::Verdict;
use crate::show::chapter::Chapter;
use crate::show::document::{Block, Part};
use crate::show::finding;
use crate::show::judgement::{GateRow, Gated};
use crate::show::units;

use super::tables;

/// The verdict of a check in a sentence: what is worse first.
pub(super) fn sentence(gated: &Gated) -> String {
    let rows = |verdict: Verdict| -> Vec<&GateRow> {
        gated.rows.iter().filter(|row| row.is(verdict)).collect()
    };
    let all = units::plural(gated.rows.len() as u64, "row", "rows");
    if let Some(reason) = &gated.reason {
        return format!("{}: {reason}.", Verdict::NotComparable.word());
    }
    if gated.rows.is_empty() {
        return format!("{}: nothing was judged.", Verdict::NotComparable.word());
    }
    let red: Vec<&GateRow> = gated.rows.iter().filter(|row| row.is_red()).collect();
    if let [first, rest @ ..] = red.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        return format!(
            "{}: {} is {} of the base ({}), more than its margin of {}{more}; {all} judged.",
            Verdict::Regressed.word(),
            first.row,
            first.told_ratio(),
            first.told_interval(),
            first.told_margin(),
        );
    }
    let open = [Verdict::NotComparable, Verdict::Inconclusive];
    if let Some((verdict, some)) =
        open.iter().map(|verdict| (verdict, rows(*verdict))).find(|(_, some)| !some.is_empty())
    {
        return format!("{}: {} of {all}; none is REGRESSED.", verdict.word(), some.len());
    }
    let waived = match gated.counts.waived {
        0 => String::new(),
        waived => format!(" save {waived} that a waiver lets pass"),
    };
    let better = rows(Verdict::Improved).len();
    let better = if better > 0 { format!("; {better} IMPROVED") } else { String::new() };
    format!(
        "{}: none of {all} is worse than the base by more than its margin{waived}{better}.",
        Verdict::Fine.word()
    )
}

/// The rows of a check, and what is to be said of them.
pub(super) fn part(gated: &Gated, id: String) -> Part {
    let mut blocks = Vec::new();
    if let Some(reason) = &gated.reason {
        blocks.push(Block::Warning(reason.clone()));
    }
    let sides = sides(&gated.rows);
    if !sides.is_empty() {
        blocks.push(Block::Facts(sides));
    }
    if !gated.rows.is_empty() {
        blocks.push(Block::Table(tables::gate(gated)));
    }
    let why = gated.rows.iter().filter(|row| !row.told_why().is_empty());
    let mut notes: Vec<String> =
        why.map(|row| format!("{} {}: {}", row.verdict, row.row, row.told_why())).collect();
    let twins: Vec<String> = gated
        .twins
        .iter()
        .filter(|twin| twin.ratio.is_some())
        .map(|twin| {
            let (ratio, interval) = (twin.told_ratio(), twin.told_interval());
            format!("{} {} {ratio} ({interval})", twin.name, twin.quantity)
        })
        .collect();
    if !twins.is_empty() {
        notes.push(format!("A/A twin of the base: {}", twins.join(", ")));
    }
    if !gated.left_out.is_empty() {
        let what = gated.left_out.join(", ");
        notes.push(format!("not judged, since the time buys too few samples for it: {what}"));
    }
    notes.extend(gated.notes.iter().cloned());
    if !notes.is_empty() {
        blocks.push(Block::List(notes));
    }
    Part::new(id, "Verdict", blocks)
}

/// What each side is, where all rows agree on it.
fn sides(rows: &[GateRow]) -> Vec<(String, String)> {
    let mut sides: Vec<(String, String)> = Vec::new();
    for row in rows {
        for (label, settings) in [(&row.base, &row.base_settings), (&row.cand, &row.cand_settings)]
        {
            if !sides.iter().any(|(known, _)| known == label) && !settings.is_empty() {
                sides.push((label.clone(), settings.replace(';', " ")));
            }
        }
    }
    sides
}

/// What was found of the claims of a scenario; none of one without.
pub(super) fn claims(chapter: &Chapter, id: String) -> Option<Part> {
    if chapter.findings.is_empty() {
        return None;
    }
    let tally = Block::Text(format!("{}.", chapter.tally()));
    let table = Block::Table(tables::findings(&chapter.findings));
    Some(Part::new(id, "Claims", vec![tally, table]))
}

/// What was published of a scenario, and what became of it; none of one that reproduces nothing.
pub(super) fn published(chapter: &Chapter, id: String) -> Option<Part> {
    let reproduction = chapter.reproduction.as_ref()?;
    let source = &reproduction.source;
    let mut facts = vec![
        ("source".to_owned(), source.title.clone()),
        ("by".to_owned(), format!("{}, {}", source.by, source.year)),
        ("measured on".to_owned(), source.machine.clone()),
    ];
    let tally = chapter.tally();
    if tally.all() > 0 {
        facts.push(("its claims here".to_owned(), tally.reproduced()));
    }
    facts.extend(source.finding.clone().map(|finding| ("today".to_owned(), finding)));
    let mut blocks = vec![Block::Facts(facts)];
    if reproduction.figures.is_empty() {
        blocks.push(Block::Text(finding::MACHINES_DIFFER.to_owned()));
    } else {
        blocks.push(Block::Table(tables::published(&reproduction.figures)));
    }
    Some(Part::new(id, "Published, and here", blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, verdict: Verdict) -> GateRow {
        GateRow {
            row: name.to_owned(),
            name: name.to_owned(),
            base: "base".to_owned(),
            cand: "cand".to_owned(),
            unit: "ns",
            base_settings: "mechanism=vfork;rss=1GiB".to_owned(),
            ratio: Some(1.1),
            ratio_lo: Some(1.08),
            ratio_hi: Some(1.12),
            margin: 0.03,
            design: "interleaved",
            verdict: verdict.word(),
            ..GateRow::default()
        }
    }

    fn gated(rows: &[GateRow]) -> Gated {
        let mut gated = Gated { rows: rows.to_vec(), ..Gated::default() };
        gated.conclude();
        gated
    }

    #[test]
    fn the_worst_is_said_first() {
        let fine = row("a", Verdict::Fine);
        let open = row("b", Verdict::Inconclusive);
        let red = row("c", Verdict::Regressed);
        let told = |rows: &[GateRow]| sentence(&gated(rows));
        assert_eq!(
            told(&[fine.clone(), open.clone(), red.clone(), red.clone()]),
            "REGRESSED: c is 1.100x of the base (1.080 to 1.120), more than its margin of 3%, and \
             1 more; 4 rows judged."
        );
        assert_eq!(told(&[fine.clone(), open]), "INCONCLUSIVE: 1 of 2 rows; none is REGRESSED.");
        let good = [fine.clone(), row("d", Verdict::Improved)];
        assert_eq!(
            told(&good),
            "OK: none of 2 rows is worse than the base by more than its margin; 1 IMPROVED."
        );
        let waived = GateRow { waived: Some("until then".to_owned()), ..red };
        assert!(told(&[fine, waived]).contains("save 1 that a waiver lets pass"));
        assert_eq!(told(&[]), "NOT COMPARABLE: nothing was judged.");
    }

    #[test]
    fn the_sides_are_told_and_so_is_why() {
        let mut one = row("a", Verdict::Inconclusive);
        one.why = "it is not clear".to_owned();
        let part = part(&gated(&[one]), "verdict".to_owned());
        let Block::Facts(facts) = &part.blocks[0] else { panic!("{part:?}") };
        assert_eq!(facts[0], ("base".to_owned(), "mechanism=vfork rss=1GiB".to_owned()));
        let Some(Block::List(notes)) = part.blocks.last() else { panic!("{part:?}") };
        assert_eq!(notes[0], "INCONCLUSIVE a: it is not clear");
    }
}
