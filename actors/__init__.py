"""Supervised actors on Trio, and the upstreams they stand for.

The kernel (mailbox, ref, supervisor) knows nothing of networks. A `Provider` is an actor that admits work to
one upstream, with the pool of connections that the work then uses.

What a process does not use it does not load: `__init__.pyi` lists every name, and a name's module is imported
when the name is first asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
