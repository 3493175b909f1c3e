"""Texts that several pages use."""

TEXTS: dict[str, dict[str, str]] = {
    "page_decide": {"fr": "Décider", "en": "Decide"},
    "officer": {"fr": "Votre nom", "en": "Your name"},
    "officer_help": {
        "fr": "Il accompagne vos décisions, corrections et examens dans le journal.",
        "en": "It goes with your decisions, corrections and reviews in the journal.",
    },
    "sign_in": {"fr": "Se connecter", "en": "Sign in"},
    "sign_out": {"fr": "Se déconnecter", "en": "Sign out"},
    "signed_in": {"fr": "Connecté : {name}", "en": "Signed in: {name}"},
    "service_ready": {"fr": "✔ Le service de notation répond.", "en": "✔ The scoring service answers."},
    "service_down": {
        "fr": "✖ Le service de notation ne répond pas.",
        "en": "✖ The scoring service does not answer.",
    },
    "language": {"fr": "Langue", "en": "Language"},
    "page_title": {"fr": "Prêt à dépenser : décision de crédit", "en": "Prêt à dépenser: credit decision"},
    "client": {"fr": "Client {number}", "en": "Client {number}"},
    "retry": {"fr": "Réessayer", "en": "Try again"},
    "missing": {"fr": "non renseigné", "en": "not given"},
    "list_item": {"fr": "{name} : {value}", "en": "{name}: {value}"},
    "moment": {"fr": "{day}/{month}/{year} à {time} (UTC)", "en": "{year}-{month}-{day} at {time} (UTC)"},
    "granted": {"fr": "Crédit accordé", "en": "Credit granted"},
    "refused": {"fr": "Crédit refusé", "en": "Credit refused"},
    "review": {"fr": "À examiner par une personne", "en": "To be reviewed by a person"},
    "granted_short": {"fr": "accordé", "en": "granted"},
    "review_short": {"fr": "à examiner", "en": "to be reviewed"},
    "refused_short": {"fr": "refusé", "en": "refused"},
    "raises": {"fr": "augmente le risque", "en": "raises the risk"},
    "lowers": {"fr": "réduit le risque", "en": "lowers the risk"},
    "neutral": {"fr": "sans effet", "en": "no effect"},
}
