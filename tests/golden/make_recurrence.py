"""Makes recurrence.safetensors: what PyTorch says of the recurrent layers.

    python -m tests.golden.make_recurrence    (needs torch; `make golden` makes all such files)

As `make_attention` does. What PyTorch is asked is in `recurrence_in_torch`.
"""

from pathlib import Path

import numpy as np

from tests.golden.make_layers import make, read

FILE = Path(__file__).with_name("recurrence.safetensors")

_KINDS = "SimpleRNN", "LSTM", "GRU"

INPUTS = {
    "series": (3, 4, 2),
    "one_step": (2, 1, 2),
    "start": (3, 3),
    "lengths": np.array([[True] * 4, [True, True, False, False], [False] * 4]),
    "gaps": np.array([[False, True, True, False], [True, False, True, True], [True] * 4]),
}

# Our layer, its input x and options, and what PyTorch is asked, p being our layer's parameters.
CASES = {}
for kind in _KINDS:
    CASES |= {
        f"{kind}(3): series": f"last_of('{kind}', p, x)",
        f"{kind}(3): one_step": f"last_of('{kind}', p, x)",
        f"{kind}(3, use_bias=False): series": f"last_of('{kind}', p, x)",
        f"{kind}(3, dropout=0.5): series": f"last_of('{kind}', p, x)",
        f"{kind}(3, return_sequences=True): series": f"all_of('{kind}', p, x)",
        f"{kind}(3, go_backwards=True): series": f"last_of('{kind}', p, x, backwards=True)",
        f"{kind}(3, return_sequences=True, go_backwards=True): series": (
            f"all_of('{kind}', p, x, backwards=True).flip(1)"
        ),
        f"{kind}(3): series, mask=lengths": f"last_of('{kind}', p, x, present=lengths)",
        f"{kind}(3, return_sequences=True): series, mask=gaps": (
            f"all_of('{kind}', p, x, present=gaps)"
        ),
        f"{kind}(3, go_backwards=True): series, mask=lengths": (
            f"last_of('{kind}', p, x, present=lengths, backwards=True)"
        ),
        f"{kind}(3, return_sequences=True, go_backwards=True): series, mask=gaps": (
            f"all_of('{kind}', p, x, present=gaps, backwards=True).flip(1)"
        ),
        f"Bidirectional({kind}(3)): series, mask=lengths": (
            f"torch.cat(both_of('{kind}', p, x, last_of, present=lengths), -1)"
        ),
        f"Bidirectional({kind}(3, return_sequences=True)): series, mask=gaps": (
            f"torch.cat(both_of('{kind}', p, x, present=gaps), -1)"
        ),
    }
    CASES |= {
        f"{kind}(3, return_state=True): series, mask=lengths": (
            f"side_by_side(last_of('{kind}', p, x, present=lengths),"
            f" *states_of('{kind}', p, x, present=lengths))"
        ),
        f"{kind}(3, return_sequences=True, return_state=True, go_backwards=True): series": (
            f"side_by_side(all_of('{kind}', p, x, backwards=True).flip(1),"
            f" *states_of('{kind}', p, x, backwards=True))"
        ),
        f"Bidirectional({kind}(3, return_sequences=True, return_state=True)): series, mask=gaps": (
            f"side_by_side(torch.cat(both_of('{kind}', p, x, present=gaps), -1),"
            f" *sum(both_of('{kind}', p, x, states_of, present=gaps), []))"
        ),
    }
for kind in ("SimpleRNN", "GRU"):
    CASES |= {
        f"{kind}(3, return_sequences=True): series, initial_state=start": (
            f"all_of('{kind}', p, x, start)"
        ),
        f"{kind}(3, return_sequences=True): series, mask=gaps, initial_state=start": (
            f"all_of('{kind}', p, x, start, present=gaps)"
        ),
    }
CASES |= {
    "SimpleRNN(3, 'relu'): series, mask=lengths": (
        "last_of('SimpleRNN', p, x, present=lengths, activation='relu')"
    ),
    "Bidirectional(LSTM(3)): series": "torch.cat(both_of('LSTM', p, x, last_of), -1)",
    "Bidirectional(LSTM(3), 'sum'): series": "sum(both_of('LSTM', p, x, last_of))",
    "Bidirectional(LSTM(3), 'ave'): series": "sum(both_of('LSTM', p, x, last_of)) / 2",
    "Bidirectional(LSTM(3), 'mul'): series": "torch.mul(*both_of('LSTM', p, x, last_of))",
    "Bidirectional(GRU(3, return_sequences=True), 'sum'): series": "sum(both_of('GRU', p, x))",
}


def load():
    """{name: array} of all inputs and parameters, and {case: {"value", "x", parameter: array}}."""
    return read(FILE)


def main():
    from tests.golden import recurrence_in_torch

    make(FILE, INPUTS, CASES, vars(recurrence_in_torch))


if __name__ == "__main__":
    main()
