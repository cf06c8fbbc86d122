"""What a launch costs: how much memory is moved, and in how many pieces.

The 32 lanes of a warp run an instruction together, and make one request of memory. Global memory
answers in sectors of 32 bytes: lanes that read neighbours share them. Shared memory has 32 banks,
each of which gives one word of 4 bytes at a time: lanes that want different words of the same bank
have to queue, and the request takes several turns.

Lanes are taken to run together when they come to an instruction equally often. So a request is
found from what each thread did, though the simulator lets them run one after the other.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from .block import WARP
from .log import ATOMIC, GLOBAL, LANDED, READ, distinct, runs

SECTOR, WORD, BANKS = 32, 4, 32  # bytes, bytes, words that shared memory gives in one turn


class Line(NamedTuple):
    """What one instruction did to one array, over the whole launch.

    pieces   sectors of global memory, or turns of shared memory, of all requests
    least    how many pieces would have been enough for the numbers that they brought
    bytes    that the lanes asked for
    """

    site: object
    array: object
    verb: str
    requests: int
    pieces: int
    least: int
    bytes: int


class Traffic:
    """All requests of a launch: `lines` counts them, `print` shows these, `draw` draws one."""

    def __init__(self, pasts):
        self._pasts = pasts

    @cached_property
    def lines(self):
        """A Line for each instruction and array, in the order of the source."""
        found = {}
        for past in self._pasts:
            for line in _Requests(past).lines():
                key = line.site, line.array.name, line.verb
                before = found.get(key)
                counts = zip(line[3:], before[3:]) if before else ()
                found[key] = Line(*line[:3], *map(sum, counts)) if before else line
        return sorted(found.values(), key=lambda line: (line.site.line, line.verb))

    def __str__(self):
        rows = [("line", "array", "memory", "requests", "bytes", "pieces per request", "least")]
        for line in self.lines:
            each = (f"{count / line.requests:.1f}" for count in (line.pieces, line.least))
            name = f"{line.verb} {line.array.name}"
            counts = str(line.requests), str(line.bytes)
            rows.append((str(line.site.line), name, line.array.space, *counts, *each))
        widths = [max(map(len, column)) for column in zip(*rows)]
        left = str.ljust, str.ljust, str.ljust
        pads = *left, *[str.rjust] * (len(widths) - len(left))
        return "\n".join(
            "  ".join(pad(text, width) for pad, text, width in zip(pads, row, widths)).rstrip()
            for row in rows
        )

    def draw(self, line, array):
        """A text that shows what the first request of a line for an array is to memory.

        line    the number of a line of the source, or a part of its text
        array   the name of an array
        """
        for past in self._pasts:
            requests = _Requests(past)
            for number in range(len(requests.first)):
                site, its_array, _ = requests.what(number)
                is_line = line == site.line if isinstance(line, int) else line in site.text
                if is_line and its_array.name == array:
                    return f"{site}\n\n{requests.picture(number)}"
        raise ValueError(f"no line {line!r} reads or writes {array!r}")


class _Requests:
    """The requests of a block: `number` says to which of them a row of its table belongs."""

    def __init__(self, past):
        table, known = past.table, past.block.device.places
        self.past, self.row = past, np.flatnonzero(table.kind != LANDED)
        self.address, kind, place, thread = (
            column[self.row] for column in (table.address, table.kind, table.place, table.thread)
        )
        places, number = np.unique(place, return_inverse=True)
        place = np.array([known[each] for each in places.tolist()], dtype=int)[number]
        self.place, self.lane, self.array = place, thread % WARP, table.array[self.row]
        self.size = np.array([array.itemsize for array in past.arrays])[self.array]
        widths = past.block.device.log.widths
        self.width = np.array([widths.get(each, 1) for each in place.tolist()])

        order, starts = runs(place, thread)
        self.number = np.empty_like(order)
        self.number[order] = np.arange(len(order)) - np.repeat(starts, _lengths(starts, order))
        time = self.number // self.width  # how often the thread had come to this place
        order, starts = runs(place, thread // WARP, time, self.array, kind)
        self.number[order] = np.repeat(np.arange(len(starts)), _lengths(starts, order))
        self.first = order[starts]  # a row of each request

    def what(self, number):
        """The site, the array, and the verb of a request."""
        first = self.first[number]
        kind = self.past.table.kind[self.row[first]]
        verb = {READ: "read", ATOMIC: "update"}.get(kind, "write")
        site = self.past.block.device.places.site(self.place[first])
        return site, self.past.arrays[self.array[first]], verb

    def lines(self):
        """A Line for each instruction and array: none if all threads had nothing to do."""
        if not len(self.row):
            return
        pieces, least = self._pieces()
        bytes_of = np.bincount(self.number, self.size).astype(int)
        kind = self.past.table.kind[self.row]
        order, starts = runs(*(of[self.first] for of in (self.place, self.array, kind)))
        for line in np.split(order, starts[1:]):
            counts = (int(counted[line].sum()) for counted in (pieces, least, bytes_of))
            yield Line(*self.what(line[0]), len(line), *counts)

    def _pieces(self):
        """How many pieces each request has, and how many would have been enough."""
        is_global = self.address[self.first] >= GLOBAL
        sectors, _ = distinct(self.number, self.address // SECTOR)
        elements, at = distinct(self.number, self.address)
        needed = np.bincount(elements) * self.size[self.first]

        request, phase, word = distinct(self.number, self.phase, self.address // WORD)
        order, starts = runs(request, phase, word % BANKS)
        queue, rows = _lengths(starts, order), order[starts]  # of a bank, in a phase
        order, starts = runs(request[rows], phase[rows])
        longest = np.maximum.reduceat(queue[order], starts)
        of_phase = request[rows][order[starts]]
        return (
            np.where(is_global, np.bincount(sectors), np.bincount(of_phase, longest)).astype(int),
            np.where(is_global, -(-needed // SECTOR), np.bincount(of_phase)).astype(int),
        )

    @property
    def phase(self):
        """The turn in which a lane is served at best: shared memory gives 128 bytes in one."""
        return self.lane * np.maximum(self.width * self.size, WORD) // (BANKS * WORD)

    def picture(self, number):
        """Who gets what: a line for each sector, or for each turn of the banks."""
        rows = np.flatnonzero(self.number == number)
        lanes, address = self.lane[rows], self.address[rows]
        if address[0] >= GLOBAL:
            array = self.past.arrays[self.array[rows[0]]]
            return _picture_of_sectors(lanes, address, array.ends[0] // SECTOR)
        return _picture_of_banks(lanes, address, self.phase[rows])


def _lengths(starts, order):
    return np.diff(starts, append=len(order))


def _picture_of_sectors(lanes, address, start):
    size = SECTOR // WORD
    lines = ["sector of 32 bytes: lanes that use its words"]
    for sector in np.unique(address // SECTOR):
        words = [[] for _ in range(size)]
        for lane, where in zip(lanes, address):
            if where // SECTOR == sector:
                words[where % SECTOR // WORD].append(lane)
        lines.append(f"{sector - start:6} |{_cells(words)}|")
    return "\n".join(lines)


def _picture_of_banks(lanes, address, phases):
    lines = ["bank  " + " ".join(f"{bank:2}" for bank in range(BANKS))]
    turn = 0
    for phase in np.unique(phases):
        queues = [{} for _ in range(BANKS)]  # {word: lanes} of each bank
        for lane, where in zip(lanes[phases == phase], address[phases == phase]):
            word = int(where) // WORD
            queues[word % BANKS].setdefault(word, []).append(lane)
        for place in range(max(map(len, queues))):
            turn += 1
            served = [[*queue.values(), *[[]] * (place + 1)][place] for queue in queues]
            lines.append(f"turn {turn}|{_cells(served)}|")
    return "\n".join(lines)


def _cells(words):
    """The lane that uses each word: * where there are several, . where there is none"""
    return " ".join(
        f"{lanes[0]:2}" if len(set(lanes)) == 1 else " *" if lanes else " ." for lanes in words
    )
