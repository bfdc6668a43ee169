"""What Airflow does with a failed task, by what the error asks for. The only place where the two meet."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from accord.errors import InDoubt, Reject, Retry, Stop

# the first rule that fits decides; a task's own retries, delay and back-off apply where a rule names no delay
RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=Stop, action=RetryAction.FAIL, reason="nothing can pass until it is mended"),
        RetryRule(exception=Reject, action=RetryAction.FAIL, reason="trying again changes nothing"),
        # sent, and no answer: reading back is only conclusive once the request can no longer take effect
        RetryRule(
            exception=InDoubt,
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=1),
            reason="in doubt: it is read back before anything is sent again",
        ),
        RetryRule(exception=Retry, action=RetryAction.RETRY, reason="may pass by itself"),
    ]
)
