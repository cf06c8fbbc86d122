"""PyTorch's words for a recurrent layer with our parameters, masks and directions.

PyTorch knows no masks: each sequence goes through it alone, without the steps that do not count.
"""

import torch


def simple_rnn(x, states, w, u, b, activation="tanh", **options):
    """All states (n, t, u), [h]"""
    run = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[activation]
    return _through(run, x, states, [w.T, u.T, b, torch.zeros_like(b)], **options)


def lstm(x, states, w, u, b, **options):
    """All h (n, t, u), [h, c]"""
    return _through(torch.lstm, x, states, [w.T, u.T, b, torch.zeros_like(b)], **options)


def gru(x, states, w, u, b, recurrent_b, **options):
    """All states (n, t, u), [h]"""
    parameters = [_turned(a) for a in (w, u, b, recurrent_b)]
    return _through(
        torch.gru, x, states, [a.T if a.ndim == 2 else a for a in parameters], **options
    )


def _turned(a):
    """PyTorch has the reset gate first."""
    p, r, q = a.chunk(3, -1)
    return torch.cat([r, p, q], -1)


def _through(run, x, states, parameters, present=None, backwards=False):
    """All outputs, in the order of the steps of x, and the last states."""
    if backwards:
        present = None if present is None else present.flip(1)
        y, last = _through(run, x.flip(1), states, parameters, present)
        return y.flip(1), last
    if present is None:
        return _of_all(run, x, states, parameters)
    each = []
    for i, counted in enumerate(present):
        first = [s[i : i + 1] for s in states]
        y, last = first[0][:, None], first
        if counted.any():
            found, last = _of_all(run, x[i : i + 1, counted], first, parameters)
            y = torch.cat([y, found], 1)
        each.append((y[:, counted.cumsum(0)], last))
    outputs, lasts = zip(*each, strict=True)
    return torch.cat(outputs), [torch.cat(s) for s in zip(*lasts, strict=True)]


def _of_all(run, x, states, parameters):
    """All outputs and the last states, where all steps count."""
    first = [s[None] for s in states]
    first = first if len(first) == 2 else first[0]
    y, *last = run(x, first, parameters, True, 1, 0.0, False, False, True)
    return y, [s[0] for s in last]


# ---- Layers --------------------------------------------------------------------------------------

_KINDS = {"SimpleRNN": (simple_rnn, 1), "LSTM": (lstm, 2), "GRU": (gru, 1)}


def layer(kind, p, x, state=None, within="", **options):
    """The outputs and the last states of one of our layers, with its parameters in p."""
    run, count = _KINDS[kind]
    w, u = p[f"{within}weight"], p[f"{within}recurrent_weight"]
    biases = [p.get(f"{within}bias"), p.get(f"{within}recurrent_bias")]
    biases = [b if b is not None else torch.zeros(w.shape[1]).to(w) for b in biases]
    zeros = torch.zeros(len(x), len(u)).to(w)
    states = [zeros] * count if state is None else [state]
    return run(x, states, w, u, *(biases if kind == "GRU" else biases[:1]), **options)


def all_of(*arguments, **options):
    """(n, t, u)"""
    return layer(*arguments, **options)[0]


def last_of(*arguments, **options):
    """(n, u), which is the last state, in whatever direction"""
    return layer(*arguments, **options)[1][0]


def states_of(*arguments, **options):
    """[(n, u), ...], all that is carried along, as the last step leaves it"""
    return layer(*arguments, **options)[1]


def side_by_side(*results):
    """(n, ...), ... -> (n, all numbers of an example)"""
    return torch.cat([result.flatten(1) for result in results], 1)


def both_of(kind, p, x, pick=all_of, **options):
    """The outputs of both directions of a Bidirectional layer."""
    forward = pick(kind, p, x, within="layer.", **options)
    return forward, pick(kind, p, x, within="backward_layer.", backwards=True, **options)
