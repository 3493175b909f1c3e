"""The scoring model: a folder of text files, loaded, verified and asked for log-odds and contributions."""
