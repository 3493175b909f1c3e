"""Categories of the histories in words, in French and English; those of the application come from the service."""

Pair = tuple[str, str]
"""French, then English."""

_UNKNOWN: Pair = ("non précisé", "not stated")
_STATES: dict[str, Pair] = {
    "Active": ("en cours", "active"),
    "Amortized debt": ("dette amortie", "amortised debt"),
    "Approved": ("accordé", "approved"),
    "Canceled": ("annulé", "cancelled"),
    "Completed": ("terminé", "completed"),
    "Demand": ("mise en demeure", "formal demand"),
    "Refused": ("refusé", "refused"),
    "Returned to the store": ("rendu au magasin", "returned to the shop"),
    "Sent proposal": ("offre envoyée", "offer sent"),
    "Signed": ("signé", "signed"),
    "Unused offer": ("offre non utilisée", "offer not used"),
    "XNA": _UNKNOWN,
}
_LEVELS: dict[str, Pair] = {"high": ("élevé", "high"), "middle": ("moyen", "middle"), "low": ("bas", "low")}
_SALES: dict[str, Pair] = {"Street": ("vente directe", "walk-in"), "X-Sell": ("vente croisée", "cross-sell")}
_SHOPS: dict[str, Pair] = {
    "household": ("équipement de la maison", "household goods"),
    "industry": ("industrie", "industry"),
    "mobile": ("téléphonie", "mobile phones"),
    "other": ("autres biens", "other goods"),
    "others": ("autres biens", "other goods"),
}

CATEGORIES: dict[str, dict[str, Pair]] = {
    "CREDIT_ACTIVE": {
        "Active": ("en cours", "active"),
        "Bad debt": ("créance douteuse", "bad debt"),
        "Closed": ("soldé", "closed"),
        "Sold": ("cédé", "sold"),
    },
    "CREDIT_CURRENCY": {f"currency {n}": (f"devise {n}", f"currency {n}") for n in range(1, 5)},
    "CREDIT_TYPE": {
        "Another type of loan": ("autre type de prêt", "another kind of loan"),
        "Car loan": ("prêt automobile", "car loan"),
        "Cash loan (non-earmarked)": ("prêt sans objet précis", "cash loan, no purpose named"),
        "Consumer credit": ("crédit à la consommation", "consumer credit"),
        "Credit card": ("carte de crédit", "credit card"),
        "Interbank credit": ("crédit interbancaire", "interbank credit"),
        "Loan for business development": ("prêt pour développer une entreprise", "loan for business development"),
        "Loan for purchase of shares (margin lending)": ("prêt pour achat d'actions", "loan to buy shares"),
        "Loan for the purchase of equipment": ("prêt pour achat d'équipement", "loan to buy equipment"),
        "Loan for working capital replenishment": ("prêt de fonds de roulement", "working capital loan"),
        "Microloan": ("microcrédit", "microloan"),
        "Mobile operator loan": ("crédit d'un opérateur mobile", "loan of a mobile operator"),
        "Mortgage": ("prêt hypothécaire", "mortgage"),
        "Real estate loan": ("prêt immobilier", "real estate loan"),
        "Unknown type of loan": ("type de prêt inconnu", "unknown kind of loan"),
    },
    "STATUS": {
        "0": ("à jour", "on time"),
        "1": ("retard de 1 à 30 jours", "1 to 30 days late"),
        "2": ("retard de 31 à 60 jours", "31 to 60 days late"),
        "3": ("retard de 61 à 90 jours", "61 to 90 days late"),
        "4": ("retard de 91 à 120 jours", "91 to 120 days late"),
        "5": ("retard de plus de 120 jours, cédé ou passé en perte", "over 120 days late, sold or written off"),
        "C": ("soldé", "closed"),
        "X": ("inconnu", "unknown"),
    },
    "NAME_CONTRACT_STATUS": _STATES,
    "NAME_CONTRACT_TYPE": {
        "Cash loans": ("prêt personnel", "cash loan"),
        "Consumer loans": ("crédit affecté", "consumer loan"),
        "Revolving loans": ("crédit renouvelable", "revolving credit"),
        "XNA": _UNKNOWN,
    },
    "FLAG_LAST_APPL_PER_CONTRACT": {"N": ("non", "no"), "Y": ("oui", "yes")},
    "NAME_CASH_LOAN_PURPOSE": {
        "Building a house or an annex": ("construire une maison ou une annexe", "building a house or an annex"),
        "Business development": ("développer une entreprise", "business development"),
        "Buying a garage": ("acheter un garage", "buying a garage"),
        "Buying a holiday home / land": (
            "acheter une résidence secondaire ou un terrain",
            "buying a holiday home or land",
        ),
        "Buying a home": ("acheter un logement", "buying a home"),
        "Buying a new car": ("acheter une voiture neuve", "buying a new car"),
        "Buying a used car": ("acheter une voiture d'occasion", "buying a used car"),
        "Car repairs": ("réparer une voiture", "car repairs"),
        "Education": ("études", "education"),
        "Everyday expenses": ("dépenses courantes", "everyday expenses"),
        "Furniture": ("mobilier", "furniture"),
        "Gasification / water supply": ("raccordement au gaz ou à l'eau", "gas or water supply"),
        "Hobby": ("loisirs", "hobby"),
        "Journey": ("voyage", "journey"),
        "Medicine": ("soins", "health care"),
        "Money for a third person": ("argent pour un tiers", "money for a third person"),
        "Other": ("autre", "other"),
        "Payments on other loans": ("rembourser d'autres prêts", "payments on other loans"),
        "Purchase of electronic equipment": ("matériel électronique", "electronic equipment"),
        "Refusal to name the goal": ("objet non donné", "purpose not given"),
        "Repairs": ("travaux", "repairs"),
        "Urgent needs": ("besoin urgent", "urgent needs"),
        "Wedding / gift / holiday": ("mariage, cadeau ou fête", "wedding, gift or holiday"),
        "XAP": ("sans objet", "does not apply"),
        "XNA": _UNKNOWN,
    },
    "NAME_PAYMENT_TYPE": {
        "Cash through the bank": ("en espèces à la banque", "cash through the bank"),
        "Cashless from the account of the employer": ("virement de l'employeur", "transfer from the employer"),
        "Non-cash from your account": ("virement du client", "transfer from the client's account"),
        "XNA": _UNKNOWN,
    },
    "CODE_REJECT_REASON": {
        "CLIENT": ("à la demande du client", "at the client's request"),
        "HC": ("code HC", "code HC"),
        "LIMIT": ("plafond dépassé", "limit exceeded"),
        "SCO": ("code SCO", "code SCO"),
        "SCOFR": ("code SCOFR", "code SCOFR"),
        "SYSTEM": ("motif technique", "technical reason"),
        "VERIF": ("vérification", "verification"),
        "XAP": ("sans objet", "does not apply"),
        "XNA": _UNKNOWN,
    },
    "NAME_TYPE_SUITE": {
        "Unaccompanied": ("sans accompagnant", "unaccompanied"),
        "Family": ("famille", "family"),
        "Spouse, partner": ("conjoint ou partenaire", "spouse or partner"),
        "Children": ("enfants", "children"),
        "Other_A": ("autre (A)", "other (A)"),
        "Other_B": ("autre (B)", "other (B)"),
        "Group of people": ("groupe de personnes", "group of people"),
    },
    "NAME_CLIENT_TYPE": {
        "New": ("nouveau", "new"),
        "Refreshed": ("revenu", "returned"),
        "Repeater": ("connu", "known"),
        "XNA": _UNKNOWN,
    },
    "NAME_GOODS_CATEGORY": {
        "Additional Service": ("service complémentaire", "additional service"),
        "Animals": ("animaux", "animals"),
        "Audio/Video": ("audio et vidéo", "audio and video"),
        "Auto Accessories": ("accessoires automobiles", "car accessories"),
        "Clothing and Accessories": ("vêtements et accessoires", "clothing and accessories"),
        "Computers": ("ordinateurs", "computers"),
        "Construction Materials": ("matériaux de construction", "construction materials"),
        "Consumer Electronics": ("électronique grand public", "consumer electronics"),
        "Direct Sales": ("vente directe", "direct sales"),
        "Education": ("études", "education"),
        "Fitness": ("sport en salle", "fitness"),
        "Furniture": ("mobilier", "furniture"),
        "Gardening": ("jardinage", "gardening"),
        "Homewares": ("articles de maison", "homewares"),
        "House Construction": ("construction de maison", "house construction"),
        "Insurance": ("assurance", "insurance"),
        "Jewelry": ("bijoux", "jewellery"),
        "Medical Supplies": ("matériel médical", "medical supplies"),
        "Medicine": ("médicaments", "medicine"),
        "Mobile": ("téléphone mobile", "mobile phone"),
        "Office Appliances": ("équipement de bureau", "office appliances"),
        "Other": ("autre", "other"),
        "Photo / Cinema Equipment": ("photo et cinéma", "photo and film equipment"),
        "Sport and Leisure": ("sport et loisirs", "sport and leisure"),
        "Tourism": ("tourisme", "tourism"),
        "Vehicles": ("véhicules", "vehicles"),
        "Weapon": ("armes", "weapons"),
        "XNA": _UNKNOWN,
    },
    "NAME_PORTFOLIO": {
        "Cards": ("cartes", "cards"),
        "Cars": ("voitures", "cars"),
        "Cash": ("prêts personnels", "cash loans"),
        "POS": ("crédits en magasin", "loans in shops"),
        "XNA": _UNKNOWN,
    },
    "NAME_PRODUCT_TYPE": {
        "XNA": _UNKNOWN,
        "walk-in": _SALES["Street"],
        "x-sell": _SALES["X-Sell"],
    },
    "CHANNEL_TYPE": {
        "AP+ (Cash loan)": ("partenaire (prêt personnel)", "partner (cash loan)"),
        "Car dealer": ("concessionnaire", "car dealer"),
        "Channel of corporate sales": ("ventes aux entreprises", "corporate sales"),
        "Contact center": ("centre d'appels", "contact centre"),
        "Country-wide": ("réseau national", "country-wide"),
        "Credit and cash offices": ("agences de crédit", "credit and cash offices"),
        "Regional / Local": ("réseau régional ou local", "regional or local"),
        "Stone": ("magasin", "shop"),
    },
    "NAME_SELLER_INDUSTRY": {
        "Auto technology": ("automobile", "car trade"),
        "Clothing": ("habillement", "clothing"),
        "Connectivity": ("télécommunications", "telecommunications"),
        "Construction": ("construction", "construction"),
        "Consumer electronics": ("électronique grand public", "consumer electronics"),
        "Furniture": ("mobilier", "furniture"),
        "Industry": ("industrie", "industry"),
        "Jewelry": ("bijouterie", "jewellery"),
        "MLM partners": ("vente à domicile", "direct selling"),
        "Tourism": ("tourisme", "tourism"),
        "XNA": _UNKNOWN,
    },
    "NAME_YIELD_GROUP": {
        "XNA": _UNKNOWN,
        "high": _LEVELS["high"],
        "low_action": ("bas, offre spéciale", "low, special offer"),
        "low_normal": ("bas, ordinaire", "low, normal"),
        "middle": _LEVELS["middle"],
    },
    "PRODUCT_COMBINATION": {
        "Cash": ("prêt personnel", "cash loan"),
        **{f"Card {sale}": (f"carte, {fr}", f"card, {en}") for sale, (fr, en) in _SALES.items()},
        **{
            f"Cash {sale}: {level}": (f"prêt personnel, {fr}, taux {fr_of}", f"cash loan, {en}, {en_of} rate")
            for sale, (fr, en) in _SALES.items()
            for level, (fr_of, en_of) in _LEVELS.items()
        },
        **{
            f"POS {shop} {how} interest": (
                f"crédit en magasin, {fr}, {'avec' if how == 'with' else 'sans'} intérêts",
                f"loan in a shop, {en}, {how} interest",
            )
            for shop, (fr, en) in _SHOPS.items()
            for how in ("with", "without")
        },
    },
    "WEEKDAY_APPR_PROCESS_START": {
        "MONDAY": ("lundi", "Monday"),
        "TUESDAY": ("mardi", "Tuesday"),
        "WEDNESDAY": ("mercredi", "Wednesday"),
        "THURSDAY": ("jeudi", "Thursday"),
        "FRIDAY": ("vendredi", "Friday"),
        "SATURDAY": ("samedi", "Saturday"),
        "SUNDAY": ("dimanche", "Sunday"),
    },
}
"""By column."""


def in_words(language: str, column: str, category: str | None) -> str:
    """Return a category of a history in words; itself where it is none that is declared."""
    pair = CATEGORIES.get(column, {}).get(category or "")
    return (category or "") if pair is None else pair[0 if language == "fr" else 1]
