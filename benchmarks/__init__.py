"""Other people's systems, measured beside ours: never a part of the product."""
