"""The picture of `translate_dates`: how it learned, and where it looks while it writes.

Not every machine has a font for Chinese, so its characters stand there as what they mean.
"""

import numpy as np

from ..plots import style

_FIGURES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "ten",
)
MEANINGS = {
    **{"年": "year", "月": "month", "日": "day", "星": "week-", "期": "day", " ": "space"},
    **dict(zip("〇一二三四五六七八九十", _FIGURES)),
}


def draw(losses, shown, path):
    """A Figure with a panel of the losses and one for each date that is shown, written to `path`.

    losses  for each seed the mean loss of each epoch
    shown   [(title, source, written, weights (t, s))]: a row of the weights for each character
            that is written, and one for the end
    """
    figure = style.figure(11.5, 9)
    panels = figure.subplots(2, 2).ravel()
    _draw_losses(panels[0], losses)
    for panel, one in zip(panels[1:], shown):
        image = _draw_weights(panel, *one)
    label = "weight in the cross-attention of the last block, mean of all heads"
    figure.colorbar(image, ax=panels[1::2], label=label, shrink=0.7)
    return style.finish(figure, path)


def _draw_losses(panel, losses):
    """A line for each seed."""
    for seed, means in enumerate(losses):
        colour, marker = style.PALETTE[seed % 7], style.MARKERS[seed % 9]
        epochs = np.arange(1, len(means) + 1)
        panel.plot(epochs, means, color=colour, marker=marker, markersize=4, label=f"seed {seed}")
    panel.set_yscale("log")
    panel.set_xlabel("epoch")
    panel.set_ylabel("-log p of a character")
    panel.set_title("Training")
    panel.legend(frameon=False)
    panel.grid(alpha=0.3)
    style.open_frame(panel)


def _draw_weights(panel, title, source, written, weights):
    """Rows are what is written, columns what is read; dark where attention is."""
    colours = style.shades("white", style.SKY, style.BLUE, style.NAVY)
    image = panel.imshow(weights, cmap=colours, vmin=0, vmax=1, aspect="auto")
    read = [meaning(character) for character in source]
    turn = 90 if max(map(len, read)) > 1 else 0
    panel.set_xticks(range(len(read)), read, rotation=turn, fontsize=9)
    panel.set_yticks(range(len(written) + 1), [*map(meaning, written), "end"], fontsize=9)
    panel.set_xlabel("reads")
    panel.set_ylabel("writes")
    panel.set_title(title)
    return image


def meaning(character):
    """What stands for a character in the picture.

    >>> meaning("7"), meaning("七")
    ('7', 'seven')
    """
    return MEANINGS.get(character, character)
