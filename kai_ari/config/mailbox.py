"""Whose mailbox gets the messages, and what Kai needs AMI for."""

from kai_ari.config.schema import Config


def owner_box(config: Config) -> str | None:
    """The owner's mailbox with its context, such as 101@default; None without one."""
    owner = config.people.get(config.business.owner or "")
    phone = owner.phone if owner else None
    return f"{phone}@default" if phone and config.phones[phone].mailbox else None


def needs_ami(config: Config) -> bool:
    """Queues and mailboxes are asked after by it."""
    return bool(config.queues) or owner_box(config) is not None
