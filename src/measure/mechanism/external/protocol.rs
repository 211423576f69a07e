//! What is said between a subject and the helper of `extern:CMD`: lines of text over two pipes.
//!
//! Only their form; FORMAT.md describes it for those who write helpers, and says what each line
//! means. Nothing here reads, writes, or, save where a line makes no sense, allocates.

/// The version of the protocol: the number in the first line.
pub const VERSION: u32 = 1;

/// The request to make a process.
pub const SPAWN: &[u8] = b"spawn\n";

/// The request to answer at once.
pub const PING: &[u8] = b"ping\n";

/// The longest line that a helper may write, in bytes, with its end.
pub const LONGEST: usize = 512;

/// One answer of a helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It takes requests.
    Ready(Ready),
    /// The answer to a ping.
    Pong,
    /// Its call has returned.
    Spawned {
        /// The child.
        pid: i32,
        /// CLOCK_MONOTONIC in nanoseconds before and after its call, if it says so.
        stamps: Option<(u64, u64)>,
    },
    /// Its call has failed.
    Failed {
        /// With this errno; at least 1.
        errno: i32,
    },
    /// It has waited for the child.
    Reaped {
        /// The wait status.
        status: i32,
        /// CLOCK_MONOTONIC in nanoseconds after it had waited, if it says so.
        stamp: Option<u64>,
    },
}

/// What a helper says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// It stamps the clock around its calls.
    pub stamps: bool,
    /// Its children do not inherit the mailbox, so that their images cannot report.
    pub no_mailbox: bool,
}

/// What is said first: the version, and what is to be spawned, each in a line with a word in front.
///
/// # Errors
///
/// The part that has a newline in it, which no line can hold.
pub fn hello<'a>(
    image: &'a [u8],
    arguments: impl Iterator<Item = &'a [u8]>,
    environment: impl Iterator<Item = &'a [u8]>,
    mailbox: i32,
) -> Result<Vec<u8>, String> {
    let mut text = format!("forkbench-extern {VERSION}\nmailbox {mailbox}\n").into_bytes();
    let image = std::iter::once(("image", image));
    let arguments = arguments.map(|argument| ("arg", argument));
    let environment = environment.map(|variable| ("env", variable));
    for (word, value) in image.chain(arguments).chain(environment) {
        if value.contains(&b'\n') {
            return Err(format!("{:?}", String::from_utf8_lossy(value)));
        }
        text.extend_from_slice(word.as_bytes());
        text.push(b' ');
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text.extend_from_slice(b"end\n");
    Ok(text)
}

/// Reads a line, without its end.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(line: &[u8]) -> Result<Answer, String> {
    let unknown = || format!("the helper said `{}`", shown(line));
    let text = std::str::from_utf8(line).map_err(|_| unknown())?;
    let mut words = text.split_ascii_whitespace();
    let answer = match words.next() {
        Some("ready") => {
            let mut ready = Ready::default();
            for word in words.by_ref() {
                match word {
                    "stamps" => ready.stamps = true,
                    "no-mailbox" => ready.no_mailbox = true,
                    _ => return Err(unknown()),
                }
            }
            Answer::Ready(ready)
        }
        Some("pong") => Answer::Pong,
        Some("spawned") => {
            let pid = number::<i32>(words.next()).filter(|pid| *pid > 1).ok_or_else(unknown)?;
            let stamps = match words.next() {
                None => None,
                begin => {
                    let begin = number(begin).ok_or_else(unknown)?;
                    Some((begin, number(words.next()).ok_or_else(unknown)?))
                }
            };
            Answer::Spawned { pid, stamps }
        }
        Some("failed") => {
            let errno = number(words.next()).filter(|errno| (1..4096).contains(errno));
            // What follows is for people.
            words.by_ref().for_each(drop);
            Answer::Failed { errno: errno.ok_or_else(unknown)? }
        }
        Some("reaped") => {
            let code = words.next().and_then(|word| word.parse().ok()).and_then(wait_status);
            let status = code.ok_or_else(unknown)?;
            let stamp = match words.next() {
                None => None,
                stamp => Some(number(stamp).ok_or_else(unknown)?),
            };
            Answer::Reaped { status, stamp }
        }
        _ => return Err(unknown()),
    };
    if words.next().is_some() { Err(unknown()) } else { Ok(answer) }
}

fn number<T: std::str::FromStr>(word: Option<&str>) -> Option<T> {
    // A sign is no digit, which `parse` would take.
    word.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// The wait status of an exit code, or of a signal where it is negative.
fn wait_status(code: i32) -> Option<i32> {
    match code {
        0..=255 => Some(code << 8),
        -64..=-1 => Some(-code),
        _ => None,
    }
}

/// A line for people, cut short and without anything that a terminal would act upon.
fn shown(line: &[u8]) -> String {
    const MOST: usize = 60;
    let text: String = String::from_utf8_lossy(&line[..line.len().min(MOST)])
        .chars()
        .flat_map(char::escape_debug)
        .collect();
    if line.len() > MOST { format!("{text}..") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_answer_is_understood() {
        let ready = |stamps, no_mailbox| Answer::Ready(Ready { stamps, no_mailbox });
        for (line, answer) in [
            ("ready", ready(false, false)),
            ("ready stamps", ready(true, false)),
            ("ready no-mailbox stamps", ready(true, true)),
            ("pong", Answer::Pong),
            ("spawned 17", Answer::Spawned { pid: 17, stamps: None }),
            ("spawned 17 5 18446744073709551615", {
                Answer::Spawned { pid: 17, stamps: Some((5, u64::MAX)) }
            }),
            ("failed 2", Answer::Failed { errno: 2 }),
            ("failed 11 fork: Resource temporarily unavailable", Answer::Failed { errno: 11 }),
            ("reaped 0", Answer::Reaped { status: 0, stamp: None }),
            ("reaped 3 99\r", Answer::Reaped { status: 0x300, stamp: Some(99) }),
            ("reaped -9", Answer::Reaped { status: 9, stamp: None }),
        ] {
            assert_eq!(parse(line.as_bytes()), Ok(answer), "{line}");
        }
    }

    #[test]
    fn everything_else_is_shown_and_refused() {
        for line in [
            "",
            "hello",
            "ready steady",
            "pong 1",
            "spawned",
            "spawned 0",
            "spawned 1",
            "spawned -5",
            "spawned +5",
            "spawned 99999999999",
            "spawned 5 1",
            "spawned 5 1 2 3",
            "spawned 5 1 -2",
            "failed",
            "failed 0",
            "reaped",
            "reaped 256",
            "reaped -65",
            "reaped 0 x",
            "reaped 0 1 2",
            "READY",
        ] {
            let error = parse(line.as_bytes()).unwrap_err();
            assert!(error.contains(line), "{error}");
        }
        let error = parse(&[b'x', 0xff, 0x1b, b'['].repeat(500)).unwrap_err();
        assert!(error.len() < 500 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn a_hello_says_what_is_to_be_spawned() {
        let lines = |words: &[&'static str]| words.iter().map(|w| w.as_bytes()).collect::<Vec<_>>();
        let (arguments, environment) = (lines(&["noop", "a b"]), lines(&["LC_ALL=C"]));
        let said = hello(b"/x/noop", arguments.into_iter(), environment.into_iter(), 3);
        assert_eq!(
            String::from_utf8(said.unwrap()).unwrap(),
            "forkbench-extern 1\nmailbox 3\nimage /x/noop\narg noop\narg a b\nenv LC_ALL=C\nend\n"
        );
        let broken = hello(b"/x", lines(&["a\nb"]).into_iter(), std::iter::empty(), 3);
        assert!(broken.unwrap_err().contains("a\\nb"));
    }

    proptest! {
        #[test]
        fn no_line_is_too_much(line in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&line);
        }

        #[test]
        fn no_words_are_too_much(line in "(ready|spawned|reaped|failed|pong)( [-+]?[0-9a-z]{0,22}){0,5}") {
            let _ = parse(line.as_bytes());
        }
    }
}
