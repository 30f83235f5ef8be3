"""Audio to features, codes, an embedding and likeness: a library without Django."""
