"""A token bucket for each API key."""


class RateLimit:
    """A bucket for each key that fills at a constant rate; a request is refused while it holds less than one token.

    A request takes as many tokens as its work is worth, which may empty the bucket below zero: the key then waits.

    Times come from the monotonic clock: setting the system's clock neither blocks a client nor admits more requests.
    """

    def __init__(self, requests_per_second: float, max_burst: float) -> None:
        self.requests_per_second, self.max_burst = requests_per_second, max_burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, key: str, now: float, cost: float = 1.0) -> bool:
        """Return whether a request of a key may pass at a time (`time.monotonic`), and take its tokens."""
        tokens = self._tokens(key, now)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - cost if allowed else tokens, now)
        return allowed

    def charge(self, key: str, now: float, cost: float) -> None:
        """Take further tokens for a request that has passed, once its work is known."""
        self._buckets[key] = (self._tokens(key, now) - cost, now)

    def wait_s(self, key: str, now: float) -> float:
        """Return the seconds until a request of a key may pass."""
        return max(0.0, (1 - self._tokens(key, now)) / self.requests_per_second)

    def _tokens(self, key: str, now: float) -> float:
        tokens, since = self._buckets.get(key, (self.max_burst, now))
        return min(self.max_burst, tokens + (now - since) * self.requests_per_second)
