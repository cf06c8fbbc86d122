"""What a launch costs: how much memory is moved, and in how many transactions.

The 32 lanes of a warp run an instruction together, and make one request of memory. Global memory
answers in sectors of 32 bytes: lanes that read neighbours share them. Shared memory has 32 banks,
each of which gives one word of 4 bytes at a time: lanes that want different words of the same bank
have to queue, and the request takes several turns. A sector, or a turn, is a transaction.

Lanes are taken to run together when they come to an instruction equally often. So a request is
found from what each thread did, though the simulator lets them run one after the other.
"""

import itertools
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .block import WARP
from .log import ATOMIC, GLOBAL, LANDED, READ, distinct, runs

SECTOR, WORD, BANKS = 32, 4, 32  # bytes, bytes, words that shared memory gives in one turn
_UNITS = {  # {memory: (what a transaction is called, what that is)}
    "global": ("sectors", f"A sector: {SECTOR} bytes of global memory, which are moved together."),
    "shared": (
        "turns",
        f"A turn: each of the {BANKS} banks of shared memory serves one word of {WORD} bytes.",
    ),
}


class Line(NamedTuple):
    """What one instruction did to one array, over the whole launch.

    transactions  sectors of global memory, or turns of shared memory, of all requests
    least         how many would have been enough for the numbers that they brought
    bytes         that the lanes asked for
    """

    site: object
    array: object
    verb: str
    requests: int
    transactions: int
    least: int
    bytes: int

    @property
    def group(self):
        """What the instructions in a line of the source have in common."""
        return self.site.line, self.site.code.co_filename, self.site.code.co_name

    @property
    def label(self):
        """The access in words, as in "read x: x[i]", where x may have another name in a helper."""
        expression = " ".join(self.site.expression.split())
        short = expression if len(expression) <= 40 else f"{expression[:36]} ..."
        return f"{self.verb} {self.array.name}: {short}"

    @property
    def cells(self):
        """The rest of its row in the table."""
        unit, _ = _UNITS[self.array.space]
        each, least = (count / self.requests for count in (self.transactions, self.least))
        counts = str(self.requests), str(self.bytes)
        return self.array.space, *counts, f"{each:.1f} {unit}", f"{least:.1f}"


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
        return sorted(found.values(), key=lambda line: (line.group, line.site.offset, line.verb))

    def __str__(self):
        """A table: below each line of the source what it does to memory."""
        rows = [("", "memory", "requests", "bytes", "per request", "at best")]
        for _, lines in itertools.groupby(self.lines, key=lambda line: line.group):
            lines = list(lines)
            rows.append((lines[0].site.heading,))
            labels = [line.label for line in lines]
            for line, label in zip(lines, labels):
                if labels.count(label) > 1:
                    label += f", in column {(line.site.position[2] or 0) + 1}"
                rows.append((f"  {label}", *line.cells))
        widths = [max(map(len, column)) for column in zip(*(row for row in rows if row[1:]))]
        pads = str.ljust, str.ljust, *[str.rjust] * (len(widths) - 2)
        padded = ([pad(*cell) for pad, *cell in zip(pads, row, widths)] for row in rows)
        spaces = {line.array.space for line in self.lines}
        meanings = [meaning for space, (_, meaning) in _UNITS.items() if space in spaces]
        return "\n".join([*("  ".join(cells).rstrip() for cells in padded), *meanings])

    def draw(self, line, array):
        """A text that shows what the first request of a line for an array is to memory.

        line    the number of a line of the source, a part of its text, or an access in it, as in
                "x[i + 1]": that tells two of them in a line apart
        array   the name of an array
        """
        for is_meant, past in itertools.product((_is_site, _is_near), self._pasts):
            requests = _Requests(past)
            for number in range(len(requests.first)):
                site, its_array, _ = requests.what(number)
                if is_meant(line, site) and its_array.name == array:
                    return f"{site}\n\n{requests.picture(number)}"
        raise ValueError(f"no line {line!r} reads or writes {array!r}")


def _is_site(line, site):
    return line in (site.line, site.expression)


def _is_near(line, site):
    return isinstance(line, str) and line in site.text


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
        transactions, least = self._transactions()
        bytes_of = np.bincount(self.number, self.size).astype(int)
        kind = self.past.table.kind[self.row]
        order, starts = runs(*(of[self.first] for of in (self.place, self.array, kind)))
        for line in np.split(order, starts[1:]):
            counts = (int(counted[line].sum()) for counted in (transactions, least, bytes_of))
            yield Line(*self.what(line[0]), len(line), *counts)

    def _transactions(self):
        """How many transactions each request has, and how many would have been enough."""
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
        array = self.past.arrays[self.array[rows[0]]]
        lanes, address = self.lane[rows], self.address[rows]
        count, least = (counted[number] for counted in self._transactions())
        unit = _UNITS[array.space][0].removesuffix("s" if count == 1 else "")
        asked = f"{self.size[rows].sum()} bytes in {count} {unit}, where {least} would do"
        first = np.arange(0, max(array.itemsize, WORD), WORD)  # where the words of an element begin
        words = [(lane, (at + first) // WORD) for lane, at in zip(lanes, address)]
        if array.space == "global":
            lines = _picture_of_sectors(words, array.ends[0] // SECTOR)
        else:
            lines = _picture_of_banks(words, self.phase[rows])
        return "\n".join([asked, *lines, "(numbers of lanes; . for none, * for several)"])


def _lengths(starts, order):
    return np.diff(starts, append=len(order))


def _picture_of_sectors(words, start):
    """words   [(lane, the words that it asks for)]"""
    size = SECTOR // WORD
    sectors = {}
    for lane, those in words:
        for word in those:
            sectors.setdefault(word // size, [[] for _ in range(size)])[word % size].append(lane)
    return [
        f"sector of {SECTOR} bytes: who uses its {size} words",
        *(f"{sector - start:6} |{_cells(users)}|" for sector, users in sorted(sectors.items())),
    ]


def _picture_of_banks(words, phases):
    lines = ["bank  " + " ".join(f"{bank:2}" for bank in range(BANKS))]
    turn = 0
    for phase in np.unique(phases):
        queues = [{} for _ in range(BANKS)]  # {word: lanes} of each bank
        for (lane, those), its_phase in zip(words, phases):
            for word in those if its_phase == phase else ():
                queues[word % BANKS].setdefault(word, []).append(lane)
        for place in range(max(map(len, queues))):
            turn += 1
            served = [[*queue.values(), *[[]] * (place + 1)][place] for queue in queues]
            lines.append(f"turn {turn}|{_cells(served)}|")
    return lines


def _cells(words):
    """The lane that uses each word: * where there are several, . where there is none"""
    return " ".join(
        f"{lanes[0]:2}" if len(set(lanes)) == 1 else " *" if lanes else " ." for lanes in words
    )
