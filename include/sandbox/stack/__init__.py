"""The local stack: PostgreSQL, the ERP, the Salesforce org and Airflow, started and stopped without containers.

Reading order: ``home`` (where state lives), ``ports``, ``processes`` (the keeper), ``postgres``, ``services`` (what `up`
starts), ``connections`` (the file Airflow and the command line read), ``airflow``.
"""
