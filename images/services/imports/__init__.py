"""Imports: an image's bytes come by a detour, in the background.

``requests`` takes an image for an import and writes the task down; ``runs`` does what a task says, in the conductor; ``methods`` says
where the bytes come from, ``steps`` what is done to them before they enter a store, ``copies`` how they do; ``outcomes`` ends a task,
well or badly; ``steering`` lets people do so; ``sweeps`` looks after tasks whose process died.
"""
