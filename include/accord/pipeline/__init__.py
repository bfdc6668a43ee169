"""The pipeline: open → extract → gate → transform → gate → compare → load → acknowledge → settle.

Each step takes the composition root and small JSON-able references; Airflow's operators and `accord run` call the same functions.
"""
