"""Accord in Airflow: operators, hooks and the shape of a flow's DAG. Thin: what is done is in package `accord`."""
