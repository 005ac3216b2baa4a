"""Held-out rows, and the fold of each row.

The modules `holdout` and `folds` of ordinate-train draw the same.
"""

from fractions import Fraction

MASK = 2**64 - 1


def mix(state: int) -> int:
    """SplitMix64 (Steele, Lea and Flood 2014)."""
    state = (state + 0x9E37_79B9_7F4A_7C15) & MASK
    state = ((state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D0_49BB_1331_11EB) & MASK
    return state ^ (state >> 31)


def is_held_out(row: int, fraction: float, seed: int) -> bool:
    return Fraction(mix(mix(seed) ^ row) >> 11, 2**53) < Fraction(fraction)


class Folds:
    """Assigns rows to folds: rows of a class in rounds, one per fold, in an order drawn from the seed."""

    def __init__(self, count: int, seed: int):
        self.count, self.seed, self.classes = count, seed, {}

    def deal(self, label: int = 0) -> int:
        dealt, order = self.classes.get(label, (0, []))
        if not order:
            state = mix(mix(mix(self.seed) ^ label) ^ dealt)
            order = list(range(self.count))
            for last in range(self.count - 1, 0, -1):
                state = mix(state)
                other = state % (last + 1)
                order[last], order[other] = order[other], order[last]
        fold = order.pop()
        self.classes[label] = (dealt + 1, order)
        return fold
