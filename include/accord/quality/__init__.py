"""The gates: what a batch must be like before anything of it is written.

Reading order: ``rule`` (the words), ``structure`` (rules derived from a definition), ``rules/<object>`` (business rules by
hand), ``suites`` (both together), ``frames`` (what the rules look at), ``expecting`` (Great Expectations), ``gate`` (a
verdict), ``report`` and ``docs`` (what a reviewer reads).
"""
