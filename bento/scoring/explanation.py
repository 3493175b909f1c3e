"""Explanations: contributions to a score, the medians of similar clients, and a counterfactual."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, Field

from bento.data.credit_file import CreditFile, FieldWarning
from bento.features.build import Variants
from bento.features.catalogue import CATALOGUE
from bento.features.definitions import GROUP_LABELS, Group
from bento.i18n import Wording
from bento.model.manifest import ModelVersion
from bento.model.peer_groups import PeerGroup
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision
from bento.rules.check import RuleHit, Rules
from bento.scoring.counterfactual import Counterfactual, counterfactual
from bento.scoring.wording.facts import value_in_words


class GroupContribution(BaseModel):
    """What a concept adds to the log-odds of default."""

    group: Group
    label: Wording
    contribution: float


MAX_SPREADS = 12
"""Features whose distribution is answered: those that weigh most."""


class Spread(BaseModel):
    """How a feature is distributed among training clients: its values below which 10, 25, 50, 75 and 90 % lie."""

    values: list[float]
    texts: list[Wording] = Field(description="the values in words, with their unit")


class FeatureContribution(BaseModel):
    """What a feature adds to the log-odds of default; positive raises the risk."""

    feature: str
    group: Group
    meaning: Wording
    unit: str
    value: float | str | None = Field(description="null where it is not known")
    read_as: float | str | None = Field(
        description="typical value that was read in place of an unknown one; null where the value itself was read, "
        "or where the model has learnt what unknown means"
    )
    similar: float | str | None = Field(
        description="median among similar clients, the most frequent for a category; null where most are unknown"
    )
    value_text: Wording | None = Field(description="the value in words, with its unit; null where it is not known")
    similar_text: Wording | None = Field(description="the same for similar clients")
    among_all: Spread | None = Field(
        default=None, description="among all training clients; given for the numbers that weigh most"
    )
    among_similar: Spread | None = Field(default=None, description="among similar training clients")
    contribution: float


class SimilarClients(BaseModel):
    """The similar training clients whose medians are shown beside the client's values."""

    description: Wording
    clients: int = Field(description="how many of the training clients they are")


class Explanation(BaseModel):
    """Why the model scores a credit file as it does; it decides nothing and is not journalled.

    `base_value` plus all contributions is `log_odds`, the logit of the probability of default.
    """

    SK_ID_CURR: int
    probability_of_default: float = Field(ge=0, le=1)
    threshold: float
    log_odds: float
    base_value: float
    groups: list[GroupContribution] = Field(description="largest first")
    contributions: list[FeatureContribution] = Field(description="exact SHAP values, largest first")
    similar_clients: SimilarClients
    counterfactual: Counterfactual
    rules: list[RuleHit] = Field(description="the rules that apply, each at least a review")
    model: ModelVersion
    warnings: list[FieldWarning]


def explanation(
    model: ScoringModel,
    credit_file: CreditFile,
    version: ModelVersion,
    warnings: list[FieldWarning],
    *,
    rules: Rules,
) -> Explanation:
    """Explain the score of one credit file; nothing is decided. `version` and `warnings` are for the answer."""
    variants = Variants(model.tables([credit_file], rules.features), [*model.feature_names, *rules.features])
    features = variants.features(variants.application)
    log_odds = float(model.log_odds(features)[0])
    default = probability(log_odds)
    contributions, base_value = model.contributions(features)
    peers = model.reference.peer_group(credit_file.application)
    values = features.row(0, named=True)
    unknown = model.unknown(values)
    by_feature = [
        FeatureContribution(
            feature=name,
            group=CATALOGUE[name].group,
            meaning=Wording(en=CATALOGUE[name].en, fr=CATALOGUE[name].fr),
            unit=CATALOGUE[name].unit,
            value=values[name],
            read_as=column.typical if name in unknown else None,
            similar=peers.medians[name],
            value_text=value_in_words(name, values[name]),
            similar_text=value_in_words(name, peers.medians[name]),
            contribution=contribution,
        )
        for name, column, contribution in zip(
            model.feature_names, model.manifest.features, contributions[0].tolist(), strict=True
        )
    ]
    groups = _by_group(by_feature)

    def decider(others: Sequence[CreditFile], defaults: Sequence[float]) -> list[Decision]:
        inputs = rules.inputs([other.application for other in others], [values] * len(others))
        return rules.decisions(inputs, [model.decide(default) for default in defaults])

    nearest = counterfactual(
        model,
        credit_file,
        variants,
        features,
        decider=decider,
        weights={item.group: item.contribution for item in groups},
    )
    return Explanation(
        SK_ID_CURR=int(credit_file.application["SK_ID_CURR"]),
        probability_of_default=default,
        threshold=model.threshold,
        log_odds=log_odds,
        base_value=base_value,
        groups=groups,
        contributions=[
            _with_spreads(item, model.reference.groups[-1], peers) if rank < MAX_SPREADS else item
            for rank, item in enumerate(sorted(by_feature, key=lambda item: -abs(item.contribution)))
        ],
        similar_clients=SimilarClients(description=peers.description, clients=peers.clients),
        counterfactual=nearest,
        rules=rules.hits(rules.inputs([credit_file.application], features))[0],
        model=version,
        warnings=warnings,
    )


def _with_spreads(item: FeatureContribution, everybody: PeerGroup, peers: PeerGroup) -> FeatureContribution:
    spreads = {"among_all": _spread(everybody, item.feature), "among_similar": _spread(peers, item.feature)}
    return item.model_copy(update=spreads)


def _spread(group: PeerGroup, feature: str) -> Spread | None:
    values = group.quantiles.get(feature)
    texts = [text for value in values or () if (text := value_in_words(feature, value)) is not None]
    return None if values is None or len(texts) < len(values) else Spread(values=list(values), texts=texts)


def _by_group(contributions: Iterable[FeatureContribution]) -> list[GroupContribution]:
    totals: dict[Group, float] = {}
    for item in contributions:
        totals[item.group] = totals.get(item.group, 0.0) + item.contribution
    groups = [
        GroupContribution(group=group, label=Wording(**label), contribution=totals[group])
        for group, label in GROUP_LABELS.items()
        if group in totals
    ]
    return sorted(groups, key=lambda item: -abs(item.contribution))
