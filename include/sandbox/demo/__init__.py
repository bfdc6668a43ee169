"""The demo: everything started, the sample company loaded, the customer DAGs run by Airflow's scheduler, and a summary.

``python -m sandbox.demo up|down|status`` (``make demo``, ``make down``, ``make status``).
Reading order: ``story`` (what happens), ``summary`` (what is printed at the end), ``console`` (how progress is shown).
"""
