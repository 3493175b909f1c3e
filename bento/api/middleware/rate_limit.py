"""A token bucket for each API key."""


class RateLimit:
    """A bucket for each key that fills at a constant rate; a request takes one token, and is refused without.

    Times come from the monotonic clock: setting the system's clock neither blocks a client nor admits more requests.
    """

    def __init__(self, requests_per_second: float, max_burst: float) -> None:
        self.requests_per_second, self.max_burst = requests_per_second, max_burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, key: str, now: float) -> bool:
        """Return whether a request of a key may pass at a time (`time.monotonic`), and take its token."""
        tokens, since = self._buckets.get(key, (self.max_burst, now))
        tokens = min(self.max_burst, tokens + (now - since) * self.requests_per_second)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        return allowed
