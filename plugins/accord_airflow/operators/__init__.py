"""The package's public face: operators for anybody's DAG.

SalesforceExtractOperator / ErpExtractOperator → QualityGateOperator → TransformOperator → QualityGateOperator
    → CompareOperator → SalesforceUpsertOperator / ErpUpsertOperator (mapped) → AcknowledgeOperator → SettleOperator
"""

from accord_airflow.operators.acknowledge import AcknowledgeOperator
from accord_airflow.operators.compare import CompareOperator
from accord_airflow.operators.digest import QualityDigestOperator
from accord_airflow.operators.extract import ErpExtractOperator, SalesforceExtractOperator
from accord_airflow.operators.gate import QualityGateOperator
from accord_airflow.operators.housekeeping import HousekeepingOperator
from accord_airflow.operators.metrics import MetricsOperator
from accord_airflow.operators.outbox import PublishEventsOperator
from accord_airflow.operators.process import ProcessOperator
from accord_airflow.operators.reconcile import ReconcileOperator
from accord_airflow.operators.replay import ReplayOperator
from accord_airflow.operators.service_levels import SlaAlertOperator, SlaCheckOperator
from accord_airflow.operators.settle import SettleOperator
from accord_airflow.operators.transform import TransformOperator
from accord_airflow.operators.upsert import CHUNK_NAME, ErpUpsertOperator, SalesforceUpsertOperator

__all__ = [
    "CHUNK_NAME",
    "AcknowledgeOperator",
    "CompareOperator",
    "ErpExtractOperator",
    "ErpUpsertOperator",
    "HousekeepingOperator",
    "MetricsOperator",
    "ProcessOperator",
    "PublishEventsOperator",
    "QualityDigestOperator",
    "QualityGateOperator",
    "ReconcileOperator",
    "ReplayOperator",
    "SalesforceExtractOperator",
    "SalesforceUpsertOperator",
    "SettleOperator",
    "SlaAlertOperator",
    "SlaCheckOperator",
    "TransformOperator",
]
