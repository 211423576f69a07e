//! Pictures of a run as SVG files: latency by percentile, distributions, lanes, laws.
//!
//! Owns files under `plots/` of the results directory. Every title, figure and point comes
//! finished from the [`View`]; only pixels are computed here.

mod canvas;
mod distribution;
mod dots;
mod hazards;
mod histogram;
mod lanes;
mod latency;
mod law;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::interval::Interval;
use crate::show::comparison;
use crate::show::published::Published;
use crate::show::ranks;
use crate::show::view::{Section, View};
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
    /// What is drawn, for those who do not see it.
    pub alt: String,
}

/// The question that a picture answers: pages put pictures where the question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// How a median grows along an axis.
    Law,
    /// Where the time of a spawn goes.
    Lanes,
    /// A length by percentile.
    Latency,
    /// How an interval is distributed.
    Distribution(Interval),
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

/// Draws all pictures of a view.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn draw(view: &View) -> Result<Vec<Picture>, PlotError> {
    let mut pictures = Vec::new();
    for (section, place) in view.sections.iter().zip(places(&view.sections)) {
        let mut add = |topic, stem: &str, title: &str, about: &str, drawn| {
            pictures.extend(picture(topic, format!("{stem}{place}.svg"), title, about, drawn)?);
            Ok(())
        };
        for tail in &section.tails {
            let drawn = latency::draw(tail, &view.source);
            add(Topic::Latency, &tail.stem, &tail.title, &tail.subtitle, drawn)?;
        }
        for interval in Interval::ALL {
            let stem = format!("distribution-{}", interval.word());
            let titles = &section.titles.distributions;
            let title = titles.iter().find(|(of, _)| *of == interval).map_or("", |(_, one)| one);
            let drawn = distribution::draw(section, interval, &view.source);
            add(Topic::Distribution(interval), &stem, title, &section.caption, drawn)?;
        }
        let drawn = lanes::draw(section, &view.source);
        add(Topic::Lanes, "lanes", &section.titles.lanes, &section.caption, drawn)?;
    }
    if let Some(chart) = view.hazards.rates() {
        let drawn = hazards::draw(&chart, &view.source);
        let name = "hazards.svg".to_owned();
        let about = super::dots::told(&chart.subtitle, &chart.told());
        pictures.extend(picture(Topic::Hazards, name, &chart.title, &about, Some(drawn))?);
    }
    for chart in &view.charts {
        let drawn = law::draw(chart, &view.source);
        let name = format!("{}.svg", chart.stem);
        pictures.extend(picture(Topic::Law, name, &chart.title, &chart.subtitle, Some(drawn))?);
    }
    for one in &view.works {
        pictures.extend(work(one, &view.source)?);
    }
    pictures.extend(published(&[view], &view.source)?);
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
    let alt = format!("{title}. {about}");
    Ok(Some(Picture { name, svg, topic, title: title.to_owned(), alt: alt.trim_end().to_owned() }))
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
    use super::*;
    use crate::show::example::{self, FORK, POSIX_SPAWN, Spawn, VFORK};
    use crate::show::palette;

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
            "latency.svg",
            "distribution-blocked.svg",
            "distribution-image.svg",
            "distribution-reaped.svg",
            "distribution-rewrite.svg",
            "lanes.svg",
        ];
        assert_eq!(names(&one), expected);

        let spawns = [VFORK, POSIX_SPAWN];
        let two = pictures(&[("prefix=a/b", &spawns), ("prefix=a b", &spawns)]);
        assert_eq!(two.len(), 10);
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

    #[test]
    fn labels_are_text_and_never_markup() {
        let hostile = Spawn { mechanism: "</text><script>alert('1')&\u{e000}\u{1}", ..FORK };
        for picture in pictures(&[("rss=<script>", &[hostile, POSIX_SPAWN])]) {
            let svg = &picture.svg;
            assert!(!svg.contains("<script"), "{}", picture.name);
            assert!(svg.contains("&lt;script"), "{}", picture.name);
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
        let dashes = palette::look("posix_spawn").dashes;
        let group = format!("<g stroke-dasharray=\"{dashes}\"><title>posix_spawn</title>");
        assert!(drawn[0].svg.contains(&group));
        assert!(drawn[0].svg.contains("<title>fork 90%: "));
        assert!(drawn[0].svg.contains("forkbench, 20260723T101500Z-run"));
    }

    #[test]
    fn files_are_written_and_failures_name_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let view = example::view_with_curves(&example::first_screen());
        let written = write(&view, directory.path()).unwrap();
        assert_eq!(written.len(), 6);
        assert!(written.iter().all(|path| path.starts_with(directory.path().join("plots"))));
        let svg = fs::read_to_string(&written[0]).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));

        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write(&view, &file).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}", file.display())), "{error}");
    }
}
