"""What is made from the texts of the lessons: notebooks, pages, assignments.

notebooks     a lesson as a Jupyter notebook, with its holes or with its solutions
running       the code of a lesson, run from top to bottom, and what it prints and draws
pages         a lesson as a page of HTML that needs no network and no JavaScript
assignments   what a teacher hands out, and keeps
"""
