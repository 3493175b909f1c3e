"""Words for the client: which facts may be told, what is unknown, and the sentences of reasons, in both languages."""
