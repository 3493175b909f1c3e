"""Features that relate a history to the application."""

FEATURES = {
    "bureau_debt_to_income": "ratio(bureau_debt_sum_active, AMT_INCOME_TOTAL)",
    "bureau_credit_to_income": "ratio(bureau_credit_sum_sum_active, AMT_INCOME_TOTAL)",
    "bureau_annuity_to_annuity": "ratio(bureau_annuity_sum_active, AMT_ANNUITY)",
    "bureau_debt_to_loan": "ratio(bureau_debt_sum_active, AMT_CREDIT)",
    "bureau_age_at_end_years": "(bureau_end_days_max_active - DAYS_BIRTH) / 365.25",
    "previous_credit_mean_to_loan": "ratio(previous_credit_mean_approved, AMT_CREDIT)",
    "previous_credit_max_to_loan": "ratio(previous_credit_max_approved, AMT_CREDIT)",
    "previous_annuity_mean_to_annuity": "ratio(previous_annuity_mean_approved, AMT_ANNUITY)",
    "previous_annuity_max_to_annuity": "ratio(previous_annuity_max_approved, AMT_ANNUITY)",
    "previous_open_debt_to_income": "ratio(previous_open_debt, AMT_INCOME_TOTAL)",
    "previous_due_in_12m_to_income": "ratio(previous_due_in_12m, AMT_INCOME_TOTAL)",
    "application_due_in_previous_term_to_credit": "ratio(AMT_ANNUITY * previous_term_mean_approved, AMT_CREDIT)",
    "installments_due_max_to_annuity": "ratio(installments_due_max, AMT_ANNUITY)",
    "installments_paid_max_to_annuity": "ratio(installments_paid_max, AMT_ANNUITY)",
    "installments_paid_365d_to_income": "ratio(installments_paid_sum_365d, AMT_INCOME_TOTAL)",
    "card_balance_to_income": "ratio(card_balance_mean_3m, AMT_INCOME_TOTAL)",
}
