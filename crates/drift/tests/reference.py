"""Prints the values of src/statistics/tests.rs, from scipy (tools/bench.txt)."""

from fractions import Fraction
from math import comb, factorial

import numpy
from scipy import special, stats

PAIRS = [
    ([120, 80, 60, 0, 40], [30, 25, 40, 5, 10]),
    ([100] * 10, [95, 102, 110, 99, 91, 105, 98, 100, 97, 103]),
    ([442, 1], [100, 30]),
]
for expected, actual in PAIRS:
    p, q = numpy.array(expected) + 0.5, numpy.array(actual) + 0.5
    p, q = p / p.sum(), q / q.sum()
    index = stats.entropy(p, q) + stats.entropy(q, p)
    bins = range(len(expected))
    d = stats.ks_2samp(numpy.repeat(bins, expected), numpy.repeat(bins, actual), method="asymp").statistic
    rows = sum(expected) * sum(actual) / (sum(expected) + sum(actual))
    test = stats.chi2_contingency([expected, actual], correction=False)
    print("distances", expected, actual, [float(value) for value in (
        index, d, special.kolmogorov(numpy.sqrt(rows) * d), test.statistic, test.pvalue)])

for training, training_with, rows, with_it in [
    (1000, 10, 200, 9), (1000, 0, 50, 1), (100000, 2000, 5000, 60), (300, 30, 200, 20), (1000, 500, 1000, 500),
]:
    table = stats.hypergeom(training + rows, training_with + with_it, rows)
    p = min(1, 2 * min(table.cdf(with_it), table.sf(with_it - 1)))
    print("fisher", (training, training_with, rows, with_it), float(p))

# `betabinom.sf` of scipy is a difference from 1, which has four digits here.
def beta(a, b):
    return Fraction(factorial(a - 1) * factorial(b - 1), factorial(a + b - 1))


for k, n, a, b in [(1, 50, 2, 9999), (10, 1000, 1, 1000), (30, 1000, 2, 999), (200, 1000, 101, 900),
    (540, 1000, 101, 100), (480, 1000, 101, 100)]:
    tail = sum(comb(n, j) * beta(j + a, n - j + b) for j in range(k, n + 1))
    print("beta_binomial", (k, n, a, b), float(tail / beta(a, b)))
