"""Build steps with FINN's signature `(model, cfg) -> model`; configs name them by dotted path.

A step only composes transformations. Its errors reach FINN's builder as FINN's user errors, which it prints without a
traceback.
"""
