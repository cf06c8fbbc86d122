"""Sine and cosine of float32, by float32 and integers alone, of angles of any size.

    x = q π/2 + r,  |r| <= π/4      sin x = sin r, cos r, -sin r, -cos r   for q mod 4 = 0, 1, 2, 3

NVIDIA's functions do the same, but for angles from 105615 on they keep an array in memory and
multiply in float64: a stack and slow instructions in each kernel that calls them, used or not.

What is hard is r. Of 10¹⁰ radians it is the small rest of billions of turns: any float32 of 2π is
too coarse to take these off. So x / 2π is computed in integers, from as many digits of 1 / 2π as
count (Payne & Hanek, 1983): those far to the left give whole turns, and are left out. That takes so
few instructions that all angles from 1 on go this way, and the simulator has the bits of r that a
GPU has, which the other way, x - q π/2 in float32 by `fma`, would not give it.

The result is within 3 units in the last place (2.7 were found, among every seventh float32).
"""

import math

from numba import cuda, float32, uint64

# The first 256 bits behind the point of 2⁻³¹ / 2π
DIGITS = 0x00000000517CC1B7, 0x27220A94FE13ABE8, 0xFA9A6EE06DB14ACC, 0x9E21C820FF28B1D5
FIRST, SECOND, THIRD, FOURTH = map(uint64, DIGITS)

ONE, HALF, TO_INTEGER = float32(1), float32(0.5), float32(2.0**32)
QUARTER = float32(math.pi / 2 * 2.0**-64)  # radians of 2⁻⁶⁴ of a quarter of a turn

# Taylor's series: sin r = Σ ±rⁿ / n! of odd n, cos r = Σ ±rⁿ / n! of even n. For |r| < 1 the first
# term that is missing is below 4·10⁻⁹ of the sum, a tenth of what rounding changes.
S3, S5, S7, S9, S11 = (float32((-1) ** (n // 2) / math.factorial(n)) for n in range(3, 12, 2))
C4, C6, C8, C10 = (float32((-1) ** (n // 2) / math.factorial(n)) for n in range(4, 11, 2))


@cuda.jit(device=True, inline="always")
def part_of_turn(x):
    """x / 2π without its whole turns, in units of 2⁻⁶⁴ turns, of x >= 1

    x is an integer of 32 bits, times 2⁻³¹, times 2ⁿ, which moves the point of 2⁻³¹ / 2π by n
    digits. What is left of it then may be cut off, and so may all but the last 64 bits of the
    product: they are whole turns. 96 digits are enough: what they leave out is less than 2⁻⁶² of a
    turn, and no float32 is nearer to a multiple of π/2 than 2⁻³² (7.729179e28 is the nearest).
    """
    fraction, exponent = math.frexp(x)
    integer, n = uint64(fraction * TO_INTEGER), uint64(exponent - 1)
    is_near = n < uint64(64)
    a, b, c = (FIRST, SECOND, THIRD) if is_near else (SECOND, THIRD, FOURTH)
    left = n % uint64(64)
    right = uint64(63) - left  # after a step of 1: a shift by 64 would mean nothing
    digits = (a << left) | (b >> uint64(1) >> right)
    more = (b << left) | (c >> uint64(1) >> right)
    return integer * digits + ((integer * (more >> uint64(32))) >> uint64(32))


@cuda.jit(device=True, inline="always")
def quarters(x):
    """q, but for multiples of 4, and r"""
    if abs(x) < ONE:
        return uint64(0), x
    turn = part_of_turn(abs(x))
    q, rest = turn >> uint64(62), turn << uint64(2)
    if rest < uint64(2**63):
        r = QUARTER * float32(rest)
    else:  # the next quarter is nearer
        q, r = q + uint64(1), -QUARTER * float32(uint64(0) - rest)
    return (q, r) if x > float32(0) else (uint64(0) - q, -r)


@cuda.jit(device=True, inline="always")
def sine_of_quarters(q, r):
    """sin(q π/2 + r)"""
    z = r * r
    if q & uint64(1):
        y = ONE - HALF * z + z * z * (C4 + z * (C6 + z * (C8 + z * C10)))
    else:
        y = r + r * z * (S3 + z * (S5 + z * (S7 + z * (S9 + z * S11))))
        y = math.copysign(y, r)  # for -0 + 0 is 0
    return -y if q & uint64(2) else y


@cuda.jit(device=True, inline="always")
def sine(x):
    """sin x, or NaN of ∞"""
    if not math.isfinite(x):
        return x - x
    q, r = quarters(x)
    return sine_of_quarters(q, r)


@cuda.jit(device=True, inline="always")
def cosine(x):
    """cos x = sin(x + π/2), or NaN of ∞"""
    if not math.isfinite(x):
        return x - x
    q, r = quarters(x)
    return sine_of_quarters(q + uint64(1), r)
