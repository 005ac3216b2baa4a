"""Quantiles and tails of Student's t and Fisher's F, with 50 digits."""

from functools import lru_cache

from mpmath import betainc, findroot, mp, mpf

mp.dps = 40


def student_tail(t, freedom):
    """The probability that |T| is at least |t|."""
    t, freedom = mpf(t), mpf(freedom)
    return betainc(freedom / 2, mpf(1) / 2, 0, freedom / (freedom + t * t), regularized=True)


def fisher_tail(f, numerator, denominator):
    f, numerator, denominator = mpf(f), mpf(numerator), mpf(denominator)
    return betainc(denominator / 2, numerator / 2, 0, denominator / (denominator + numerator * f), regularized=True)


@lru_cache(maxsize=4096)
def student_quantile(level: str, freedom: int):
    """The t that |T| does not exceed with this probability."""
    outside = 1 - mpf(level)
    low, high = mpf(0), mpf(1)
    while student_tail(high, freedom) > outside:
        low, high = high, high * 2
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > outside else (low, middle)
    return findroot(lambda t: student_tail(t, freedom) - outside, (low, high), solver="anderson", tol=1e-30)
