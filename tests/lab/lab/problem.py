"""The one error of the lab: a sentence for the person at the terminal."""


class Problem(Exception):
    """What is wrong and what to do, in one sentence; printed without a traceback."""
