"""Evaluate the expressions of workflows, as far as these workflows use them.

The grammar: literals in single quotes, true and false, contexts (`steps.pushed.outputs.image`), `!`, `==`, `!=`, `&&`,
`||`, calls of `always()`, `failure()`, `success()` and `hashFiles('path')`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|!|\(|\)|,|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)")
STATUS_FUNCTIONS = ("always", "failure", "success", "cancelled")
Functions = Mapping[str, Callable[..., Any]]


def filled(text: str, contexts: Mapping[str, Any], functions: Functions) -> str:
    """Return a text whose `${{ … }}` are replaced by their values."""

    def value(match: re.Match[str]) -> str:
        return shown(evaluate(match.group(1), contexts, functions))

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def shown(value: Any) -> str:
    """Return a value as GitHub writes it into a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def holds(condition: object, contexts: Mapping[str, Any], functions: Functions) -> bool:
    """Tell whether a condition holds; one that names no status holds only where no step has failed."""
    text = str(condition).strip().removeprefix("${{").removesuffix("}}")
    asks = any(re.search(rf"\b{name}\(", text) for name in STATUS_FUNCTIONS)
    return (asks or functions["success"]()) and truth(evaluate(text, contexts, functions))


def truth(value: Any) -> bool:
    """Return a value as a condition: empty is false, every other text is true."""
    return bool(value)


def evaluate(text: str, contexts: Mapping[str, Any], functions: Functions) -> Any:
    """Return the value of an expression; an unknown word is an error, an unknown property of a context is empty."""
    tokens = _tokens(text)
    parser = _Parser(tokens, contexts, functions)
    result = parser.alternatives()
    if parser.rest:
        raise ValueError(f"{text!r}: cannot be read from {parser.rest[0]!r} on")
    return result


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text!r}: cannot be read at {text[at:]!r}")
        tokens.append(match.group(1))
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str], contexts: Mapping[str, Any], functions: Functions) -> None:
        self.rest, self._contexts, self._functions = list(tokens), contexts, functions

    def _take(self, *wanted: str) -> str | None:
        return self.rest.pop(0) if self.rest and self.rest[0] in wanted else None

    def alternatives(self) -> Any:
        value = self._conjunction()
        while self._take("||"):
            other = self._conjunction()
            value = value if truth(value) else other
        return value

    def _conjunction(self) -> Any:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = other if truth(value) else value
        return value

    def _comparison(self) -> Any:
        value = self._single()
        while operator := self._take("==", "!="):
            is_equal = shown(value) == shown(self._single())
            value = is_equal if operator == "==" else not is_equal
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not truth(self._single())
        if self._take("("):
            value = self.alternatives()
            self.rest.pop(0)
            return value
        token = self.rest.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in ("true", "false"):
            return token == "true"  # noqa: S105 - of the grammar
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self.alternatives())
                self._take(",")
            return self._functions[token](*arguments)
        return self._property(token)

    def _property(self, name: str) -> Any:
        first, *parts = name.split(".")
        if first not in self._contexts:
            raise ValueError(f"{name}: there is no context {first}")
        value: Any = self._contexts[first]
        for part in parts:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value
