"""Secrets that devices show: tokens for every request, codes to get one; and what is kept of them."""

import hashlib
import hmac
import secrets

TOKEN_PREFIX = "fer_"  # noqa: S105 - what every token starts with, so that scanners for secrets find one
TOKEN_BYTES = 32
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter looks like a digit."""
CODE_CHARACTERS = 12
CODE_GROUP = 4


def new_token() -> str:
    """A token of 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def new_code() -> str:
    """A pairing code of 60 random bits, short enough to be typed: `7KQF-M2XD-90RT`."""
    characters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_CHARACTERS))
    groups = (characters[start : start + CODE_GROUP] for start in range(0, CODE_CHARACTERS, CODE_GROUP))
    return "-".join(groups)


def plain_code(typed: str) -> str:
    """A code as it was given out, from what somebody typed: case, spaces and dashes do not matter."""
    plain = typed.upper().translate(str.maketrans("OIL", "011", "- "))
    return "-".join(plain[start : start + CODE_GROUP] for start in range(0, len(plain), CODE_GROUP))


def digest(secret: str) -> str:
    """What is kept of a token or code: SHA-256, in hexadecimal digits.

    A slow hash with salt protects secrets that people choose. These are random: nobody can try 2^60 codes
    within minutes or 2^256 tokens ever, however fast the hash, and a fast one costs a phone nothing.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def is_digest_of(kept: str, secret_digest: str) -> bool:
    """Whether two digests are equal, in a time that does not tell how far they agree."""
    return hmac.compare_digest(kept, secret_digest)
