"""The weekly digest of expectation reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from accord.errors import Retry
from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class QualityDigestOperator(AccordOperator):
    """Mail each owner what is open, new, accepted and settled of this week's reviews.

        QualityDigestOperator(task_id="mail")

    It goes to the e-mail channels of the setting [accord] alerts, by owner. One mail per channel, owner and week: running it again mails
    only what was not taken. An owner with nothing to be told gets none.

    Hands on how many mails went out, and which owners had nothing to be told or nobody to be told by. Raises Retry, after all others were
    mailed, when a channel took nothing.
    """

    def work(self, context: Context) -> dict[str, Any]:
        from accord.quality.digest import mail_digests
        from accord_airflow.channels import mailer

        with self.accord() as accord:
            done = mail_digests(accord, mailer(self.connections))
        for owner in done.nothing:
            self.log.info("%s: nothing to tell", owner)
        for owner in done.nobody:
            self.log.warning("%s: no e-mail channel tells its owner", owner)
        if done.problems:
            told = "; ".join(f"{channel}: {problem}" for channel, problem in done.problems.items())
            raise Retry(f"Digests were not mailed: {told}.", cure="Mend the channel's connection, then clear the task.")
        return asdict(done)
