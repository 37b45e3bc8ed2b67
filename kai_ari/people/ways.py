"""By which ways people can be told, and which of them they want."""

from collections.abc import Collection, Sequence

from kai_ari.people.staff import Person

#: In this order a person is told, where nobody chose.
CHANNELS = ("sms", "email", "sip_message", "phone")
#: Channels that make a noise wait in quiet hours, unless it is urgent.
LOUD = frozenset({"sms", "phone", "sip_message"})


def possible_ways(person: Person, channels: Collection[str]) -> list[str]:
    """Of the `channels` that there are, those that lead to this person."""
    return [way for way in CHANNELS if way in channels and address_of(person, way)]


def ways_to(person: Person, by: Sequence[str], channels: Collection[str]) -> list[str]:
    """The channels of the step that the person wants; if that is none, those of the step. Nobody
    is called who was not to be, by the step or their own wish, unless there is no other way."""
    possible = possible_ways(person, channels)
    silent = [way for way in possible if way != "phone" or way in person.by]
    asked = [way for way in by if way in possible] or silent or possible
    liked = [way for way in asked if way in person.by]
    return liked or asked


def way_at_leisure(person: Person, channels: Collection[str]) -> str | None:
    """How a person gets what is to be read at leisure: mail if there is, and never by a call."""
    ways = [way for way in ways_to(person, (), channels) if way != "phone"]
    return "email" if "email" in ways else next(iter(ways), None)


def address_of(person: Person, channel: str) -> str | None:
    """Where a channel reaches a person: an E.164 number, an extension, a mail address."""
    match channel:
        case "sms":
            return person.sms
        case "email":
            return person.email
        case "sip_message":
            return person.phone
        case "phone":
            return person.mobile or person.phone
    return None
