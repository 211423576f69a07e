//! A random order of many places that takes no memory: a list of them would be memory of the
//! subject, and a fork would copy it.

/// A permutation of `0..count`: a Feistel network over the next even number of bits, walked until
/// it falls within the range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shuffle {
    count: u64,
    half_bits: u32,
    seed: u64,
}

const ROUNDS: u64 = 4;

impl Shuffle {
    /// A permutation of `0..count`, the same for the same seed.
    pub(super) fn new(count: u64, seed: u64) -> Shuffle {
        let bits = u64::BITS - count.saturating_sub(1).leading_zeros();
        Shuffle { count, half_bits: bits.div_ceil(2).max(1), seed }
    }

    /// Where the `i`th comes to stand; `i` is less than the count.
    pub(super) fn place(&self, i: u64) -> u64 {
        let mut place = self.step(i);
        // At most three quarters of the numbers lie outside, and the walk comes back.
        while place >= self.count {
            place = self.step(place);
        }
        place
    }

    fn step(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..ROUNDS {
            // The mixing of SplitMix64 (Steele, Lea and Flood, 2014).
            let mut mixed = right ^ self.seed.rotate_left(16 * round as u32) ^ (round << 60);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (left, right) = (right, left ^ ((mixed ^ (mixed >> 31)) & mask));
        }
        left << self.half_bits | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_taken_once() {
        for count in [1, 2, 3, 5, 64, 1000, 4096, 4097] {
            let shuffle = Shuffle::new(count, 7);
            let mut places: Vec<u64> = (0..count).map(|i| shuffle.place(i)).collect();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..count), "{count}");
        }
    }

    #[test]
    fn neighbours_are_torn_apart_and_the_order_is_that_of_its_seed() {
        let shuffle = Shuffle::new(1 << 12, 7);
        let near = (1..1_u64 << 12)
            .filter(|i| shuffle.place(*i).abs_diff(shuffle.place(i - 1)) < 8)
            .count();
        assert!(near < 60, "{near} of 4095 neighbours are near each other");
        let other = Shuffle::new(1 << 12, 8);
        assert!((0..100).any(|i| shuffle.place(i) != other.place(i)));
        assert!((0..100).all(|i| shuffle.place(i) == Shuffle::new(1 << 12, 7).place(i)));
    }
}
