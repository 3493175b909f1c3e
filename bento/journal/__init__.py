"""The journal: every decision, durably, with all that a replay needs.

`store` writes and reads entries, `writer` commits those of many requests together, `vault` encrypts what concerns a
person, `purge` destroys it, `chain` shows tampering, which `verify` names, `readiness` tries whether decisions can be
written and gives one of the `causes` where not, `backup` copies and restores, `rotate` renews the master key, `replay`
decides again, some decisions or those of `drawing`, `migrations` make the schema. Commands: `python -m bento journal
--help`.
"""
