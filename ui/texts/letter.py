"""Texts of the letter to a client.

They follow Directive (EU) 2023/2225 on consumer credit, Articles 18(8), 18(9) and 19, and Regulation (EU) 2016/679
(GDPR), Articles 13 to 15 and 22.
"""

TEXTS: dict[str, dict[str, str]] = {
    "letter": {"fr": "Lettre au client", "en": "Letter to the client"},
    "letter_language": {"fr": "Langue du client", "en": "The client's language"},
    "letter_pdf": {"fr": "Télécharger la lettre (PDF)", "en": "Download the letter (PDF)"},
    "letter_reference": {"fr": "Client {client}, décision {number}", "en": "Client {client}, decision {number}"},
    "letter_date": {"fr": "Le {moment}", "en": "{moment}"},
    "letter_title_granted": {
        "fr": "Votre demande de crédit est acceptée",
        "en": "Your application for credit is granted",
    },
    "letter_title_refused": {
        "fr": "Votre demande de crédit est refusée",
        "en": "Your application for credit is refused",
    },
    "letter_title_review": {
        "fr": "Votre demande de crédit sera examinée par une personne",
        "en": "A person will examine your application for credit",
    },
    "letter_hello": {"fr": "Madame, Monsieur,", "en": "Dear Sir or Madam,"},
    "letter_amount": {
        "fr": "Vous nous avez demandé un crédit de {amount}.",
        "en": "You applied to us for a credit of {amount}.",
    },
    "letter_granted": {
        "fr": "Nous acceptons cette demande. Le contrat vous sera proposé séparément ; rien ne vous engage avant que "
        "vous l'ayez signé.",
        "en": "We grant this application. The contract will be offered to you separately; nothing binds you before "
        "you sign it.",
    },
    "letter_refused": {
        "fr": "Nous ne pouvons pas accepter cette demande.",
        "en": "We cannot grant this application.",
    },
    "letter_review": {
        "fr": "Rien n'est encore décidé : une personne va examiner votre demande, puis nous vous écrirons.",
        "en": "Nothing is decided yet: a person will examine your application, and we will then write to you.",
    },
    "letter_automated_heading": {
        "fr": "Comment nous avons évalué votre demande",
        "en": "How we assessed your application",
    },
    "letter_automated": {
        "fr": "Cette évaluation est faite par un traitement automatisé de données personnelles, dont un profilage : un "
        "modèle statistique estime, d'après votre dossier, la probabilité que le crédit ne soit pas remboursé, et des "
        "règles du prêteur la complètent.",
        "en": "This assessment is made by automated processing of personal data, including profiling: a statistical "
        "model estimates from your file the probability that the credit is not repaid, and rules of the lender add "
        "to it.",
    },
    "letter_risk": {
        "fr": "Pour vous, cette probabilité est de {probability}. Une demande est refusée à partir de {threshold}. Une "
        "estimation trop haute peut priver d'un crédit une personne qui l'aurait remboursé : c'est pourquoi vous "
        "pouvez demander qu'une personne la revoie.",
        "en": "For you, this probability is {probability}. An application is refused from {threshold}. An estimate "
        "that is too high can deny a credit to a person who would have repaid it: that is why you may ask that a "
        "person reviews it.",
    },
    "letter_rule": {
        "fr": "Pour votre demande, une règle du prêteur est décisive ; elle est citée ci-dessous.",
        "en": "For your application a rule of the lender is decisive; it is quoted below.",
    },
    "letter_reasons_heading": {"fr": "Les principales raisons", "en": "The main reasons"},
    "letter_change_heading": {"fr": "Ce qui pourrait changer la décision", "en": "What could change the decision"},
    "letter_data_heading": {"fr": "Les données utilisées", "en": "The data used"},
    "letter_data_application": {
        "fr": "votre demande, informations que vous nous avez déclarées : {count} ;",
        "en": "your application, items that you declared to us: {count};",
    },
    "letter_data_scores": {
        "fr": "des scores transmis par des organismes externes : {count} ;",
        "en": "scores from outside agencies: {count};",
    },
    "letter_data_bureau": {
        "fr": "le fichier des crédits tenu par un organisme externe, crédits auprès d'autres prêteurs : {count} ;",
        "en": "the register of credits kept by an outside agency, credits with other lenders: {count};",
    },
    "letter_data_previous": {
        "fr": "nos propres dossiers, demandes antérieures et leurs remboursements : {count}.",
        "en": "our own records, earlier applications and their repayments: {count}.",
    },
    "letter_data_sources": {
        "fr": "Vous pouvez nous demander gratuitement la liste de ces données, le nom des organismes consultés et le "
        "résultat de leur consultation, et faire corriger ce qui est faux.",
        "en": "You may ask us, free of charge, for the list of these data, the names of the agencies consulted and "
        "the result of their consultation, and have corrected what is wrong.",
    },
    "letter_rights_heading": {"fr": "Vos droits", "en": "Your rights"},
    "letter_rights": {"fr": "Vous avez le droit :", "en": "You have the right:"},
    "letter_right_human": {
        "fr": "d'obtenir qu'une personne examine votre demande et revoie l'évaluation et la décision ;",
        "en": "to have a person examine your application, and review the assessment and the decision;",
    },
    "letter_right_heard": {
        "fr": "de donner votre point de vue et de contester la décision ;",
        "en": "to give your point of view and to contest the decision;",
    },
    "letter_right_explained": {
        "fr": "de recevoir une explication claire de l'évaluation, de sa logique et de ses risques.",
        "en": "to receive a clear explanation of the assessment, its logic and its risks.",
    },
    "letter_how": {
        "fr": "Écrivez-nous en donnant le numéro de la décision, {number}, à : {contact}. C'est gratuit, et une "
        "personne qui peut changer la décision vous répondra.",
        "en": "Write to us with the number of the decision, {number}, at: {contact}. It is free of charge, and a "
        "person who can change the decision will answer.",
    },
    "letter_no_contact": {"fr": "l'agence qui vous a reçu", "en": "the branch that received you"},
    "letter_complaint": {
        "fr": "Vous pouvez aussi saisir la Commission nationale de l'informatique et des libertés (www.cnil.fr).",
        "en": "You may also complain to the data protection authority of your country (in France, www.cnil.fr).",
    },
    "letter_debt_heading": {"fr": "Une aide gratuite pour votre budget", "en": "Free advice on debt"},
    "letter_debt": {
        "fr": "Si vous avez du mal à faire face à vos dépenses, un Point conseil budget vous aide gratuitement et en "
        "toute confidentialité (www.mesquestionsdargent.fr) ; en cas de surendettement, adressez-vous à la Banque de "
        "France (www.banque-france.fr).",
        "en": "If you find it hard to meet your expenses, a debt advice service helps you free of charge and in "
        "confidence (in France, a Point conseil budget: www.mesquestionsdargent.fr, or the Banque de France: "
        "www.banque-france.fr).",
    },
    "letter_legal": {
        "fr": "Cette lettre suit la directive (UE) 2023/2225 relative aux contrats de crédit aux consommateurs, "
        "articles 18 et 19, et le règlement (UE) 2016/679 (RGPD), articles 15 et 22.",
        "en": "This letter follows Directive (EU) 2023/2225 on credit agreements for consumers, Articles 18 and 19, "
        "and Regulation (EU) 2016/679 (GDPR), Articles 15 and 22.",
    },
}
