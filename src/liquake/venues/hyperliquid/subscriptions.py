"""What is subscribed, and how the venue names it in its answers."""

from __future__ import annotations

import re

import msgspec

from liquake.venues.venue import Subscription, parse

_WHERE = re.compile(r"\{.*\}", re.DOTALL)


def subscription(kind: str, **of: str) -> Subscription:
    """To `kind` of a coin or a user."""
    told = {"type": kind, **of}
    frame = msgspec.json.encode({"method": "subscribe", "subscription": told}).decode()
    return Subscription(frame, (topic_of(told),), None if kind == "userFills" else ())


def topic_of(subscription: object) -> str:
    """How a subscription is called in statuses: "trades:BTC", "userFills:0x..". Empty where it is not one."""
    if not isinstance(subscription, dict):
        return ""
    parts = [part for name in ("type", "coin", "user") if isinstance(part := subscription.get(name), str)]
    # Addresses come back in upper or lower case.
    return ":".join(part.lower() if part.startswith("0x") else part for part in parts)


def quoted_topic(sentence: str) -> str:
    """The topic of the subscription that `sentence` quotes; empty where it quotes none."""
    found = _WHERE.search(sentence)
    if found is None:
        return ""
    try:
        quoted = parse(found[0])
    except ValueError:
        return ""
    return topic_of(quoted.get("subscription", quoted) if isinstance(quoted, dict) else quoted)
