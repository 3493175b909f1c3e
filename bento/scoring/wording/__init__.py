"""Words for the client: which facts may be quoted, what is unknown, and the sentences of reasons, in both languages."""
