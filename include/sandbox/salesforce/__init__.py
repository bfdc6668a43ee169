"""A local Salesforce org: a server of its own, for developers and tests.

Layers, each importing only those above it::

    ids, clock, errors           small facts: record ids, the org's clock, Salesforce's error shapes
    schema/                      objects, fields, permissions, formulas, from tables and source-format metadata; describe
    store                        SQLite: one table per object, one writer, many readers
    soql/                        tokens -> tree -> SQL -> rows
    records/                     the rule engine: values, saves, deletes, merges, roll-ups
    bulk/                        Bulk API 2.0 jobs and their workers
    org                          everything above, assembled
    fronts/                      protocol: OAuth, REST, Bulk, control endpoints, the web view
    server, proxy, cli           sockets and the command line
"""
