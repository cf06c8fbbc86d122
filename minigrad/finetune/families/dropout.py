"""Dropout in config.json, which has a share for each place, where our models have one for all."""

from ...bounded_json import shorten


def one_dropout(settings, names):
    """The share of all these settings, {name: what holds where there is none}; or what was chosen.

    ValueError if they differ.
    """
    if settings.dropout is not None:
        return settings.dropout
    found = {name: settings.get(name, usual) for name, usual in names.items()}
    first, *others = found.values()
    if any(share != first for share in others):
        shares = ", ".join(f"{name}={shorten(share)}" for name, share in found.items())
        raise ValueError(
            f"{settings.place}: minigrad's models have one dropout for all places, "
            f"which from_pretrained(..., dropout=...) can choose. Received: {shares}"
        )
    return first
