#!/usr/bin/env python3
"""Known answers for src/analyse, from scipy, numpy and exact integers; prints statistics.json.

    pip install numpy scipy && python3 tests/data/statistics.py > tests/data/statistics.json
"""
import itertools
import json
from fractions import Fraction

import numpy
from scipy import stats

random = numpy.random.default_rng(20261124)


def rank_sum_counts(n):
    """How many of the 2^n choices of signs give each rank sum, in exact integers."""
    counts = [1]
    for rank in range(1, n + 1):
        longer = [0] * (len(counts) + rank)
        for total, ways in enumerate(counts):
            longer[total] += ways
            longer[total + rank] += ways
        counts = longer
    return counts


def signed_rank_interval(numbers, confidence):
    """By the definition: all centres that the exact test does not reject."""
    pairs = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(numbers, 2))
    at_most = list(itertools.accumulate(rank_sum_counts(len(numbers))))
    error = (1 - Fraction(confidence)) / 2 * 2 ** len(numbers)
    kept = []
    for index, (below, above) in enumerate(itertools.pairwise(pairs)):
        # A centre between these two has a rank sum of as many as there are pairs above it.
        rank_sum = len(pairs) - 1 - index
        lower_tail = at_most[rank_sum]
        upper_tail = at_most[-1] - (at_most[rank_sum - 1] if rank_sum > 0 else 0)
        if min(lower_tail, upper_tail) > error:
            kept += [below, above]
    outermost = at_most[0] > error
    return None if outermost else [kept[0], kept[-1]]


def location(numbers):
    pairs = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(numbers, 2)]
    exact = len(numbers) <= 200
    test = stats.wilcoxon(
        numbers, method="exact" if exact else "approx", correction=not exact
    )
    student = stats.ttest_1samp(numbers, 0)
    span = student.confidence_interval(0.95)
    return {
        "numbers": numbers,
        "hodges_lehmann": float(numpy.median(pairs)),
        "interval_95": signed_rank_interval(numbers, "0.95") if exact else None,
        "interval_99": signed_rank_interval(numbers, "0.99") if exact else None,
        "signed_rank_p": float(test.pvalue),
        "t_low": float(span.low),
        "t_high": float(span.high),
        "t_p": float(student.pvalue),
    }


def order_interval(n, q, confidence):
    """The rule in words: half of the error at each end, or what the outermost value needs."""
    below = stats.binom(n, q)
    error = 1 - confidence
    all_below, all_above = q**n, (1 - q) ** n
    if all_below + all_above > error:
        return None
    if all_below > error / 2:
        low_error, high_error = error - all_below, all_below
    elif all_above > error / 2:
        low_error, high_error = all_above, error - all_above
    else:
        low_error = high_error = error / 2
    slack = 1e-12
    low = max((k for k in range(n) if below.cdf(k) <= low_error + slack), default=0)
    high = min((k for k in range(n) if below.sf(k) <= high_error + slack), default=n - 1)
    return [low, high]


locations = [
    location([float(x) for x in random.normal(0.02, 0.05, n)]) for n in (2, 3, 5, 6, 7, 13, 20, 50)
]
locations.append(location([float(x) for x in random.standard_t(2, 100) * 0.01 + 0.003]))
locations.append(location([float(x) for x in random.normal(0.001, 0.02, 200)]))
locations.append(location([float(x) for x in random.normal(0.001, 0.02, 400)]))

orders = [
    {"count": n, "q": q, "places": order_interval(n, q, 0.95)}
    for q in (0.5, 0.9, 0.95, 0.99)
    for n in (1, 5, 6, 7, 10, 28, 29, 58, 59, 60, 72, 73, 100, 298, 299, 300, 1000, 20000)
]

values = sorted(int(x) for x in random.lognormal(10, 1, 101))
quantiles = [
    {"count": n, "q": q, "value": float(numpy.quantile(values[:n], q))}
    for n in (1, 2, 3, 10, 101)
    for q in (0.5, 0.9, 0.95, 0.99)
]



def least(candidates, of):
    """The candidate with the least value, or the middle of those that share it."""
    values = [of(candidate) for candidate in candidates]
    best = [c for c, value in zip(candidates, values) if value <= min(values) * (1 + 1e-12)]
    return (min(best) + max(best)) / 2


def rank_line(x, y, scale):
    """By the definition: the slope with the least dispersion, the sum of w_i w_j |e_i - e_j| over
    the residuals e with w = 1 / scale; then the intercept with the least sum of w |e|."""
    x, y, w = numpy.array(x), numpy.array(y), 1 / numpy.array(scale)
    both = numpy.outer(w, w)

    def dispersion(slope):
        left = y - slope * x
        return float((both * numpy.abs(left[:, None] - left[None, :])).sum())

    pairs = [(i, j) for i, j in itertools.combinations(range(len(x)), 2) if x[i] != x[j]]
    slope = least([(y[j] - y[i]) / (x[j] - x[i]) for i, j in pairs], dispersion)
    left = y - slope * x
    intercept = least(left, lambda a: float((w * numpy.abs(left - a)).sum()))
    spots = [[float(a), float(b), float(c)] for a, b, c in zip(x, y, scale)]
    return {"spots": spots, "intercept": float(intercept), "slope": float(slope)}


def sweep(sizes, blocks, noise, even):
    x = [float(size) for size in sizes for _ in range(blocks)]
    true = [50_000 + 17_000 * size for size in x]
    y = [t * float(numpy.exp(random.normal(0, noise))) for t in true]
    return rank_line(x, y, [1.0] * len(x) if even else true)


lines = [
    sweep((0, 64, 256, 1024, 4096), blocks, noise, even)
    for blocks in (1, 3, 7)
    for noise in (0.08, 0.5)
    for even in (False, True)
] + [sweep((0, 1, 2, 3), 5, 0.1, False), sweep((64, 128, 512), 1, 0.1, False)]

# With two distinct x all weights are equal: the estimate is that of Theil and Sen.
shift = [float(v) for v in random.normal(100, 7, 15)]
where = [0.0] * 6 + [1.0] * 9
shifts = {
    "spots": [[a, b, 1.0] for a, b in zip(where, shift)],
    "slope": float(stats.theilslopes(shift, where).slope),
}

def shift_interval(these, others, confidence):
    """By the definition: all shifts that the exact rank-sum test does not reject."""
    differences = sorted(a - b for a in these for b in others)
    counts = {(0, 0): [1]}
    for n in range(len(these) + 1):
        for m in range(len(others) + 1):
            if (n, m) == (0, 0):
                continue
            ways = [0] * (n * m + 1)
            if n > 0:
                for u, count in enumerate(counts[n - 1, m]):
                    ways[u + m] += count
            if m > 0:
                for u, count in enumerate(counts[n, m - 1]):
                    ways[u] += count
            counts[n, m] = ways
    ways = counts[len(these), len(others)]
    at_most = list(itertools.accumulate(ways))
    error = (1 - Fraction(confidence)) / 2 * at_most[-1]
    rejected = [u for u, count in enumerate(at_most) if count <= error]
    if not rejected:
        return None
    return [differences[rejected[-1]], differences[-1 - rejected[-1]]]


def two_samples(these, others, bound):
    these, others = [[float(x) for x in side] for side in (these, others)]
    exact = len(these) * len(others) <= 2500
    moved = [x - bound for x in these]
    ranks = stats.mannwhitneyu(
        moved, others, alternative="greater", method="exact" if exact else "asymptotic"
    )
    welch = stats.ttest_ind(moved, others, equal_var=False, alternative="greater")
    span = stats.ttest_ind(these, others, equal_var=False).confidence_interval(0.95)
    return {
        "these": these,
        "others": others,
        "bound": bound,
        "welch_above_p": float(welch.pvalue),
        "rank_sum_above_p": float(ranks.pvalue),
        "welch": [float(span.low), float(span.high)],
        "rank_sum": shift_interval(these, others, "0.95") if exact else None,
        "shift": float(numpy.median([a - b for a in these for b in others])),
    }


groups = [
    two_samples(random.normal(0.07, 0.02, n), random.normal(0, 0.03, m), 0.0488)
    for n, m in ((2, 2), (3, 2), (3, 5), (4, 4), (5, 5), (5, 6), (6, 10), (12, 7), (20, 20))
] + [
    two_samples(random.standard_t(2, 8) * 0.02, random.standard_t(2, 9) * 0.02, bound)
    for bound in (-0.05, 0.0, 0.01)
]
# Of larger groups both sides take the normal approximation, with its correction for continuity.
large = two_samples(random.normal(0.02, 0.05, 60), random.normal(0, 0.05, 70), 0.01)

known = {
    "locations": locations,
    "orders": orders,
    "values": values,
    "quantiles": quantiles,
    "lines": lines,
    "shifts": shifts,
    "two_samples": groups + [large],
}
print(json.dumps(known))
