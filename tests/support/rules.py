"""Rules, and usual ranges as a model folder holds them, for tests that need no model."""

from bento.model.peer_groups import Range
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook

USUAL = {
    name: Range(low=low, high=high)
    for name, low, high in (
        ("AMT_INCOME_TOTAL", 27_000, 1_200_000),
        ("AMT_CREDIT", 45_000, 2_500_000),
        ("AMT_ANNUITY", 3_500, 120_000),
        ("AMT_GOODS_PRICE", 45_000, 2_250_000),
        ("credit_to_income", 0.3, 22),
        ("annuity_to_income", 0.02, 0.8),
        ("credit_to_goods_price", 0.7, 1.6),
        ("credit_to_annuity", 8.3, 39),
        ("monthly_rate", 0.014, 0.12),
        ("age_years", 21.2, 68.6),
        ("age_at_payoff_years", 22.8, 69.6),
        ("employed_years", 0.1, 42),
        ("CNT_CHILDREN", 0, 4),
        ("CNT_FAM_MEMBERS", 1, 6),
    )
}
"""Usual ranges of invented training clients."""
RULES = Rules(Rulebook.read(), USUAL)
"""The rules of the project with these ranges."""
