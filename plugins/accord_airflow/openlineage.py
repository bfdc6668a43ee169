"""What the tasks tell OpenLineage: which datasets they read and write, and for a load from which column each column comes.

A dataset is a business object in a system, called as its Airflow asset is: namespace accord://tryton, name order. Its columns have the
system's own names. Only Airflow's OpenLineage provider calls this, and only where a transport is configured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from accord.flows import FLOWS
from accord.lineage import Way, columns, lineage

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset
    from openlineage.client.facet_v2 import DatasetFacet, RunFacet

    Lineage: TypeAlias = OperatorLineage[Dataset, RunFacet]


def read_from(object_name: str, source: str) -> Lineage:
    """Of an extraction: the dataset it reads."""
    from airflow.providers.openlineage.extractors import OperatorLineage

    ways = [way for way in _ways(object_name) if way.source == source]
    return OperatorLineage(inputs=[_input(source, object_name, ways)])


def written_to(object_name: str, target: str, *, flow: str, rows: int) -> Lineage:
    """Of a load: the dataset it writes, how many records took effect, and from what each of its columns is made."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import column_lineage_dataset as column_lineage
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    sources = {FLOWS[flow].source} if flow in FLOWS else {way.source for way in _ways(object_name)}
    ways = [way for way in _ways(object_name) if way.target == target and way.source in sources]
    made: dict[str, dict[tuple[str, str], list[column_lineage.Transformation]]] = defaultdict(lambda: defaultdict(list))
    for way in ways:
        how = column_lineage.Transformation(
            type="DIRECT",
            subtype="IDENTITY" if way.rule == "as it is" else "TRANSFORMATION",
            description=f"{way.object}.{way.field}: {way.rule}",
            masking=False,
        )
        for written in columns(way.written):
            for read in columns(way.read):
                made[written][way.source, read].append(how)
    fields = {
        written: column_lineage.Fields(
            inputFields=[
                column_lineage.InputField(
                    namespace=_namespace(source), name=object_name, field=read, transformations=how
                )
                for (source, read), how in inputs.items()
            ]
        )
        for written, inputs in made.items()
    }
    output: OutputDataset = OutputDataset(
        namespace=_namespace(target),
        name=object_name,
        facets={
            "schema": _schema(column for way in ways for column in columns(way.written)),
            "columnLineage": column_lineage.ColumnLineageDatasetFacet(fields=fields),
        },
        outputFacets={"outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)},
    )
    read_as = {way.source: [one for one in ways if one.source == way.source] for way in ways}
    inputs: list[Dataset] = [_input(source, object_name, ways_of) for source, ways_of in read_as.items()]
    return OperatorLineage(inputs=inputs, outputs=[output])


def _ways(object_name: str) -> tuple[Way, ...]:
    """The ways of one of Accord's own objects; of somebody's own nothing is known."""
    try:
        return lineage(object_name)
    except KeyError:
        return ()


def _input(system: str, object_name: str, ways: Iterable[Way]) -> InputDataset:
    from openlineage.client.event_v2 import InputDataset

    schema = _schema(column for way in ways for column in columns(way.read))
    return InputDataset(namespace=_namespace(system), name=object_name, facets={"schema": schema})


def _schema(names: Iterable[str]) -> DatasetFacet:
    from openlineage.client.facet_v2 import schema_dataset

    fields = [schema_dataset.SchemaDatasetFacetFields(name=name) for name in dict.fromkeys(names)]
    return schema_dataset.SchemaDatasetFacet(fields=fields)


def _namespace(system: str) -> str:
    return f"accord://{system}"
