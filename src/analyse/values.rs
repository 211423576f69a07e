//! Long lists of nanoseconds, four bytes each as long as all of them fit.

/// Nanoseconds in the order in which they were added, or sorted if the owner says so.
///
/// Ten million samples have forty million stamps; nearly all are below 4.29 s and fit 32 bits. The
/// first one that does not makes its whole list wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// All values fit 32 bits.
    Narrow(Vec<u32>),
    /// At least one does not.
    Wide(Vec<u64>),
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
        }
    }

    /// Adds a value at the end.
    #[inline]
    pub fn push(&mut self, value: u64) {
        match self {
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

    /// Adds a part of another list at the end.
    pub fn extend_from(&mut self, other: &Values, part: std::ops::Range<usize>) {
        match (self, other) {
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
        }
    }

    /// The list, sorted upwards.
    pub fn sorted(mut self) -> Values {
        self.sort_from(0);
        self
    }

    /// The values, in their order.
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

    proptest! {
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
