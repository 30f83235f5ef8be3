"""What runs inside a peer's own environment: the standard library and the peer, nothing of ours."""
