//! Pages of HTML, from end to end: what `forkbench report` writes, and what a browser makes of it
//! where one is installed.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use forkbench::show::document::{
    Block, Column, Document, Entry, Figure, Line, Part, Table, Tone, html,
};

use crate::bench::{Bench, contents, finish};
use crate::chromium::{Browser, Screen};

/// A phone, and a large screen.
const WIDTHS: [u32; 2] = [375, 1440];

/// What would do something if it were markup.
const HOSTILE: &str = "<script>alert(1)</script>\" onload=\"alert(2)\" x='</style></title>&lt;";

/// A run that does not change, with labels that would be markup.
fn fixed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/exports")
}

/// A page with one of everything, each with a name that would do something if it were markup.
fn one_of_everything() -> Document {
    let text = |about: &str| format!("{about} {HOSTILE}");
    let long = "a-long-name-without-any-place-to-break-it-".repeat(6);
    let figure = Figure {
        name: "picture.svg".to_owned(),
        title: text("A finding"),
        alt: text("What is drawn"),
        caption: text("Where it comes from"),
        svg: "<svg width=\"960\" height=\"100\" viewBox=\"0 0 960 100\" \
              xmlns=\"http://www.w3.org/2000/svg\">\n<title>A finding</title>\n\
              <rect x=\"0\" y=\"0\" width=\"960\" height=\"100\" opacity=\"1\" fill=\"#FFFFFF\"/>\n\
              <text x=\"20\" y=\"50\" font-size=\"13\" opacity=\"1\" fill=\"#606060\">said</text>\n\
              </svg>\n"
            .to_owned(),
    };
    let entry = |text: &str, tone| Entry { text: text.to_owned(), tone };
    let mut lines = vec![Line::Group(text("a group"))];
    for mechanism in ["fork", "_fork", "vfork", "clone3", "popen", "thread", "none", HOSTILE] {
        let cells = [
            entry(mechanism, Tone::Plain),
            entry("1,234 us", Tone::Plain),
            entry("holds", Tone::Good),
            entry("fails", Tone::Bad),
            entry("unsure", Tone::Unsure),
            entry(&long, Tone::Faint),
        ];
        let mechanism = Some(mechanism.to_owned());
        lines.push(Line::Cells { mechanism, cells: cells.to_vec() });
    }
    let table = Table {
        caption: text("A table"),
        columns: vec![
            Column::text(text("name")),
            Column::figures("median", text("half of all are less")),
            Column::text("holds"),
            Column::text("fails"),
            Column::text("unsure"),
            Column::text("rest"),
        ],
        lines,
        notes: vec![text("A note")],
    };
    let many = Table { lines: vec![table.lines.clone(); 30].concat(), ..table.clone() };
    let blocks = vec![
        Block::Text(format!("{} {long}", text("A text"))),
        Block::Warning(text("A warning")),
        Block::List(vec![text("One"), long.clone()]),
        Block::Facts(vec![(text("name"), text("value")), (long.clone(), long.clone())]),
        Block::Table(table),
        Block::Commands(vec![text("forkbench run"), format!("echo {long}")]),
        Block::Quote(text("A quote")),
        Block::Table(many),
    ];
    let pictures = vec![Block::Figure(figure.clone()); 7];
    let inner = Part::new("inner", text("A part of a part"), blocks.clone());
    let folded = Part { is_folded: true, ..Part::new("folded", text("Folded"), pictures) };
    Document {
        title: text("A title"),
        answer: text("The answer"),
        picture: Some(figure),
        parts: vec![
            Part { parts: vec![inner], ..Part::new("first", text("A part"), blocks) },
            folded,
        ],
        command: text("forkbench report"),
        made_by: text("forkbench"),
    }
}

/// Asserts that a browser finds nothing wrong with a page, in both themes and on every screen.
#[track_caller]
fn assert_sound(browser: &mut Browser, page: &Path) {
    for width in WIDTHS {
        for is_dark in [false, true] {
            let screen = Screen { width, is_dark, is_print: false };
            browser.open(page, screen);
            let found = browser.value(include_str!("page.js"));
            assert_eq!(found["wrong"], serde_json::json!([]), "{} {screen:?}", page.display());
            assert!(found["texts"].as_u64().unwrap() >= 3, "{found}");
            let paper = browser.value("getComputedStyle(document.documentElement).backgroundColor");
            let expected = if is_dark { "rgb(24, 24, 24)" } else { "rgb(255, 255, 255)" };
            assert_eq!(paper, expected, "{screen:?}");
            assert_eq!(browser.console(), [""; 0], "{screen:?}");
            assert_eq!(browser.requests(page), [""; 0], "{screen:?}");
        }
    }
    assert_printed(browser, page);
}

/// Asserts that all of a page is on paper, in ink on white whatever the theme of the screen is.
#[track_caller]
fn assert_printed(browser: &mut Browser, page: &Path) {
    browser.open(page, Screen { width: 800, is_dark: true, is_print: true });
    let hidden = browser.value(
        "[...document.querySelectorAll('details > *')].filter(one => !one.checkVisibility()).length",
    );
    assert_eq!(hidden, 0);
    let dark = browser.value(
        "[...document.querySelectorAll('html, td, th, svg rect')].filter(one => {
           const style = getComputedStyle(one);
           const colour = one.tagName === 'rect' ? style.fill : style.backgroundColor;
           return colour === 'rgb(24, 24, 24)';
         }).length",
    );
    assert_eq!(dark, 0);
}

/// The page of a results directory.
#[track_caller]
fn page_of(bench: &Bench, directory: &Path) -> PathBuf {
    let page = bench.path("page.html");
    let report = ["report", directory.to_str().unwrap(), "-o", "page.html", "--force"];
    finish(bench.forkbench(report)).expect(0, &[]);
    page
}

#[test]
fn a_page_with_one_of_everything_is_sound() {
    let Some(mut browser) = Browser::start() else { return };
    let bench = Bench::new();
    let page = bench.path("page.html");
    fs::write(&page, html::write(&one_of_everything())).unwrap();
    assert_sound(&mut browser, &page);
    fs::write(&page, html::write(&Document::default())).unwrap();
    browser.open(&page, Screen { width: 375, is_dark: false, is_print: false });
    assert_eq!(browser.value(include_str!("page.js"))["wrong"], serde_json::json!([]));
}

#[test]
fn a_page_of_a_run_is_sound() {
    let Some(mut browser) = Browser::start() else { return };
    let bench = Bench::new();
    let page = page_of(&bench, &fixed());
    assert_sound(&mut browser, &page);
}

/// A results directory of that many scenarios, each with a parent of its own and two mechanisms;
/// with as many launches, each of which ended so, and as many samples of each variant in a launch.
fn made(bench: &Bench, scenarios: u64, launches: u64, outcome: &str, samples: u64) -> PathBuf {
    let directory = bench.path("made");
    fs::create_dir(&directory).unwrap();
    let columns = |name: &str| {
        let text = fs::read_to_string(fixed().join(name)).unwrap();
        text.lines().next().unwrap().to_owned() + "\n"
    };
    let names = ["variants", "launches", "blocks", "samples", "readings", "histograms", "events"];
    let mut files: HashMap<&str, String> =
        names.iter().map(|name| (*name, columns(&format!("{name}.csv")))).collect();
    let mut add = |name, line: String| files.get_mut(name).unwrap().push_str(&(line + "\n"));
    for scenario in 0..scenarios {
        for (place, mechanism) in ["fork", "vfork"].into_iter().enumerate() {
            let (variant, size) = (scenario * 2 + place as u64, scenario + 1);
            let shape = format!("rss={size}MiB");
            let copies = mechanism == "fork";
            add(
                "variants",
                format!(
                    "{variant},scenario-{scenario},{shape} {mechanism},subject,{shape},{mechanism},noop,\
                 spawn,{copies},{shape};mechanism={mechanism}"
                ),
            );
        }
    }
    for launch in 1..=launches {
        for scenario in 0..scenarios {
            let begun = launch * 1_000_000_000_000 + scenario * 1_000_000_000;
            let shape = format!("rss={}MiB", scenario + 1);
            add("launches", format!("{launch},{scenario},{shape},{outcome},,{begun},2000,3000,"));
            if samples == 0 {
                continue;
            }
            let (first, second) = (scenario * 2, scenario * 2 + 1);
            let block = scenario + 1;
            add("blocks", format!("{launch},{block},time,{first}-{second},1,{begun},3000,0"));
            for turn in 0..samples * 2 {
                let variant = first + turn % 2;
                let blocked = 50_000 + (variant % 2) * 1000 * scenario + turn * 7 + launch;
                let (start, reaped) = (begun + turn * 1_000_000, blocked + 60_000);
                add(
                    "samples",
                    format!(
                        "{launch},{block},0,{turn},0,measure,{variant},{start},{blocked},{},{},{reaped},\
                     ,,0,0,0",
                        blocked / 2,
                        blocked + 30_000
                    ),
                );
            }
        }
    }
    for (name, text) in files {
        fs::write(directory.join(format!("{name}.csv")), text).unwrap();
    }
    fs::copy(fixed().join("environment.toml"), directory.join("environment.toml")).unwrap();
    directory
}

#[test]
fn a_page_of_one_sample_is_sound() {
    let bench = Bench::new();
    let directory = made(&bench, 1, 1, "done", 1);
    let samples = directory.join("samples.csv");
    let text = fs::read_to_string(&samples).unwrap();
    let one: Vec<&str> = text.lines().take(2).collect();
    fs::write(&samples, one.join("\n") + "\n").unwrap();
    let page = page_of(&bench, &directory);
    let Some(mut browser) = Browser::start() else { return };
    assert_sound(&mut browser, &page);
}

#[test]
fn a_page_of_failed_launches_is_sound_and_says_that_nothing_was_measured() {
    let bench = Bench::new();
    let directory = made(&bench, 3, 2, "died", 0);
    let report = ["report", directory.to_str().unwrap(), "-o", "page.html"];
    finish(bench.forkbench(report)).expect(5, &[]);
    let Some(mut browser) = Browser::start() else { return };
    assert_sound(&mut browser, &bench.path("page.html"));
}

#[test]
fn names_from_files_show_as_text() {
    let bench = Bench::new();
    // A slash ends a name of a file.
    let name = "<img src=x onerror=alert(1)>\" onload=\"";
    let image = bench.executable(name, "#!/bin/sh\n");
    // An image is given as the words of a command.
    let image = format!("'{}'", image.display());
    bench.run(&["--mechanism", "vfork", "--image", &image]).expect(0, &[]);
    let directory = bench.path("<script>alert(1)<script>\" onload=\"");
    fs::rename(bench.out(), &directory).unwrap();
    // Nor does any other cell of the roster say what it likes.
    let roster = directory.join("variants.csv");
    let text = fs::read_to_string(&roster).unwrap();
    let text = text.replace(",spawn,", ",<script>alert(3)</script>,");
    fs::write(&roster, text).unwrap();

    let page = page_of(&bench, &directory);
    let written = fs::read_to_string(&page).unwrap();
    assert!(!written.contains("<script") && !written.contains("<img"), "{written}");
    assert!(written.contains("&lt;script&gt;alert(1)&lt;script&gt;&quot; onload=&quot;"));

    let Some(mut browser) = Browser::start() else { return };
    assert_sound(&mut browser, &page);
    assert_eq!(browser.value("document.querySelectorAll('[onload], [onerror]').length"), 0);
    let text = browser.value("document.body.textContent");
    assert!(text.as_str().unwrap().contains("<script>alert(1)<script>\" onload=\""), "{text}");
}

#[test]
fn a_page_that_is_not_written_leaves_nothing_and_says_which() {
    let bench = Bench::new();
    let fixed = fixed();
    let report = |output: &str, more: &[&str]| {
        let arguments = ["report", fixed.to_str().unwrap(), "-o", output];
        finish(bench.forkbench([&arguments[..], more].concat()))
    };
    // A page where the disk is full.
    std::os::unix::fs::symlink("/dev/full", bench.path("full.html")).unwrap();
    report("full.html", &["--force"]).expect(1, &["full.html was not written", "No space left"]);
    fs::remove_file(bench.path("full.html")).unwrap();

    // No file may be larger than 4 KiB: the page is cut off in its middle.
    let program = bench.forkbench(["--version"]).get_program().to_owned();
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" report \"$1\" -o page.html"])
        .arg(program)
        .arg(&fixed)
        .current_dir(bench.path("."));
    finish(limited).expect(1, &["page.html was not written", "File too large"]);
    let names: Vec<PathBuf> =
        contents(&bench.path(".")).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("page")), "{names:?}");

    report("nowhere/page.html", &[]).expect(2, &["there is no directory nowhere"]);
    report("page.pdf", &[]).expect(2, &["FILE.html, FILE.md or FILE.svg"]);
    report("page.html", &[]).expect(0, &[]);
    let written = fs::read(bench.path("page.html")).unwrap();
    report("page.html", &[]).expect(2, &["page.html: it exists", "--force"]);
    assert_eq!(fs::read(bench.path("page.html")).unwrap(), written);
    report("page.html", &["--force"]).expect(0, &[]);
    assert_eq!(fs::read(bench.path("page.html")).unwrap(), written);
}
