"""Arithmetic with 120 decimal digits, in which every double is exact and rounding is negligible."""

import math

import gmpy2
import numpy as np
from gmpy2 import mpfr

# 120 digits: the cubes of numbers near 1e12 that differ in their last digits leave 40 after two subtractions.
BITS = 400
gmpy2.get_context().precision = BITS

# The unit roundoff of doubles: the largest relative error of one operation.
U = 2.0**-53
# The smallest double: the largest error of one operation near zero.
TINY = 2.0**-1074
# Rounding errors of m operations add up to less than RANDOM·√m·U but with a probability of 2·exp(−RANDOM²/2) = 4e-22
# (Higham and Mary 2019, theorem 2.4), where the worst case is m·U.
RANDOM = 10.0


def gamma(operations: float) -> float:
    """The relative error of this many operations in sequence."""
    return RANDOM * math.sqrt(max(operations, 1.0)) * U


def number(value) -> mpfr:
    return mpfr(value)


def vector(values) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = [mpfr(value) for value in values]
    return array


def matrix(rows, columns: int) -> np.ndarray:
    array = np.empty((len(rows), columns), dtype=object)
    for position, row in enumerate(rows):
        array[position, :] = [mpfr(value) for value in row]
    return array


def zeros(*shape) -> np.ndarray:
    array = np.empty(shape, dtype=object)
    array.fill(mpfr(0))
    return array


def doubles(array: np.ndarray) -> np.ndarray:
    return np.array([float(value) for value in array.flat]).reshape(array.shape)


def absolute(array: np.ndarray) -> np.ndarray:
    return np.abs(array)


class Singular(Exception):
    """A column is a linear combination of the columns before it; has its position."""


class Cholesky:
    """`A = R'R` of a positive definite matrix of exact numbers."""

    def __init__(self, a: np.ndarray, smallest: float = 1e-80):
        size = len(a)
        self.r = zeros(size, size)
        for i in range(size):
            rest = a[i, i] - (np.dot(self.r[:i, i], self.r[:i, i]) if i else 0)
            if rest <= smallest * a[i, i]:
                raise Singular(i)
            self.r[i, i] = gmpy2.sqrt(rest)
            if i + 1 < size:
                products = np.dot(self.r[:i, i], self.r[:i, i + 1 :]) if i else 0
                self.r[i, i + 1 :] = (a[i, i + 1 :] - products) / self.r[i, i]

    def solve(self, right: np.ndarray) -> np.ndarray:
        """`A⁻¹ b` of a vector, or of each column of a matrix."""
        size = len(self.r)
        x = right.copy()
        for i in range(size):
            if i:
                x[i] = x[i] - np.dot(self.r[:i, i], x[:i])
            x[i] = x[i] / self.r[i, i]
        for i in reversed(range(size)):
            if i + 1 < size:
                x[i] = x[i] - np.dot(self.r[i, i + 1 :], x[i + 1 :])
            x[i] = x[i] / self.r[i, i]
        return x

    def inverse(self) -> np.ndarray:
        return self.solve(identity(len(self.r)))


def identity(size: int) -> np.ndarray:
    one = zeros(size, size)
    for i in range(size):
        one[i, i] = mpfr(1)
    return one


def to_double(value) -> float:
    """The nearest double, or infinity."""
    return float(value)


def ulp(value: float) -> float:
    return math.ulp(value)
