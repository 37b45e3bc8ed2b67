"""From `alerts` in `kai.yaml` to the rules by which `followup` tells people."""

from collections.abc import Collection
from datetime import timedelta

from kai_ari.config.alerts import AlertStep
from kai_ari.config.schema import Config
from kai_ari.config.staff import span_of
from kai_ari.followup.reaching import AlertRules, Step
from kai_ari.people.local_time import parse_time
from kai_ari.people.staff import Staff, somebody


def alert_rules(config: Config, staff: Staff, channels: Collection[str]) -> AlertRules:
    """Of a checked configuration; `channels` are those that there is a gateway for."""
    owner = config.business.owner
    steps = config.alerts.steps or ((AlertStep(tell=owner),) if owner else ())
    return AlertRules(
        business=config.business.name,
        staff=staff,
        steps=tuple(
            Step(
                tell=somebody(step.tell, config.people, owner),
                by=step.by or (),
                wait=timedelta(minutes=step.wait),
            )
            for step in steps
        ),
        channels=frozenset(channels),
        webhooks=frozenset(config.webhooks),
        quiet=span_of(config.alerts.quiet),
        digest=parse_time(config.alerts.digest) if config.alerts.digest else None,
        owner=owner,
        calls_back=config.callbacks is not None and config.callbacks.automatic,
        texts_back=config.callbacks is not None and config.callbacks.text_back,
    )
