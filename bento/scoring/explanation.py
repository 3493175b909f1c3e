"""Why the model scores a credit file as it does: contributions, similar clients, and what would have to change."""

from collections.abc import Iterable

from bento.api.schemas import Explanation, FeatureContribution, GroupContribution, ModelVersion, SimilarClients
from bento.data.credit_file import CreditFile, FieldWarning, Wording
from bento.features import CATALOGUE, GROUP_LABELS, Group, Variants
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import decide
from bento.scoring.counterfactual import counterfactual


def explanation(
    model: ScoringModel, credit_file: CreditFile, version: ModelVersion, warnings: list[FieldWarning]
) -> Explanation:
    """Explain the score of one credit file; nothing is decided.

    Args:
        model: what decides.
        credit_file: of one client.
        version: of the model, and `warnings` about the credit file: passed on as they are.
        warnings: what was scored although it was not understood.
    """
    variants = Variants(model.tables([credit_file]), model.feature_names)
    features = variants.features(variants.application)
    log_odds = float(model.log_odds(features)[0])
    default = probability(log_odds)
    contributions, base_value = model.contributions(features)
    similar = model.reference.similar(credit_file.application)
    values = features.row(0, named=True)
    by_feature = [
        FeatureContribution(
            feature=name,
            group=CATALOGUE[name].group,
            meaning=Wording(en=CATALOGUE[name].en, fr=CATALOGUE[name].fr),
            unit=CATALOGUE[name].unit,
            value=values[name],
            similar=similar.typical[name],
            contribution=contribution,
        )
        for name, contribution in zip(model.feature_names, contributions[0].tolist(), strict=True)
    ]
    decision = decide(default, model.threshold, model.review_band)
    return Explanation(
        SK_ID_CURR=int(credit_file.application["SK_ID_CURR"]),
        probability_of_default=default,
        threshold=model.threshold,
        log_odds=log_odds,
        base_value=base_value,
        groups=_by_group(by_feature),
        contributions=sorted(by_feature, key=lambda item: -abs(item.contribution)),
        similar_clients=SimilarClients(description=similar.description, clients=similar.clients),
        counterfactual=counterfactual(model, credit_file, variants, features, decision),
        model=version,
        warnings=warnings,
    )


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
