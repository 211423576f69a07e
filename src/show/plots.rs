//! Pictures of a run, of a check and of directories beside each other, as SVG.
//!
//! Owns files under `plots/` of the results directory. Every title, figure and point comes
//! finished from the [`View`]; only pixels are computed here.

mod canvas;
mod distribution;
mod dots;
mod forest;
mod hazards;
mod heat;
mod histogram;
mod lanes;
mod latency;
mod law;
mod series;
mod shift;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::interval::Interval;
use crate::show::chart::Chart;
use crate::show::comparison;
use crate::show::distribution::Length;
use crate::show::forest::Forest;
use crate::show::heat::MOST;
use crate::show::judgement::Gated;
use crate::show::published::Published;
use crate::show::ranks;
use crate::show::shift::ShiftChart;
use crate::show::text;
use crate::show::units;
use crate::show::view::{Curve, Section, View};
use crate::show::work::Work;

/// Why a picture was not made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The drawing itself failed.
    #[error("cannot draw {name}: {reason}")]
    Draw {
        /// The file that it was for.
        name: String,
        /// What the drawing library says.
        reason: String,
    },
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its file name: `latency-rss-1GiB.svg`.
    pub name: String,
    /// Its content.
    pub svg: String,
    /// Which question it answers.
    pub topic: Topic,
    /// What it shows, as a finding.
    pub title: String,
    /// The same for those who do not see it: the finding, what is drawn, the figures that matter.
    pub alt: String,
}

/// The question that a picture answers: pages put pictures where the question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// How a median grows along an axis.
    Law,
    /// What each mechanism costs in each parent.
    Heat,
    /// Every ratio with its interval; of a check, with margins and verdicts.
    Forest,
    /// Where the time of a spawn goes.
    Lanes,
    /// A length by percentile.
    Latency,
    /// How an interval is distributed.
    Distribution(Interval),
    /// By how much two sides differ along their distributions.
    Shift,
    /// The blocks in the order of time: drift, warm-up, disturbed launches.
    Series,
    /// How often children hang.
    Hazards,
    /// What writing memory costs after a fork.
    Cow,
    /// How long other threads stand still.
    Stall,
    /// What is added by what is done between birth and exec.
    Gap,
    /// How many jobs a second, and how long each takes.
    Throughput,
    /// What a pipeline costs.
    Pipeline,
    /// The main figure of any other workload.
    Work,
    /// What was published, and what is measured here.
    Published,
    /// How results directories lie to each other.
    Ranks,
}

/// Writes all pictures of a view into `plots/` of that results directory, which is made if it is
/// missing, and says which files it wrote.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write(view: &View, directory: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let directory = directory.join("plots");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PlotError::Write { path, source }
    };
    fs::create_dir_all(&directory).map_err(failed(&directory))?;
    let mut written = Vec::new();
    for picture in draw(view)? {
        let path = directory.join(&picture.name);
        fs::write(&path, &picture.svg).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

/// Draws all pictures of a view, those first that tell most. Of very many parents only the one where
/// the answer is plainest has pictures of its own; the picture of all of them says so.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn draw(view: &View) -> Result<Vec<Picture>, PlotError> {
    let source = view.source.as_str();
    let mut pictures = Vec::new();
    if let Some(chart) = view.hazards.rates() {
        let drawn = hazards::draw(&chart, source);
        let name = "hazards.svg".to_owned();
        let about = super::dots::told(&chart.subtitle, &chart.told());
        pictures.extend(picture(Topic::Hazards, name, &chart.title, &about, Some(drawn))?);
    }
    for chart in &view.charts {
        let drawn = law::draw(chart, source);
        let name = format!("{}.svg", chart.stem);
        pictures.extend(picture(Topic::Law, name, &chart.title, &of_law(chart), Some(drawn))?);
    }
    for one in &view.works {
        pictures.extend(work(one, source)?);
    }
    pictures.extend(published(&[view], source)?);
    for heat in &view.heats {
        let drawn = heat::draw(heat, source);
        let about = format!("Table of {} {}", heat.subtitle, heat.told);
        let name = format!("{}.svg", heat.stem);
        pictures.extend(picture(Topic::Heat, name, &heat.title, &about, Some(drawn))?);
    }
    if let Some(forest) = &view.forest {
        pictures.extend(of_forest(forest, source)?);
    }
    for shift in &view.shifts {
        pictures.extend(of_shift(shift, source)?);
    }
    let is_many = view.sections.len() > MOST;
    let all = view.sections.iter().zip(places(&view.sections)).enumerate();
    for (_, (section, place)) in all.filter(|(at, _)| !is_many || *at == view.featured) {
        pictures.extend(of_section(section, &place, source)?);
    }
    set_apart(&mut pictures);
    Ok(pictures)
}

/// What was published beside what is measured in all of these runs, in one picture; none where
/// they reproduce nothing. `source` says where the figures come from.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn published(views: &[&View], source: &str) -> Result<Option<Picture>, PlotError> {
    match Published::of(views).dots() {
        Some(dots) => work(&Work::Dots(dots), source),
        None => Ok(None),
    }
}

/// Draws the pictures of a check.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn of_gate(gated: &Gated, source: &str) -> Result<Vec<Picture>, PlotError> {
    match Forest::of_gate(gated) {
        Some(forest) => Ok(of_forest(&forest, source)?.into_iter().collect()),
        None => Ok(Vec::new()),
    }
}

/// Draws the pictures of directories beside each other: how they lie to each other, and where along
/// their distributions they differ. `source` says where the figures come from.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn of_comparison(view: &comparison::View, source: &str) -> Result<Vec<Picture>, PlotError> {
    let mut pictures = ranks(view, source)?;
    for shift in &view.shifts {
        pictures.extend(of_shift(shift, source)?);
    }
    set_apart(&mut pictures);
    Ok(pictures)
}

/// How results directories lie to each other: a picture for each quantity that all have.
/// `source` says where the figures come from.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn ranks(view: &comparison::View, source: &str) -> Result<Vec<Picture>, PlotError> {
    let mut pictures = Vec::new();
    for dots in ranks::dots(view) {
        pictures.extend(work(&Work::Dots(dots), source)?);
    }
    Ok(pictures)
}

fn work(one: &Work, source: &str) -> Result<Option<Picture>, PlotError> {
    let (topic, stem, title, about, drawn) = match one {
        Work::Chart { topic, chart, told } => {
            let about = super::dots::told(&chart.subtitle, told);
            (*topic, &chart.stem, &chart.title, about, law::draw(chart, source))
        }
        Work::Dots(dots) => {
            (dots.topic, &dots.stem, &dots.title, dots.about(), dots::draw(dots, source))
        }
        Work::Histogram(one) => {
            (one.topic, &one.stem, &one.title, one.about(), histogram::draw(one, source))
        }
    };
    picture(topic, format!("{stem}.svg"), title, &about, Some(drawn))
}

/// Gives each its own name: sides may differ in nothing but what a file name cannot hold.
fn set_apart(pictures: &mut [Picture]) {
    for place in 1..pictures.len() {
        let (before, rest) = pictures.split_at_mut(place);
        while before.iter().any(|one| one.name == rest[0].name) {
            rest[0].name = rest[0].name.replace(".svg", "-.svg");
        }
    }
}

/// The pictures of one parent.
fn of_section(section: &Section, place: &str, source: &str) -> Result<Vec<Picture>, PlotError> {
    let mut pictures = Vec::new();
    let mut add = |topic, stem: &str, title: &str, about: &str, drawn| {
        pictures.extend(picture(topic, format!("{stem}{place}.svg"), title, about, drawn)?);
        Ok(())
    };
    let stories: Vec<String> = section.lanes.iter().map(lanes::story_of).collect();
    let about = format!("A lane each on one clock. {}. {}", section.caption, listed(&stories));
    let drawn = lanes::draw(section, source);
    add(Topic::Lanes, "lanes", &section.titles.lanes, &about, drawn)?;
    for tail in &section.tails {
        let curves: Vec<&Curve> = tail.curves.iter().collect();
        let about = format!("Curves. {} {}", tail.subtitle, of_curves(&curves));
        let drawn = latency::draw(tail, source);
        add(Topic::Latency, &tail.stem, &tail.title, &about, drawn)?;
    }
    for interval in Interval::ALL {
        let stem = format!("distribution-{}", interval.word());
        let titles = &section.titles.distributions;
        let title = titles.iter().find(|(of, _)| *of == interval).map_or("", |(_, one)| one);
        let length = Length::Interval(interval);
        let curves: Vec<&Curve> =
            section.curves.iter().filter(|curve| curve.length == length).collect();
        let about = format!(
            "Curves: the share of the spawns that are done by a time. {}. {}",
            section.caption,
            of_curves(&curves)
        );
        let drawn = distribution::draw(section, interval, source);
        add(Topic::Distribution(interval), &stem, title, &about, drawn)?;
    }
    if let Some(series) = &section.series {
        let about = format!("Strips. {} {}", series.subtitle, series.told);
        let drawn = series::draw(series, source);
        add(Topic::Series, "blocks", &series.title, &about, Some(drawn))?;
    }
    Ok(pictures)
}

fn of_forest(forest: &Forest, source: &str) -> Result<Option<Picture>, PlotError> {
    let about = format!("Marks with intervals. {} {}", forest.subtitle, forest.told);
    let drawn = forest::draw(forest, source);
    let name = format!("{}.svg", forest.stem);
    picture(Topic::Forest, name, &forest.title, &about, Some(drawn))
}

fn of_shift(shift: &ShiftChart, source: &str) -> Result<Option<Picture>, PlotError> {
    let about = format!("Marks with intervals. {} {}", shift.subtitle, shift.told);
    let drawn = shift::draw(shift, source);
    let name = format!("{}.svg", shift.stem);
    picture(Topic::Shift, name, &shift.title, &about, Some(drawn))
}

/// What is drawn of laws, and the figures that matter: of each its formula and its ends.
fn of_law(chart: &Chart) -> String {
    let series: Vec<String> = chart
        .series
        .iter()
        .map(|series| {
            let ends = [series.points.first(), series.points.last()];
            let ends: Vec<&str> = ends.iter().flatten().map(|point| point.text.as_str()).collect();
            format!("{}: {} ({})", series.name, series.equation, ends.join(" to "))
        })
        .collect();
    format!("{} over {}. {} {}", chart.y_title, chart.x_title, chart.subtitle, listed(&series))
}

/// What half of the samples of each curve do not exceed, and what none does.
fn of_curves(curves: &[&Curve]) -> String {
    let told: Vec<String> = curves
        .iter()
        .map(|curve| {
            let last = curve.steps.last().map_or(0.0, |step| step.nanoseconds);
            let median = match curve.median {
                Some(median) => format!("half within {}, ", units::duration(median)),
                None => String::new(),
            };
            let samples = units::count(curve.samples);
            format!("{}: {median}all {samples} within {}", curve.name, units::duration(last))
        })
        .collect();
    listed(&told)
}

/// The first of many, as a sentence.
fn listed(told: &[String]) -> String {
    const FIRST: usize = 8;
    let mut shown: Vec<String> = told.iter().take(FIRST).cloned().collect();
    if told.len() > FIRST {
        shown.push(format!("{} more", told.len() - FIRST));
    }
    if shown.is_empty() { String::new() } else { format!("{}.", shown.join("; ")) }
}

/// The longest text that is read aloud in place of a picture, in characters.
const ALT: usize = 1200;

/// A picture that was drawn; none if there was nothing to draw.
fn picture(
    topic: Topic,
    name: String,
    title: &str,
    about: &str,
    drawn: Option<canvas::Drawn>,
) -> Result<Option<Picture>, PlotError> {
    let Some(drawn) = drawn else { return Ok(None) };
    let svg = match drawn {
        Ok(svg) => svg,
        Err(error) => return Err(PlotError::Draw { name, reason: error.to_string() }),
    };
    let alt = text::shorten(format!("{title}. {about}").trim_end(), ALT);
    Ok(Some(Picture { name, svg, topic, title: title.to_owned(), alt }))
}

/// What tells the files of each section apart: nothing if there is but one.
pub(super) fn places(sections: &[Section]) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    let is_mixed = sections.iter().any(|section| section.workload != sections[0].workload);
    for section in sections {
        let workload = if is_mixed { format!("{}-", section.workload) } else { String::new() };
        let shape: String = format!("{workload}{}", section.shape)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .take(60)
            .collect();
        let mut place = if sections.len() > 1 { format!("-{shape}") } else { String::new() };
        // Labels may differ in nothing but what a file name cannot hold.
        while places.contains(&place) {
            place += "-";
        }
        places.push(place);
    }
    places
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::analyse::summary::Summary;
    use crate::show::example::{self, FORK, POSIX_SPAWN, Spawn, VFORK};
    use crate::show::forest::tests::gated;
    use crate::show::palette;
    use crate::show::shift::tests::shift;

    fn pictures(parents: &[(&str, &[Spawn])]) -> Vec<Picture> {
        draw(&example::view_with_curves(&example::summary(parents, "posix_spawn"))).unwrap()
    }

    fn names(pictures: &[Picture]) -> Vec<&str> {
        pictures.iter().map(|picture| picture.name.as_str()).collect()
    }

    #[test]
    fn each_shape_has_its_pictures() {
        let one = pictures(&[("rss=1GiB", &[FORK, VFORK, POSIX_SPAWN])]);
        let expected = [
            "forest.svg",
            "lanes.svg",
            "latency.svg",
            "distribution-blocked.svg",
            "distribution-image.svg",
            "distribution-reaped.svg",
            "distribution-rewrite.svg",
        ];
        assert_eq!(names(&one), expected);

        let spawns = [VFORK, POSIX_SPAWN];
        let two = pictures(&[("prefix=a/b", &spawns), ("prefix=a b", &spawns)]);
        assert_eq!(names(&two)[..2], ["heat.svg", "forest.svg"]);
        assert_eq!(two.len(), 12);
        assert!(names(&two).contains(&"lanes-prefix-a-b.svg"), "{:?}", names(&two));
        assert!(names(&two).contains(&"lanes-prefix-a-b-.svg"), "{:?}", names(&two));

        assert!(pictures(&[]).is_empty());
    }

    #[test]
    fn each_axis_of_a_law_has_its_picture() {
        let pictures = draw(&example::view(&example::sweep())).unwrap();
        let law = pictures.iter().find(|picture| picture.name == "law-rss.svg").unwrap();
        for part in ["fork costs 16.9 us per MiB", "57.2 us + 16.9 us per MiB", "R2 0.9998"] {
            assert!(law.svg.contains(part), "{part}");
        }
        let pictures = draw(&example::view(&example::published())).unwrap();
        let law = pictures.iter().find(|picture| picture.name.starts_with("law-")).unwrap();
        assert!(law.svg.contains("published: mechanism=fork rss=1GiB 6.90 ms"));
    }

    /// Every kind of picture, with long names, many rows and odd figures.
    fn all_kinds() -> &'static [Picture] {
        static ALL: OnceLock<Vec<Picture>> = OnceLock::new();
        ALL.get_or_init(every_kind)
    }

    fn every_kind() -> Vec<Picture> {
        let mut all = Vec::new();
        let mut add = |summary: &Summary| {
            all.extend(
                draw(&example::view_with_curves(&example::with_blocks(summary.clone()))).unwrap(),
            );
        };
        add(&example::first_screen());
        add(&example::sweep());
        add(&example::published());
        add(&example::cow());
        let long = "extern:/opt/a/way/that/is/long/python3 -m spawner --with many arguments";
        let odd = Spawn { mechanism: long, blocked: 7.9e9, count: 4, ..FORK };
        let mechanisms = ["fork", "_fork", "vfork", "clone3", "clone3-vm", "clone3-pidfd"];
        let others = ["clone3-cgroup", "pidfd_spawn", "command", "popen", "system", "thread"];
        let many: Vec<Spawn> = mechanisms
            .into_iter()
            .chain(others)
            .map(|mechanism| Spawn { mechanism, count: 90, ..VFORK })
            .chain([POSIX_SPAWN, odd])
            .collect();
        let shape = "rss=1GiB vmas=10000 vma-contents=dirty fds=16000 threads=1000 busy=malloc";
        let shapes: Vec<String> =
            (0..17).map(|place| format!("{shape} env-bytes={place}")).collect();
        let parents: Vec<(&str, &[Spawn])> =
            shapes.iter().map(|shape| (shape.as_str(), many.as_slice())).collect();
        add(&example::summary(&parents, "posix_spawn"));
        add(&example::summary(&parents[..3], "posix_spawn"));
        let mut checked = example::first_screen();
        checked.shifts = vec![shift(true), shift(false)];
        add(&checked);
        all.extend(of_gate(&gated(), "20260723T101500Z-check").unwrap());
        all
    }

    /// Fonts differ, so widths are taken as those of a wide one.
    #[test]
    fn no_text_of_any_picture_is_over_another_or_off_the_page() {
        for picture in all_kinds() {
            let boxes = canvas::text_boxes(&picture.svg);
            assert!(boxes.len() > 3, "{}", picture.name);
            let height: f64 = {
                let from = picture.svg.find(" height=\"").unwrap() + 9;
                picture.svg[from..].split('"').next().unwrap().parse().unwrap()
            };
            for (place, (text, [left, top, right, bottom])) in boxes.iter().enumerate() {
                let name = &picture.name;
                assert!(*left >= 0.0 && *right <= f64::from(canvas::WIDTH), "{name}: {text}");
                assert!(*top >= 0.0 && *bottom <= height, "{name}: {text}");
                for (other, [from, above, to, below]) in &boxes[..place] {
                    let is_over = left < to && from < right && top < below && above < bottom;
                    assert!(!is_over, "{name}: `{text}` over `{other}`");
                }
            }
        }
    }

    #[test]
    fn every_picture_is_small_and_says_in_words_what_it_shows() {
        for picture in all_kinds() {
            let Picture { name, svg, title, alt, .. } = &picture;
            assert!(svg.len() < 100_000, "{name}: {}", svg.len());
            assert!(!title.is_empty() && alt.starts_with(title.as_str()), "{name}: {alt}");
            assert!(alt.len() > title.len() + 30 && alt.chars().count() <= ALT, "{name}: {alt}");
            assert!(svg.contains("forkbench report 20260723T101500Z-"), "{name}");
            assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{name}");
            assert!(!alt.contains("NaN"), "{name}: {alt}");
        }
    }

    #[test]
    fn a_check_and_directories_have_pictures_of_their_own() {
        let check = of_gate(&gated(), "20260723T101500Z-check").unwrap();
        assert_eq!(names(&check), ["forest-check.svg"]);
        for word in ["REGRESSED 1.051x (1.044 to 1.058)", "OK 12 to 12", "A/A check"] {
            assert!(check[0].svg.contains(word), "{word}");
        }
        assert!(of_gate(&Gated::default(), "x").unwrap().is_empty());
        let mut summary = example::first_screen();
        summary.shifts = vec![shift(true), shift(true)];
        let drawn = draw(&example::view(&summary)).unwrap();
        let both = ["shift-blocked-posix_spawn.svg", "shift-blocked-posix_spawn-.svg"];
        assert!(both.iter().all(|name| names(&drawn).contains(name)), "{:?}", names(&drawn));
        let shift = drawn.iter().find(|picture| picture.topic == Topic::Shift).unwrap();
        assert!(shift.svg.contains("90%: base 96.0 us, cand 108 us"), "{}", shift.svg);
    }

    #[test]
    fn of_very_many_parents_one_has_pictures_of_its_own() {
        let shapes: Vec<String> = (0..200).map(|fds| format!("fds={fds}")).collect();
        let spawns = [VFORK, POSIX_SPAWN];
        let parents: Vec<(&str, &[Spawn])> =
            shapes.iter().map(|shape| (shape.as_str(), spawns.as_slice())).collect();
        let view = example::view(&example::summary(&parents, "posix_spawn"));
        let drawn = draw(&view).unwrap();
        assert!(drawn.len() < 10, "{:?}", names(&drawn));
        assert!(drawn[0].svg.contains("176 parents are left out"));
    }

    #[test]
    fn labels_are_text_and_never_markup() {
        let hostile = Spawn { mechanism: "</text><script>alert('1')&\u{e000}\u{1}", ..FORK };
        for picture in pictures(&[("rss=<script>", &[hostile, POSIX_SPAWN])]) {
            let svg = &picture.svg;
            assert!(!svg.contains("<script"), "{}", picture.name);
            assert!(svg.contains("&lt;"), "{}", picture.name);
            assert!(!svg.contains(['\u{e000}', '\u{e001}', '\u{1}']), "{}", picture.name);
            // Every tag that is opened is closed, and every ampersand begins an entity.
            for tag in ["svg", "g", "title", "text"] {
                let opened = svg.matches(&format!("<{tag}>")).count()
                    + svg.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag}");
            }
            for (at, _) in svg.match_indices('&') {
                let is_entity = ["&lt;", "&gt;", "&amp;", "&apos;", "&quot;"]
                    .iter()
                    .any(|entity| svg[at..].starts_with(entity));
                assert!(is_entity, "{}", &svg[at..at + 10]);
            }
        }
    }

    #[test]
    fn a_hundred_thousand_samples_make_a_small_file() {
        let spawns = [Spawn { count: 100_000, ..FORK }, VFORK, POSIX_SPAWN];
        for picture in pictures(&[("rss=1GiB", &spawns)]) {
            assert!(picture.svg.len() < 100_000, "{} {}", picture.name, picture.svg.len());
        }
    }

    #[test]
    fn a_curve_has_its_dashes_and_says_its_name() {
        let drawn = pictures(&[("rss=1GiB", &[FORK, POSIX_SPAWN])]);
        let drawn = drawn.iter().find(|picture| picture.topic == Topic::Latency).unwrap();
        let dashes = palette::look("posix_spawn").dashes;
        let group = format!("<g stroke-dasharray=\"{dashes}\"><title>posix_spawn</title>");
        assert!(drawn.svg.contains(&group));
        assert!(drawn.svg.contains("<title>fork 90%: "));
        let caption = "20260723T101500Z-run: forkbench report 20260723T101500Z-run -o FILE";
        assert!(drawn.svg.contains(caption));
    }

    #[test]
    fn files_are_written_and_failures_name_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let view = example::view_with_curves(&example::first_screen());
        let written = write(&view, directory.path()).unwrap();
        assert_eq!(written.len(), 7);
        assert!(written.iter().all(|path| path.starts_with(directory.path().join("plots"))));
        let svg = fs::read_to_string(&written[0]).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));

        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write(&view, &file).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}", file.display())), "{error}");
    }
}
