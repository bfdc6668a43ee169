"""A seeded simulator of everything that goes wrong, with an oracle that knows nothing of the pipeline.

`schedule` makes what happens from a seed, `stage` gives the turns and the time, `play` lets it happen around the real pipeline and a
real hub, `oracle` judges what the systems hold and were told, `soak` does it thousands of times. Systems are in memory
(`systems`) or real ones (`real`: `org`, `tables`, `tryton`), as `worlds` has it. No threads run at once and no clock
of this machine is looked at, so a seed is a whole story.
"""
