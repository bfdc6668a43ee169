"""The sample company: the customers of the Meridian Instruments group, made up from a seed and loaded into an org.

Nobody here exists. Tax registrations have valid check digits, because ERPs verify them; web and mail addresses end in
the reserved ``.example``.

Reading order: ``records`` (what is made), ``places`` and ``registrations`` (what a country's data look like),
``generator`` (the good ones), ``flaws`` (the declared bad ones), ``load`` (into an org), ``hostile`` (for a test).
"""
