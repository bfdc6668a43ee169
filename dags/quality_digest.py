"""Data quality, once a week by mail: what is open for each owner, what came up, what was settled.

**Who owns it**: integration. Each mail is its owner's: sales operations, finance, master data, integration.

**What it does.** Every Monday morning it mails each owner the reviews of expectation reports: rules that fail, what that means, how many
records are held, the money at risk, who sees to it, what somebody accepted and until when. It goes to the e-mail channels of the setting
`[accord] alerts`, by owner; an owner with nothing to be told gets no mail. No record and no personal value is in it.

**When it fails**
- `mail` failed, *digests were not mailed*: a channel's connection or its server. The others went; clear the task once it is mended.

**By hand.** *Trigger* mails what was not mailed this week. `accord reviews digest OWNER` prints one and mails nothing.
"""

from datetime import timedelta

from airflow.sdk import DAG

from accord_airflow.operators.digest import QualityDigestOperator

with DAG(
    "quality_digest",
    schedule="0 6 * * 1",
    catchup=False,
    max_active_runs=1,
    description="What is open of data quality, by mail to each owner",
    tags=["accord", "data quality"],
    doc_md=__doc__,
    default_args={"owner": "integration", "retries": 3, "retry_delay": timedelta(minutes=10)},
) as dag:
    QualityDigestOperator(task_id="mail", execution_timeout=timedelta(minutes=15))
