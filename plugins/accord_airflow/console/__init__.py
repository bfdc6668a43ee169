"""The operations console: pages in the Airflow UI, drawn by the server. docs/console.md says how a page is added."""
