"""The journal: every decision, durably, with what it takes to replay it.

`store` writes and reads entries, `writer` commits those of many requests together, `vault` encrypts what concerns a
person, `replay` decides again, `migrations` hold the schema. Commands: `python -m bento journal --help`.
"""
