"""People at work while something breaks: the load (crowd.py, on the client), what they noted (journal.py), what must be
true of it (verdict.py), and who accepts writes among the databases (writable.py, on each of their hosts).

Only the standard library: these run on hosts of the lab. Clocks are CLOCK_MONOTONIC, which all hosts of one machine share.
"""
