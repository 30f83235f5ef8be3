"""How alike do the systems hear? The measurements behind ``python -m ml.evaluate``.

There is no public ground truth for "sounds like", so three proxies stand in for it: tracks of
one soundtrack belong together, a disguised excerpt belongs to its track, the two halves of a
track belong together. Every system is measured on the same tracks by the same code.
"""
