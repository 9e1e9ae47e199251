"""A crate: its modules, the resolution of paths, and which file imports which."""

import os

from .modules import Module
from .parser import Parser
from .tokens import Unreadable, tokens_of


class Crate:
    """One crate: its modules, and the paths that are imported in it."""

    def __init__(self, root, read):
        self.read, self.modules, self.paths, self.exported_macros = read, [], [], {}
        self.root = self.add((), root, None, os.path.dirname(root))

    def add(self, path, file, parent, folder):
        module = Module(path, file, parent, folder)
        self.modules.append(module)
        try:
            Parser(self, module, tokens_of(self.read(file))).run()
        except (Unreadable, IndexError) as error:
            raise Unreadable(f"{file}: {error}") from error
        return module

    def add_file(self, name, parent, given):
        """Reads the file of `mod name;`."""
        if given:
            choices = [os.path.normpath(os.path.join(os.path.dirname(parent.file), given))]
        else:
            choices = [f"{parent.folder}/{name}.rs", f"{parent.folder}/{name}/mod.rs"]
        for file in choices:
            if self.read(file) is not None:
                return self.add(parent.path + (name,), file, parent, f"{parent.folder}/{name}")
        raise Unreadable(f"no file for `mod {name};`: {' or '.join(choices)}")

    # --- Resolution of paths -------------------------------------------------
    #
    # A path resolves to a set of targets: a `Module`, or ("item", unit). The set is empty for names
    # of other crates. The result is None for names that can't be found.

    def resolve(self, scope, path, seen=frozenset()):
        first, rest = path[0], path[1:]
        if first == "crate":
            here = {self.root}
        elif first in ("self", "super"):
            here, rest = {scope.module}, path if first == "super" else rest
        else:
            here = self.in_scope(scope, first, seen)
        for name in rest:
            modules = [m for m in here or () if isinstance(m, Module)]
            items = {m for m in here or () if not isinstance(m, Module)}
            if not modules:
                break
            module = modules[0]
            if name == "super":
                here = {module.parent}
                continue
            here = self.in_module(module, name, seen)
            if here is None:
                # An item made by a macro, or a variant of an enum with the module's name.
                here = items or {("item", module.unit)}
        return here

    def in_scope(self, scope, name, seen):
        while scope.outer:
            if name in scope.items:
                return {("item", scope.module.unit)}
            for path in scope.uses.get(name, ()):
                key = (id(scope), name)
                return set() if key in seen else self.resolve(scope, path, seen | {key}) or set()
            found = self.in_globs(scope, name, seen)
            if found:
                return found
            scope = scope.outer
        return self.in_module(scope.module, name, seen)

    def in_module(self, module, name, seen):
        if (module, name) in seen:
            return None
        seen = seen | {(module, name)}
        found, known = set(), False
        if name in module.children:
            found.add(module.children[name])
        if name in module.items or name in module.scope.items:
            found.add(("item", module.unit))
        if not module.parent and name in self.exported_macros:
            found.add(("item", self.exported_macros[name]))
        for path in module.scope.uses.get(name, ()):
            known = True
            found |= self.resolve(module.scope, path, seen) or set()
        if found or known:
            return found
        return self.in_globs(module.scope, name, seen)

    def in_globs(self, scope, name, seen):
        foreign = False
        for path in scope.globs:
            key = (id(scope), path)
            if key in seen:
                continue
            targets = self.resolve(scope, path, seen | {key})
            foreign = foreign or not targets
            for module in targets or ():
                if isinstance(module, Module) and module is not scope.module:
                    found = self.in_module(module, name, seen | {key})
                    if found:
                        return found
        return set() if foreign else None

    # --- The graph -----------------------------------------------------------

    def imports(self):
        """Returns the first import of each file by each file, and the number of imports."""
        graph, count = {m: {} for m in self.modules}, 0
        for scope, path, line, kind in self.paths:
            unit = scope.module.unit
            targets = self.macro(scope, path) if kind == "macro" else self.resolve(scope, path)
            items = {m[1] for m in targets or () if not isinstance(m, Module)}
            # Bringing a module's name into scope imports nothing yet; using its items does.
            if kind in ("glob", "path") and not items:
                items = {m.unit for m in targets or ()}
            for target in items - {unit}:
                if kind in ("reexport", "reglob") and target.is_below(unit):
                    continue
                count += 1
                if target not in graph[unit] or line < graph[unit][target][2]:
                    graph[unit][target] = (unit, target, line)
        return graph, count

    def macro(self, scope, path):
        """Resolves a macro, which is also in scope below the module that defines it."""
        targets = self.resolve(scope, path)
        module = scope.module
        while not targets and module and len(path) == 1:
            if path[0] in module.macros:
                return {("item", module.unit)}
            module = module.parent
        return targets
