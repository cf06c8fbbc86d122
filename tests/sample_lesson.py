"""A lesson with all that a lesson can have, for the tests of what is built from lessons."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

from lessons import lesson as lessons

NUMBER = 91
TEXT = r"""# 91 Sums

Some prose with $s = \sum_i x_i$ in it, and a price of 5 $.

| x | s |
|---|---|
| 1 | 1 |

## Code

$$
\begin{aligned}
s &= \sum_{i=1}^n x_i \\
\log s &= \begin{cases} 0 & s = 1 \\ \frac{a}{b} & \text{else} \end{cases}
\end{aligned}
$$

```python
x = np.arange(4.0)
print("the sum of", x)
x.sum()
```

![A line that
rises & "ends"](figure)

```python
from minigrad.plots import style

figure = style.figure()
figure.subplots().plot(x)
figure
```

### Exercise 91.1: Totals

Add all up, and what came before.

```python solution 91.1
def totals(x):
    '''Σⱼ xⱼ for j <= i   (n,) -> (n,)

    >>> totals(np.ones(3))
    array([1., 2., 3.])
    '''
    total = np.zeros_like(x)
    for i in range(len(x)):
        total[i:] += x[i]
    return total
```

```python checks 91.1
hints = ["Begin with zeros.", "Go through x.", "Or look for a function of NumPy."]
points = 2


def definition(x):
    return np.array([sum(x[: i + 1]) for i in range(len(x))], x.dtype)


by_hand = [case([1.0, 2.0, 3.0, 4.0], gives=[1.0, 3.0, 6.0, 10.0])]
edges = [case([], asked="nothing to add")]


def drawn(draw):
    return (draw(arrays(draw(sizes()))),)


def twice(f, x):
    '''Numbers twice as large have sums twice as large.'''
    return f(2 * x), 2 * f(x)


laws = [twice]
```

### Exercise 91.2: Softmax

As in the framework.

```python checks 91.2 minigrad.ops.softmax
hints = ["First.", "Second.", "Third."]


def definition(x, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis, keepdims=True)


by_hand = [case([[0.0, np.log(3.0)], [1.0, 1.0]], gives=[[0.25, 0.75], [0.5, 0.5]])]
```

## After

```python
assert totals(x)[-1] == x.sum()
```
"""
RIGHT = {
    "91.1": """def totals(x):
    return np.cumsum(x)
""",
    "91.2": """def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return p, lambda g: p * (g - (g * p).sum(axis, keepdims=True))
""",
}
WRONG = {"91.1": "def totals(x):\n    return x + x.sum()\n"}
SENTENCE = "It adds the sum of all, not of those before."
ANSWERS = f'''from lessons.answers import wrong


@wrong("91.1", "{SENTENCE}")
def all_of_them(x):
    return x + x.sum()
'''


def only_lesson(monkeypatch, folder):
    """Make this the one lesson that there is, its text in a folder. Returns the Lesson."""
    (folder / f"lesson_{NUMBER}.md").write_text(TEXT, encoding="utf-8")
    path = folder / "answers.py"
    path.write_text(ANSWERS, encoding="utf-8")
    found = spec_from_file_location(f"lessons.answers.lesson_{NUMBER}", path)
    module = module_from_spec(found)
    found.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, found.name, module)
    monkeypatch.setattr(lessons, "TEXTS", folder)
    forget()
    return lessons.load(NUMBER)


def forget():
    """Let lessons be read again."""
    lessons.numbers.cache_clear()
    lessons.load.cache_clear()
