//! Pages, from end to end: what `report` and `show -o` write, and what they refuse.
//!
//! `tests/data/golden/run` is a small run that `tests/data/golden/make.py` has made up. The pages of
//! it are committed beside it and must stay as they are, byte for byte; where a change is meant,
//! `FORKBENCH_UPDATE=1 cargo test --test run report::` writes them anew.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bench::{Bench, Said, finish, finish_within, is_root, skip};
use crate::limits::{Disk, limit};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A copy of a results directory of the tests, named `run`, in which texts may be replaced.
fn copied(bench: &Bench, from: &str, replaced: &[(&str, &str, &str)]) -> PathBuf {
    let place = bench.path("run");
    fs::create_dir(&place).unwrap();
    for entry in fs::read_dir(data(from)).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        for (file, before, after) in replaced {
            if name == *file {
                assert!(text.contains(before), "{name} has no {before}");
                text = text.replace(before, after);
            }
        }
        fs::write(place.join(name), text).unwrap();
    }
    place
}

fn report(bench: &Bench, arguments: &[&str]) -> Said {
    finish(bench.forkbench([&["report"], arguments].concat()))
}

/// Every file below a directory, with its bytes.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

/// The study that stands in `reports/`, made again from what stands in `results/reference/` by the
/// command at its end.
#[test]
fn the_study_is_what_its_results_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = Bench::new();
    std::os::unix::fs::symlink(root.join("results"), bench.path("results")).unwrap();
    fs::create_dir(bench.path("reports")).unwrap();
    let outline = "reports/process-creation.toml";
    fs::copy(root.join(outline), bench.path(outline)).unwrap();
    let page = "reports/process-creation.md";
    let command = bench.forkbench(["report", "--outline", outline, "-o", page]);
    finish_within(Duration::from_secs(900), command).expect(0, &[]);

    let page = |root: &Path| fs::read_to_string(root.join("reports/process-creation.md")).unwrap();
    let (made, kept) = (page(&bench.path("")), page(root));
    for (line, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
        assert_eq!(made, kept, "line {} of reports/process-creation.md", line + 1);
    }
    assert_eq!(made.len(), kept.len());
    let figures = |root: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let folder = root.join("reports/process-creation");
        let within = |path: &Path| path.strip_prefix(root).unwrap().to_owned();
        files(&folder).into_iter().map(|(path, bytes)| (within(&path), bytes)).collect()
    };
    let (made, kept) = (figures(&bench.path("")), figures(root));
    let names = |all: &[(PathBuf, Vec<u8>)]| -> Vec<PathBuf> {
        all.iter().map(|(path, _)| path.clone()).collect()
    };
    assert_eq!(names(&made), names(&kept));
    for ((path, made), (_, kept)) in made.iter().zip(&kept) {
        assert!(made == kept, "{} is another picture now", path.display());
    }
}

#[test]
fn pages_of_a_fixed_run_stay_the_same() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    report(&bench, &["run", "-o", "report.md"]).expect(0, &[]);
    report(&bench, &["run", "-o", "report.html"]).expect(0, &[]);
    let golden = data("golden");
    let mut made = files(&bench.path("report"));
    for page in ["report.md", "report.html"] {
        made.push((bench.path(page), fs::read(bench.path(page)).unwrap()));
    }
    let root = bench.path("");
    if std::env::var_os("FORKBENCH_UPDATE").is_some() {
        let _ = fs::remove_dir_all(golden.join("report"));
        fs::create_dir_all(golden.join("report")).unwrap();
        for (path, bytes) in &made {
            fs::write(golden.join(path.strip_prefix(&root).unwrap()), bytes).unwrap();
        }
    }
    let known: Vec<PathBuf> = files(&golden.join("report")).into_iter().map(|one| one.0).collect();
    assert_eq!(known.len() + 2, made.len(), "there are other pictures: {known:?}");
    for (path, bytes) in &made {
        let name = path.strip_prefix(&root).unwrap();
        let expected = fs::read(golden.join(name)).unwrap_or_default();
        assert!(
            *bytes == expected,
            "{} is not what is committed; if that is meant: FORKBENCH_UPDATE=1 cargo test --test \
             run report::",
            name.display()
        );
    }
}

#[test]
fn a_page_answers_first_and_says_how_it_was_made() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    report(&bench, &["run", "-o", "report.md"]).expect(0, &[]);
    let page = fs::read_to_string(bench.path("report.md")).unwrap();
    assert!(
        page.starts_with("# What does each MiB that the parent has written cost?\n\nfork costs")
    );
    let mut last = 0;
    for heading in [
        "## Claims",
        "## Laws",
        "## The machine",
        "## How well it is known",
        "## Warnings",
        "## Methods",
        "## What these numbers are not",
        "## Make it again",
    ] {
        let place = page.find(heading).unwrap_or_else(|| panic!("no {heading} in {page}"));
        assert!(place > last, "{heading} stands too early");
        last = place;
    }
    for part in ["HOLDS", "FAILS", "NOT SHOWN", "forkbench run sweep.toml --seed 42\n"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("NaN"), "{page}");
    // Every picture that it names is there.
    for (at, _) in page.match_indices("](<") {
        let path = page[at + 3..].split('>').next().unwrap();
        assert!(bench.path(path).is_file(), "{path}");
    }
}

#[test]
fn show_writes_the_same_page_and_the_picture_of_the_answer() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    let show = |arguments: &[&str]| finish(bench.forkbench([&["show", "run"], arguments].concat()));
    report(&bench, &["run", "-o", "a.html"]).expect(0, &[]);
    show(&["-o", "b.html"]).expect(0, &[]);
    let page = |name: &str| fs::read_to_string(bench.path(name)).unwrap();
    assert_eq!(
        page("a.html").replace("forkbench report run -o a.html", "forkbench show run -o b.html"),
        page("b.html")
    );
    show(&["-o", "answer.svg"]).expect(0, &[]);
    show(&["-o", "law.svg", "--picture", "law-rss"]).expect(0, &[]);
    assert_eq!(page("answer.svg"), page("law.svg"));
    assert!(page("law.svg").starts_with("<svg "));
    show(&["-o", "law.svg"]).expect(2, &["it exists", "--force"]);
    show(&["-o", "law.svg", "--force", "--picture", "lanes"])
        .expect(2, &["has no picture `lanes`"]);
    show(&["-o", "x.html", "--picture", "law-rss"]).expect(2, &["--picture is for FILE.svg"]);
    show(&["-o", "x.html", "--format", "csv"]).expect(2, &["cannot be used with"]);
    let said = report(&bench, &["run", "--pictures"]);
    said.expect(0, &[]);
    assert!(
        said.stdout
            .lines()
            .any(|line| line.starts_with("  law-rss.svg ") && line.contains("fork costs")),
        "{}",
        said.stdout
    );
}

#[test]
fn names_are_text_on_every_page() {
    let bench = Bench::new();
    let hostile = "<script>alert(1)</script>";
    copied(
        &bench,
        "golden/run",
        &[
            ("plan.toml", "name = \"sweep\"", &format!("name = \"{hostile}\"")),
            ("plan.toml", "What does each MiB", &format!("{hostile} What")),
            ("variants.csv", "sweep", hostile),
            ("variants.csv", "empty vfork", &format!("vfork {hostile}")),
            ("variants.csv", "noop", hostile),
            ("environment.toml", "A Processor <of 2>", hostile),
            ("environment.toml", "a virtual machine", hostile),
            ("environment.toml", "sweep.toml", &hostile.replace('/', "")),
        ],
    );
    report(&bench, &["run", "-o", "report.md"]).expect(0, &[]);
    report(&bench, &["run", "-o", "report.html"]).expect(0, &[]);
    let md = fs::read_to_string(bench.path("report.md")).unwrap();
    let html = fs::read_to_string(bench.path("report.html")).unwrap();
    assert!(!html.contains("<script>alert"), "a name is markup");
    assert!(html.contains("&lt;script&gt;alert(1)"), "a name is gone");
    assert!(md.contains("&#60;script"), "a name is gone");
    // In a fence nothing is markup; everywhere else a tag would be.
    let outside: String = md.split("```").step_by(2).collect();
    assert!(!outside.contains("<script"), "{outside}");
    for (path, bytes) in files(&bench.path("report")) {
        let svg = String::from_utf8(bytes).unwrap();
        assert!(!svg.contains("<script"), "{}", path.display());
    }
}

#[test]
fn several_directories_are_compared_and_collected() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[("environment.toml", "6.18.0", "6.19.0")]);
    fs::rename(bench.path("run"), bench.path("later")).unwrap();
    copied(&bench, "golden/run", &[]);
    report(&bench, &["run", "later", "-o", "both.md"]).expect(0, &[]);
    let page = fs::read_to_string(bench.path("both.md")).unwrap();
    for part in [
        "Shortest blocked",
        "A ratio between runs has no interval",
        "kernel.release",
        "6.19.0",
        "<summary>A: ",
        "<summary>B: ",
    ] {
        assert!(page.contains(part), "{part}");
    }

    let other = data("exports");
    let other = other.to_str().unwrap();
    report(&bench, &["run", other, "-o", "all.md"]).expect(0, &[]);
    let page = fs::read_to_string(bench.path("all.md")).unwrap();
    assert!(page.contains("Each directory answers a question of its own"), "{page}");
    assert!(page.contains("## A: ") && page.contains("## B: "), "{page}");
    report(&bench, &["run", other, "-o", "all.svg"]).expect(2, &["of one results directory"]);
}

#[test]
fn an_outline_is_a_study_with_a_command_beside_every_figure() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    let outline = "title = 'Why not fork?'\ntext = 'It copies page tables.'\n\
                   picture = 'run:law-rss.svg'\n[[part]]\ntitle = 'Memory'\ntext = 'A parent.'\n\
                   from = 'run'\nshow = ['answer', 'laws', 'table', 'claims', 'picture:law-rss', \
                   'machine', 'quality', 'methods', 'warnings']\n";
    fs::write(bench.path("study.toml"), outline).unwrap();
    report(&bench, &["--outline", "study.toml", "-o", "study.md"]).expect(0, &[]);
    let page = fs::read_to_string(bench.path("study.md")).unwrap();
    for part in [
        "# Why not fork?\n\nIt copies page tables.\n",
        "forkbench show run --picture law-rss.svg -o law-rss.svg",
        "forkbench show run\n",
        "forkbench run sweep.toml --seed 42",
        "forkbench report --outline study.toml -o study.md",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The command beside a figure draws it.
    let draw = ["show", "run", "--picture", "law-rss.svg", "-o", "law-rss.svg"];
    finish(bench.forkbench(draw)).expect(0, &[]);
    let drawn = fs::read(bench.path("law-rss.svg")).unwrap();
    assert_eq!(drawn, fs::read(bench.path("study/law-rss.svg")).unwrap());

    for (outline, told) in [
        ("title = 'a'\nauthor = 'b'\n", "unknown field `author`"),
        ("title = 'a'\n[[part]]\ntitle = 'b'\nfrom = 'gone'\n", "gone is no directory"),
        ("title = 'a'\n[[part]]\ntitle = 'b'\nfrom = 'run'\nshow = ['picture:x']\n", "there are "),
        ("title = 'a'\n[[part]]\ntitle = 'b'\nfrom = 'run'\nshow = ['verdict']\n", "none in run"),
        ("title = 'a'\ntext = 'fork takes 3 ms'\n", "says `3 ms`"),
    ] {
        fs::write(bench.path("bad.toml"), outline).unwrap();
        report(&bench, &["--outline", "bad.toml", "-o", "bad.md"]).expect(2, &[told]);
        assert!(!bench.path("bad.md").exists(), "{outline}");
    }
    report(&bench, &["--outline", "none.toml", "-o", "x.md"]).expect(2, &["none.toml"]);
    report(&bench, &["--outline", "study.toml", "-o", "x.svg"])
        .expect(2, &["an outline is a page"]);
}

#[test]
fn what_cannot_be_a_page_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    let refused = |arguments: &[&str], told: &str| {
        let before = files(&bench.path(""));
        let said = report(&bench, arguments);
        said.expect(2, &[told]);
        assert_eq!(said.stdout, "");
        assert!(before == files(&bench.path("")), "{arguments:?} has written something");
    };
    refused(&["run"], "--output");
    refused(&[], "DIR");
    refused(&["run", "-o", "report.pdf"], "FILE.html, FILE.md or FILE.svg");
    refused(&["run", "-o", "report"], "FILE.html");
    refused(&["run", "-o", "-"], "a page goes to a file");
    refused(&["run", "-o", "run.md", "--force"], "run, and that is a results directory");
    refused(&["run", "-o", "none/report.md"], "there is no directory none");
    refused(&["gone", "-o", "report.md"], "gone is no directory");
    refused(&["run", "./run", "-o", "report.md"], "the same directory");
    refused(&["tmp", "-o", "report.md"], "no such file");
    fs::create_dir(bench.path("folder.md")).unwrap();
    refused(&["run", "-o", "folder.md"], "that is a directory");
    fs::write(bench.path("report.html"), "mine").unwrap();
    refused(&["run", "-o", "report.html"], "--force");
    fs::write(bench.path("README"), "mine").unwrap();
    refused(&["run", "-o", "README.md"], "that is no folder");
    fs::create_dir(bench.path("mine")).unwrap();
    fs::write(bench.path("mine/file"), "mine").unwrap();
    refused(&["run", "-o", "mine.md"], "there are files in it");

    report(&bench, &["run", "-o", "report.html", "--force"]).expect(0, &[]);
    assert_ne!(fs::read(bench.path("report.html")).unwrap(), b"mine");
    report(&bench, &["run", "-o", "mine.md", "--force"]).expect(0, &[]);
    assert_eq!(fs::read(bench.path("mine/file")).unwrap(), b"mine");
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    for page in ["report.html", "report.md"] {
        let mut command = bench.forkbench(["report", "run", "-o", page]);
        limit(&mut command, libc::RLIMIT_FSIZE, 4 << 10);
        finish(command).expect(1, &["was not written", "File too large"]);
        assert!(!bench.path(page).exists() && !bench.path("report").exists());
    }
    report(&bench, &["run", "-o", "report.html"]).expect(0, &[]);
    let before = fs::read(bench.path("report.html")).unwrap();
    let mut command = bench.forkbench(["report", "run", "-o", "report.html", "--force"]);
    limit(&mut command, libc::RLIMIT_FSIZE, 4 << 10);
    finish(command).expect(1, &["was not written"]);
    assert_eq!(fs::read(bench.path("report.html")).unwrap(), before, "the old page is gone");

    let place = bench.path("disk");
    match Disk::mount(&place, "16k") {
        Some(_disk) => {
            report(&bench, &["run", "-o", "disk/report.md"]).expect(1, &["No space left"]);
            assert_eq!(files(&place), [], "half a page is left");
        }
        None => skip("no file system can be mounted here, so there is no full disk"),
    }
}

#[test]
fn an_unwritable_place_is_told() {
    if !is_root() {
        return skip("only root can become another user");
    }
    let bench = Bench::new();
    copied(&bench, "golden/run", &[]);
    fs::create_dir(bench.path("locked")).unwrap();
    fs::set_permissions(bench.path("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command: Command =
        bench.public_forkbench(&["report", "run", "-o", "locked/report.html"]);
    std::os::unix::process::CommandExt::uid(&mut command, 65534);
    finish(command).expect(1, &["locked/report.html was not written", "Permission denied"]);
}

#[test]
fn runs_of_hardly_anything_have_a_page() {
    let header = |name: &str| {
        let text = fs::read_to_string(data("golden/run").join(name)).unwrap();
        text.lines().next().unwrap().to_owned() + "\n"
    };
    let lines = |name: &str, count: usize| {
        let text = fs::read_to_string(data("golden/run").join(name)).unwrap();
        text.lines().take(1 + count).fold(String::new(), |all, line| all + line + "\n")
    };
    let page = |name: &str, code: i32, change: &dyn Fn(&Path)| -> String {
        let bench = Bench::new();
        let run = copied(&bench, "golden/run", &[]);
        change(&run);
        for ending in ["md", "html"] {
            report(&bench, &["run", "-o", &format!("report.{ending}")]).expect(code, &[]);
            let text = fs::read_to_string(bench.path(&format!("report.{ending}"))).unwrap();
            assert!(!text.contains("NaN") && !text.contains("inf "), "{name}: {text}");
        }
        fs::read_to_string(bench.path("report.md")).unwrap()
    };

    let one = page("one sample", 0, &|run| {
        fs::write(run.join("samples.csv"), lines("samples.csv", 1)).unwrap();
        fs::write(run.join("blocks.csv"), lines("blocks.csv", 1)).unwrap();
    });
    assert!(one.contains("n>=6"), "{one}");

    let nothing = page("failed launches", 5, &|run| {
        fs::write(run.join("samples.csv"), header("samples.csv")).unwrap();
        fs::write(run.join("blocks.csv"), header("blocks.csv")).unwrap();
        let launches = fs::read_to_string(run.join("launches.csv")).unwrap();
        fs::write(run.join("launches.csv"), launches.replace("done,", "died,signal 9")).unwrap();
    });
    assert!(nothing.contains("nothing-measured") && nothing.contains("signal 9"), "{nothing}");

    let bare = page("no plan and no machine", 0, &|run| {
        fs::remove_file(run.join("plan.toml")).unwrap();
        fs::remove_file(run.join("environment.toml")).unwrap();
    });
    assert!(bare.contains("There is no environment"), "{bare}");
    assert!(bare.contains("The command that measured it is not told"), "{bare}");

    let alone = page("one mechanism", 0, &|run| {
        let keep = |name: &str, column: usize, value: &str| {
            let text = fs::read_to_string(run.join(name)).unwrap();
            let kept = text
                .lines()
                .enumerate()
                .filter(|(place, line)| *place == 0 || line.split(',').nth(column) == Some(value));
            let kept = kept.fold(String::new(), |all, (_, line)| all + line + "\n");
            fs::write(run.join(name), kept).unwrap();
        };
        keep("variants.csv", 0, "0");
        keep("samples.csv", 6, "0");
    });
    assert!(alone.contains("fork"), "{alone}");
}

#[test]
fn two_hundred_scenarios_are_one_table_and_folds() {
    let bench = Bench::new();
    let run = copied(&bench, "golden/run", &[]);
    let plan = fs::read_to_string(run.join("plan.toml")).unwrap();
    let start = plan.find("[[scenarios]]").unwrap();
    let end = plan.find("[[parents]]").unwrap();
    let scenario = &plan[start..end];
    let many: String = (0..200)
        .map(|number| scenario.replace("name = \"sweep\"", &format!("name = \"sweep-{number}\"")))
        .collect();
    fs::write(run.join("plan.toml"), [&plan[..start], &many, &plan[end..]].concat()).unwrap();
    report(&bench, &["run", "-o", "report.md"]).expect(0, &[]);
    report(&bench, &["run", "-o", "report.html"]).expect(0, &[]);
    let page = fs::read_to_string(bench.path("report.md")).unwrap();
    assert!(page.contains("## All scenarios"), "no table of all");
    assert!(page.matches("<details>").count() >= 200);
    let size = fs::metadata(bench.path("report.html")).unwrap().len();
    assert!(size < 8 << 20, "{size} bytes");
}
