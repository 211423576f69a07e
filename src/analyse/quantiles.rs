//! Quantiles of pooled samples, with intervals that assume no distribution.

/// A quantile of the samples of one variant: the number, or how many samples it would take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// There are samples enough.
    Known(Quantile),
    /// There are too few for an interval at the confidence asked for.
    Needs {
        /// The samples it takes.
        needed: usize,
        /// The samples there are.
        count: usize,
    },
}

/// A sample quantile with its order-statistic interval, all in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The quantile itself, interpolated between its two neighbours (Hyndman and Fan, type 7).
    pub value: f64,
    /// Lower end of the interval: a value that was measured.
    pub low: f64,
    /// Upper end of the interval: a value that was measured.
    pub high: f64,
}

impl Figure {
    /// The quantile, if there are samples enough.
    pub fn known(self) -> Option<Quantile> {
        match self {
            Figure::Known(quantile) => Some(quantile),
            Figure::Needs { .. } => None,
        }
    }
}
