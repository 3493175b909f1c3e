"""The Streamlit application for loan officers; it knows the scoring service by HTTP only."""
