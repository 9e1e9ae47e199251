"""Modules, and the names in them."""


class Module:
    """A module, inline or a file. `unit` is the module of the file that contains it."""

    def __init__(self, path, file, parent, folder, unit=None):
        self.path, self.file, self.parent, self.folder = path, file, parent, folder
        self.unit = unit or self
        self.children, self.items, self.macros = {}, set(), set()
        self.scope = Scope(self, None)

    def name(self):
        return "::".join(self.path) or "crate"

    def is_below(self, other):
        return self.path[: len(other.path)] == other.path


class Scope:
    """Names that `use` and items bring into a module or a block of a function."""

    def __init__(self, module, outer):
        self.module, self.outer = module, outer
        self.uses, self.globs, self.items = {}, [], set()
        self.associated = False
