//! Two variants of one subject compared, block by block.

/// A ratio of two variants, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contrast {
    /// The two could be compared.
    Shown(Ratio),
    /// They could not.
    NotShown(Reason),
}

/// How many times as long one variant takes as another, at one quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Hodges-Lehmann estimate over the blocks: 2.0 is twice as long.
    pub value: f64,
    /// Its interval, the wider of the one over blocks and the one over launches.
    pub bounds: Bounds,
    /// Probability of a ratio as far from 1 as this if there is no difference: the larger of the
    /// two tests.
    pub p: f64,
    /// Which unit gave the interval.
    pub unit: Unit,
    /// Blocks compared (after neighbours were merged).
    pub blocks: usize,
    /// Launches that they came from; with 1, nothing is known of how parents differ.
    pub launches: usize,
    /// The smallest ratio above 1 that this many blocks would find in four of five runs (power 80 %);
    /// none where there is no interval.
    pub smallest_detectable: Option<f64>,
}

/// The interval of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// At the confidence asked for, the ratio lies between these.
    Between {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// So few blocks bound nothing at that confidence.
    Needs {
        /// The blocks it takes.
        needed: usize,
        /// The blocks there are.
        count: usize,
    },
}

/// What was counted as one independent observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A block: signed-rank interval.
    Block,
    /// A launch: t interval.
    Launch,
}

/// Why a contrast is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The two never stand in the same block, so nothing pairs them.
    NotInOneBlock,
    /// Not even all blocks of one launch together have samples enough for that quantile.
    TooFewSamples {
        /// Samples that the quantile takes, per side.
        needed: usize,
        /// The most that one side of a launch has, where the other side has no fewer.
        count: usize,
    },
    /// A quantile is 0 ns: below the resolution of the clock.
    ZeroTime,
}
