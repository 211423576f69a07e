//! Every kind of memory, taken on by the test itself and looked at.

use super::*;
use crate::measure::shape;
use crate::model::units::Size;

const BYTES: u64 = 8 << 20;

fn plain() -> Shape {
    Shape { rss: Size::from_bytes(BYTES), ..Shape::default() }
}

/// Asserts that what is asked for is seen, of the memory alone: other tests of this process map and
/// start things too.
#[track_caller]
fn assert_seen(shape: &Shape, ballast: &Ballast) {
    let seen = shape::look(Some(ballast), None).unwrap().facts();
    for (name, asked) in asked(shape) {
        let (_, value) = seen.iter().find(|(fact, _)| *fact == name).unwrap();
        if name == "vm_pte_bytes" {
            assert!(*value >= asked, "{shape:?}: {name}: {asked} asked for, {value} seen");
        } else {
            assert_eq!(*value, asked, "{shape:?}: {name}");
        }
    }
}

/// The memory of a shape, if it can be had here; and then it is as asked, also after all that a
/// subject does to it between spawns.
#[track_caller]
fn take_on(shape: &Shape) -> Option<Ballast> {
    let ballast = match Ballast::new(shape, &|| ()) {
        Ok(ballast) => ballast.unwrap(),
        Err(refusal) => {
            eprintln!("skipped: {refusal}");
            return None;
        }
    };
    assert_eq!(ballast.address() % HUGE, 0);
    assert_seen(shape, &ballast);
    for share in [Rewrite::ALL, Rewrite(130), Rewrite::NONE] {
        ballast.repopulate(share);
        ballast.rewrite(share);
    }
    assert_seen(shape, &ballast);
    if shape.contents == Contents::Dirty && shape.is_write_protected_by_fork() {
        let share = Written(Written::WHOLE / 3);
        let places = ballast.places(share, shape.order).unwrap();
        let touched = shape.rss.bytes() / page_size() as u64;
        assert_eq!(places.pages().len() as u64, share.of(touched));
        ballast.write_places(&places);
        ballast.refill(shape);
        assert_seen(shape, &ballast);
    }
    Some(ballast)
}

#[test]
fn every_kind_of_memory_with_every_contents_and_advice_is_what_was_asked_for() {
    let mut taken = 0;
    for &memory in MemoryKind::ALL {
        for &contents in Contents::ALL {
            for &advice in Advice::ALL {
                for (spread, order) in [
                    (1, TouchOrder::Seq),
                    (1, TouchOrder::Random),
                    (3, TouchOrder::Seq),
                    (512, TouchOrder::Random),
                ] {
                    let shape = Shape { memory, contents, advice, spread, order, ..plain() };
                    if shape.impossible().is_none() {
                        taken += u32::from(take_on(&shape).is_some());
                    }
                }
            }
        }
    }
    assert!(taken >= 100, "only {taken} were taken on");
}

#[test]
fn what_was_only_read_is_never_written() {
    for memory in [MemoryKind::Anon, MemoryKind::File] {
        let shape = Shape { memory, contents: Contents::Read, ..plain() };
        let ballast = take_on(&shape).unwrap();
        // SAFETY: within the mapping.
        unsafe {
            assert_eq!(ballast.start().read_volatile(), 0);
            assert_eq!(ballast.start().add(ballast.mapped - 1).read_volatile(), 0);
        }
    }
}

#[test]
fn one_byte_is_written_and_no_other() {
    let shape = Shape { contents: Contents::OneByte, ..plain() };
    let ballast = take_on(&shape).unwrap();
    assert_eq!(ballast.part(Rewrite(1)), page_size());
    assert_eq!(ballast.part(Rewrite::NONE), 0);
    // SAFETY: within the mapping.
    let sum: u64 = unsafe {
        (0..ballast.mapped).map(|at| u64::from(ballast.start().add(at).read_volatile())).sum()
    };
    assert_eq!(sum, 1);
}

#[test]
fn a_share_is_whole_pages_of_those_that_were_touched() {
    let ballast = take_on(&plain()).unwrap();
    assert_eq!(ballast.part(Rewrite::ALL), BYTES as usize);
    assert_eq!(ballast.part(Rewrite(130)), BYTES as usize * 13 / 100 / page_size() * page_size());
    assert_eq!(ballast.part(Rewrite::NONE), 0);
    let wide = take_on(&Shape { spread: 4, ..plain() }).unwrap();
    assert_eq!(wide.part(Rewrite(500)), 2 * BYTES as usize);
}

#[test]
fn huge_pages_are_taken_where_the_machine_gives_them() {
    let mode = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    if mode.is_ok_and(|mode| !mode.contains("[never]")) {
        for contents in [Contents::Dirty, Contents::Read, Contents::OneByte, Contents::Untouched] {
            for order in [TouchOrder::Seq, TouchOrder::Random] {
                let shape = Shape { page: Page::Thp, contents, order, ..plain() };
                if shape.impossible().is_none() {
                    take_on(&shape);
                }
            }
        }
    }
    take_on(&Shape { page: Page::Hugetlb, ..plain() });
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let shape = Shape { memory: MemoryKind::Pinned, spread: 2, ..plain() };
    assert!(Ballast::new(&shape, &|| ()).unwrap_err().reason.contains("spread=2"));
    let shape = Shape { rss: Size::from_bytes(1 << 46), page: Page::Hugetlb, ..plain() };
    let refusal = Ballast::new(&shape, &|| ()).unwrap_err();
    assert!(refusal.reason.contains("nr_hugepages"), "{refusal}");
}
