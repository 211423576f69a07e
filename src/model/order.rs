//! The order in which variants take turns, from a seed alone.
//!
//! Own generator, so that a stored seed gives the same order in every version: SplitMix64 seeds
//! xoshiro256** (Blackman and Vigna, 2018). Two variants: one fair coin per block picks ABBA or
//! BAAB. More: a Williams square (Williams 1949), which balances position and the variant that
//! went just before, under fresh random labels in each block.

/// xoshiro256**: a small generator of known quality; the stream of a seed never changes.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The generator of a seed and any number of further coordinates (launch, block).
    pub fn new(seed: u64, coordinates: &[u64]) -> Rng {
        let mut state = seed;
        for &coordinate in coordinates {
            state = split_mix(&mut state) ^ coordinate.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        Rng(std::array::from_fn(|_| split_mix(&mut state)))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.0;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let mut s = [s0, s1, s2 ^ s0, s3 ^ s1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= s1 << 17;
        s[3] = s[3].rotate_left(45);
        self.0 = s;
        result
    }

    /// A random number below `bound`, without bias. `bound` must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire's method: the rejected part makes every remainder equally likely.
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(bound);
            if wide as u64 >= reject_below {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A random time with that mean, of an exponential distribution: what lies between events that
    /// come at random.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        // From 0, exclusive, to 1.
        let share = 1.0 - self.below(1 << 53) as f64 / (1_u64 << 53) as f64;
        (-share.ln() * mean as f64) as u64
    }

    /// Puts `items` into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The turns of one block: for each round, the positions of the variants in the order they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// One permutation of `0..variants` per round.
    pub rounds: Vec<Vec<u32>>,
}

impl Order {
    /// The order of one block. The same arguments always give the same order.
    pub fn of_block(seed: u64, launch: u32, block: u32, variants: u32, rounds: u32) -> Order {
        let mut rng = Rng::new(seed, &[u64::from(launch), u64::from(block)]);
        let mut labels: Vec<u32> = (0..variants).collect();
        rng.shuffle(&mut labels);
        let rounds = match variants {
            0 => Vec::new(),
            2 => abba(&labels, rounds),
            _ => williams(&mut rng, &labels, rounds),
        };
        Order { rounds }
    }

    /// The permutation of the first round, `3-0-2-1`: what `blocks.csv` keeps as `coin`.
    pub fn coin(&self) -> String {
        let first = self.rounds.first().map(Vec::as_slice).unwrap_or_default();
        first.iter().map(u32::to_string).collect::<Vec<_>>().join("-")
    }
}

/// AB BA AB BA ..: the shuffled labels are the coin.
fn abba(labels: &[u32], rounds: u32) -> Vec<Vec<u32>> {
    (0..rounds)
        .map(
            |round| {
                if round % 2 == 0 {
                    labels.to_vec()
                } else {
                    labels.iter().rev().copied().collect()
                }
            },
        )
        .collect()
}

/// Rows of a Williams square under the given labels, each square in a random order of its rows.
fn williams(rng: &mut Rng, labels: &[u32], rounds: u32) -> Vec<Vec<u32>> {
    let square = williams_square(labels.len());
    let mut rows: Vec<usize> = Vec::new();
    let mut order = Vec::with_capacity(rounds as usize);
    for _ in 0..rounds {
        if rows.is_empty() {
            rows = (0..square.len()).collect();
            rng.shuffle(&mut rows);
        }
        let row = rows.pop().expect("a square has rows");
        order.push(square[row].iter().map(|&cell| labels[cell]).collect());
    }
    order
}

/// A Williams square for `n` treatments: `n` rows, or `2n` when `n` is odd. In its rows together
/// every treatment stands in every place equally often, and follows every other equally often.
fn williams_square(n: usize) -> Vec<Vec<usize>> {
    let zigzag: Vec<usize> =
        (0..n).map(|i| if i % 2 == 0 { i / 2 } else { n - i.div_ceil(2) }).collect();
    let mut rows: Vec<Vec<usize>> =
        (0..n).map(|shift| zigzag.iter().map(|&cell| (cell + shift) % n).collect()).collect();
    if n % 2 == 1 {
        let mirrored: Vec<Vec<usize>> =
            rows.iter().map(|row| row.iter().rev().copied().collect()).collect();
        rows.extend(mirrored);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut rng = Rng::new(7, &[1, 2]);
        let first: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        // Whoever changes these changes what every stored seed means.
        assert_eq!(
            first,
            [12_641_909_315_479_338_607, 199_810_367_285_509_525, 1_327_810_530_377_168_547]
        );
    }

    #[test]
    fn xoshiro_gives_the_published_stream() {
        // First outputs for the state 1, 2, 3, 4, as published by rust-random's rand_xoshiro.
        let mut rng = Rng([1, 2, 3, 4]);
        let expected = [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240];
        assert_eq!(std::array::from_fn(|_| rng.next_u64()), expected);
    }

    #[test]
    fn a_williams_square_balances_place_and_predecessor() {
        for n in 3..=13 {
            let square = williams_square(n);
            let repeats = square.len() / n;
            let mut place = vec![0; n * n];
            let mut follows = vec![0; n * n];
            for row in &square {
                let mut seen = row.clone();
                seen.sort_unstable();
                assert_eq!(seen, (0..n).collect::<Vec<_>>());
                for (i, &cell) in row.iter().enumerate() {
                    place[i * n + cell] += 1;
                }
                for pair in row.windows(2) {
                    follows[pair[0] * n + pair[1]] += 1;
                }
            }
            assert!(place.iter().all(|&count| count == repeats), "{n}: {place:?}");
            for before in 0..n {
                for after in 0..n {
                    let expected = if before == after { 0 } else { repeats };
                    assert_eq!(follows[before * n + after], expected, "{n}: {before} {after}");
                }
            }
        }
    }

    #[test]
    fn two_variants_take_turns_by_a_fair_coin() {
        let coins: Vec<String> =
            (0..1000).map(|block| Order::of_block(1, 1, block, 2, 4).coin()).collect();
        let heads = coins.iter().filter(|coin| *coin == "0-1").count();
        assert!((430..=570).contains(&heads), "{heads} of 1000");
        let order = Order::of_block(1, 1, 0, 2, 3).rounds;
        assert_eq!(order[0], order[2]);
        assert_eq!(order[0].iter().rev().copied().collect::<Vec<_>>(), order[1]);
    }

    #[test]
    fn every_round_holds_every_variant_once() {
        for variants in [1, 2, 3, 6, 7, 12] {
            for round in Order::of_block(3, 2, 5, variants, 20).rounds {
                let mut seen = round.clone();
                seen.sort_unstable();
                assert_eq!(seen, (0..variants).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn below_is_even() {
        let mut rng = Rng::new(11, &[]);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[rng.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (9_600..=10_400).contains(&count)), "{counts:?}");
    }
}
