"""Make the slides of the talk, in English and French, from published results."""
