"""The grader: `minigrad-learn grade DIR --out results.json`.

The checks are those of `minigrad-learn check`, and run here; the student's function runs in another
process. Arguments go there, what was seen comes back, both as data (`wire.py`). Expected values,
definitions and wrong answers never leave this side (`remote.py`). The other side (`worker.py`) has
NumPy, and a copy of the framework without what the exercise asks for (`room.py`); files, network
and other processes are out of its reach, as far as the system allows (`isolation.py`). Limits of
time, memory, processes and output are watched from outside (`supervisor.py`).

A student's folder has lesson_06.py, or lesson_06.ipynb, or both, and then the better one counts; a
class is a folder of such folders. As Gradescope's `run_autograder`:

    minigrad-learn grade /autograder/submission --out /autograder/results/results.json
"""
