//! Long lists of nanoseconds: four bytes each as long as all of them fit, or counted.

/// Nanoseconds in the order in which they were added, or sorted if the owner says so.
///
/// Ten million samples have forty million stamps; nearly all are below 4.29 s and fit 32 bits. The
/// first one that does not makes its whole list wide. What was counted in buckets while it was
/// measured, millions of operations in a block, stays counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// All values fit 32 bits.
    Narrow(Vec<u32>),
    /// At least one does not.
    Wide(Vec<u64>),
    /// Runs of equal values, in order.
    Counted(Vec<Run>),
}

/// A value, and how often it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The value: of a bucket, its middle.
    pub value: u64,
    /// The largest value that it may stand for: of a bucket, its upper end.
    pub high: u64,
    /// Place after its last one, counted from the start of the list.
    pub end: usize,
}

impl Values {
    /// An empty list.
    pub const fn new() -> Values {
        Values::Narrow(Vec::new())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Narrow(values) => values.len(),
            Values::Wide(values) => values.len(),
            Values::Counted(runs) => runs.last().map_or(0, |run| run.end),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at that place.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`Values::len`].
    pub fn get(&self, index: usize) -> u64 {
        match self {
            Values::Narrow(values) => u64::from(values[index]),
            Values::Wide(values) => values[index],
            Values::Counted(runs) => runs[runs.partition_point(|run| run.end <= index)].value,
        }
    }

    /// The largest of sorted values: of buckets, the upper end of the last; none of no values.
    pub fn max(&self) -> Option<u64> {
        match self {
            Values::Counted(runs) => runs.last().map(|run| run.high),
            _ => self.len().checked_sub(1).map(|last| self.get(last)),
        }
    }

    /// Adds a value at the end.
    #[inline]
    pub fn push(&mut self, value: u64) {
        match self {
            Values::Counted(_) => self.push_many(value, value, 1),
            Values::Wide(values) => values.push(value),
            Values::Narrow(values) => match u32::try_from(value) {
                Ok(value) => values.push(value),
                Err(_) => {
                    let mut wide: Vec<u64> = values.iter().copied().map(u64::from).collect();
                    wide.push(value);
                    *self = Values::Wide(wide);
                }
            },
        }
    }

    /// Adds a value at the end so often, without writing it out: `value`, which stands for at most
    /// `high`.
    pub fn push_many(&mut self, value: u64, high: u64, count: usize) {
        if count == 0 {
            return;
        }
        let runs = self.counted();
        let end = runs.last().map_or(0, |run| run.end).saturating_add(count);
        runs.push(Run { value, high, end });
    }

    /// The list as runs.
    fn counted(&mut self) -> &mut Vec<Run> {
        if !matches!(self, Values::Counted(_)) {
            let run = |(index, value)| Run { value, high: value, end: index + 1 };
            *self = Values::Counted(self.iter().enumerate().map(run).collect());
        }
        let Values::Counted(runs) = self else { unreachable!("it has just been made one") };
        runs
    }

    /// Adds a part of another list at the end.
    pub fn extend_from(&mut self, other: &Values, part: std::ops::Range<usize>) {
        match (self, other) {
            (values, Values::Counted(runs)) => {
                let first = runs.partition_point(|run| run.end <= part.start);
                let mut start = part.start;
                for run in &runs[first..] {
                    if start >= part.end {
                        break;
                    }
                    let end = run.end.min(part.end);
                    values.push_many(run.value, run.high, end - start);
                    start = end;
                }
            }
            (Values::Narrow(values), Values::Narrow(others)) => {
                values.extend_from_slice(&others[part]);
            }
            (Values::Wide(values), Values::Wide(others)) => values.extend_from_slice(&others[part]),
            (values, others) => part.for_each(|index| values.push(others.get(index))),
        }
    }

    /// Sorts what stands at `start` and after it, upwards.
    ///
    /// # Panics
    ///
    /// If `start` is above [`Values::len`].
    pub fn sort_from(&mut self, start: usize) {
        match self {
            Values::Narrow(values) => values[start..].sort_unstable(),
            Values::Wide(values) => values[start..].sort_unstable(),
            Values::Counted(runs) => {
                let mut tail = Values::new();
                tail.extend_from(&Values::Counted(runs.clone()), start..usize::MAX);
                let mut tail = std::mem::take(tail.counted());
                let mut ended = 0;
                // While they change places, what stands in `end` is how many there are.
                for run in &mut tail {
                    (ended, run.end) = (run.end, run.end - ended);
                }
                tail.sort_unstable_by_key(|run| (run.value, run.high));
                let whole = std::mem::replace(self, Values::Counted(Vec::new()));
                self.extend_from(&whole, 0..start);
                for equal in
                    tail.chunk_by(|one, next| (one.value, one.high) == (next.value, next.high))
                {
                    let count = equal.iter().map(|run| run.end).sum();
                    self.push_many(equal[0].value, equal[0].high, count);
                }
            }
        }
    }

    /// Puts at `place`, and at the place after it, what stands there in the sorted list.
    ///
    /// # Panics
    ///
    /// If `place` is not below [`Values::len`].
    pub fn settle(&mut self, place: usize) {
        fn settle<T: Ord + Copy>(values: &mut [T], place: usize) {
            let (_, _, above) = values.select_nth_unstable(place);
            if let Some(next) = (0..above.len()).min_by_key(|&index| above[index]) {
                above.swap(0, next);
            }
        }
        match self {
            Values::Narrow(values) => settle(values, place),
            Values::Wide(values) => settle(values, place),
            Values::Counted(_) => self.sort_from(0),
        }
    }

    /// The list, sorted upwards.
    pub fn sorted(mut self) -> Values {
        self.sort_from(0);
        self
    }

    /// The values, in their order, each with how often it stands there; equal ones that are not
    /// counted stand by themselves.
    pub fn runs(&self) -> Box<dyn Iterator<Item = (u64, usize)> + '_> {
        match self {
            Values::Counted(runs) => Box::new(runs.iter().enumerate().map(|(place, run)| {
                let before = place.checked_sub(1).map_or(0, |before| runs[before].end);
                (run.value, run.end - before)
            })),
            _ => Box::new(self.iter().map(|value| (value, 1))),
        }
    }

    /// The values, in their order, each as often as it stands there.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl Default for Values {
    fn default() -> Values {
        Values::new()
    }
}

impl FromIterator<u64> for Values {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Values {
        let mut list = Values::new();
        values.into_iter().for_each(|value| list.push(value));
        list
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_is_its_middle_and_the_largest_is_its_upper_end() {
        let mut list = Values::new();
        list.push_many(1000, 1007, 5_000_000_000);
        list.push_many(10, 10, 2);
        list.push_many(1000, 1007, 1);
        list.push_many(7, 9, 0);
        let list = list.sorted();
        assert_eq!(list.runs().collect::<Vec<_>>(), [(10, 2), (1000, 5_000_000_001)]);
        assert_eq!(list.len(), 5_000_000_003);
        assert_eq!((list.get(1), list.get(2), list.get(5_000_000_002)), (10, 1000, 1000));
        assert_eq!((list.max(), Values::new().max()), (Some(1007), None));
        let three: Values = [1, 2, 3].into_iter().collect();
        assert_eq!(three.max(), Some(3));
    }

    proptest! {
        #[test]
        fn what_is_counted_is_what_is_written_out(
            values in proptest::collection::vec(0..6u64, 0..40),
            start in 0..40usize, length in 0..40usize,
        ) {
            let mut counted = Values::new();
            values.iter().for_each(|&value| counted.push_many(value, value, 1));
            let mut plain: Values = values.iter().copied().collect();
            let start = start.min(values.len());
            let part = start..(start + length).min(values.len());
            let (mut one, mut other): (Values, Values) = ([9].into_iter().collect(), Values::new());
            one.extend_from(&counted, part.clone());
            other.push_many(9, 9, 1);
            other.extend_from(&plain, part.clone());
            let expected: Vec<u64> = [9].iter().chain(&values[part]).copied().collect();
            prop_assert_eq!(one.iter().collect::<Vec<u64>>(), expected.clone());
            prop_assert_eq!(other.iter().collect::<Vec<u64>>(), expected);
            counted.sort_from(start);
            plain.sort_from(start);
            prop_assert_eq!(counted.iter().collect::<Vec<u64>>(), plain.iter().collect::<Vec<u64>>());
            prop_assert_eq!(counted.len(), plain.len());
        }

        #[test]
        fn values_come_back_whatever_their_size(
            values in proptest::collection::vec(
                prop_oneof![0..10u64, (1 << 32) - 2..=(1 << 32) + 1u64, any::<u64>()],
                0..40,
            ),
            start in 0..40usize,
        ) {
            let list: Values = values.iter().copied().collect();
            prop_assert_eq!(list.iter().collect::<Vec<u64>>(), values.clone());
            let fits = values.iter().all(|&value| value <= u64::from(u32::MAX));
            prop_assert_eq!(matches!(list, Values::Narrow(_)), fits);

            let start = start.min(values.len());
            let mut tail: Values = [7, u64::MAX].into_iter().collect();
            tail.extend_from(&list, start..values.len());
            prop_assert_eq!(tail.iter().skip(2).collect::<Vec<u64>>(), values[start..].to_vec());

            let mut expected = values;
            expected[start..].sort_unstable();
            let mut list = list;
            list.sort_from(start);
            prop_assert_eq!(list.iter().collect::<Vec<u64>>(), expected);
        }
    }
}
