"""The accounts by whose fills liquidations are seen: those of the user, and the venue's own vaults, which it lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from liquake.venues.venue import Request

_VAULTS = (
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#retrieve-details-for-a-vault"
)

# HLP, the venue's own liquidity provider. The vaults below it are told by the venue: its liquidators take backstops, its
# market makers have part in liquidations on the book.
_PROVIDER = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"
# "Maximum of 10 unique users across user-specific websocket subscriptions"
# (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits).
_USERS = 10
# Those known in November 2026 and before: what room is left is theirs.
_WATCHED = (
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",
    "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",
    "0x63c621a33714ec48660e32f2374895c8026a3a00",
    "0x010461c14e146ac35fe42271bdc1134ee31c703a",
    "0x31ca8395cf837de08b24da3f660e77761dfb974b",
    "0x469f690213c467c39a23efacfd2816896009d7d8",
)


class _Children(msgspec.Struct):
    childAddresses: list[Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{40}$")]]  # noqa: N815 - the venue's name


class _Relationship(msgspec.Struct):
    data: _Children


class VaultDetails(msgspec.Struct):
    """`"relationship":{"type":"parent","data":{"childAddresses":[..]}}` (_VAULTS)."""

    relationship: _Relationship


def account_requests() -> tuple[Request, ...]:
    """Those for the vaults below the venue's own."""
    body = msgspec.json.encode({"type": "vaultDetails", "vaultAddress": _PROVIDER}).decode()
    return (Request("https://api.hyperliquid.xyz/info", body),)


def accounts_in(details: VaultDetails) -> list[str]:
    """The vaults below the one that `details` are of, in small letters."""
    return [address.lower() for address in details.relationship.data.childAddresses]


def watched(accounts: Iterable[str]) -> tuple[str, ...]:
    """As many of `accounts`, then of those long known, as one address may watch.

    Those of the user come first in `accounts`: market makers, of whom the venue publishes no list.
    """
    return tuple(dict.fromkeys(account.lower() for account in (*accounts, *_WATCHED)))[:_USERS]
