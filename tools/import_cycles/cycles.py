"""Cycles among the modules of a crate.

A graph is `{module: {module: import}}`. An import is `(importing file's module, imported, line)`.
"""

from collections import deque

from .crate import Crate
from .modules import Module


def shortest_path(graph, start, end):
    before, queue = {start: None}, deque([start])
    while queue:
        here = queue.popleft()
        if here is end:
            steps = []
            while here:
                steps.append(here)
                here = before[here]
            return steps[::-1]
        for there in sorted(graph[here], key=Module.name):
            if there not in before:
                before[there] = here
                queue.append(there)
    return None


def groups(graph):
    """Yields the groups of modules that import one another, directly or indirectly."""
    reached = {}
    for module in graph:
        found, todo = set(), [module]
        while todo:
            for there in graph[todo.pop()]:
                if there not in found:
                    found.add(there)
                    todo.append(there)
        reached[module] = found
    left = [m for m in graph if m in reached[m]]
    while left:
        group = [m for m in left if m in reached[left[0]] and left[0] in reached[m]]
        yield group
        left = [m for m in left if m not in group]


def cycles(graph, group):
    """Returns the shortest cycle through each import of the group: shortest first, none twice."""
    found = set()
    for start in group:
        for end in graph[start]:
            if end in group:
                steps = shortest_path(graph, end, start)
                first = min(range(len(steps)), key=lambda i: steps[i].name())
                found.add(tuple(steps[first:] + steps[:first]))
    return sorted(found, key=lambda steps: (len(steps), [m.name() for m in steps]))


def siblings(graph):
    """Returns a graph of each module's children, including the imports of everything below them."""
    graphs = {}
    for imports in graph.values():
        for unit, target, line in imports.values():
            if unit.is_below(target) or target.is_below(unit):
                continue
            a, b = unit, target
            while len(a.path) > len(b.path):
                a = a.parent
            while len(b.path) > len(a.path):
                b = b.parent
            while a.parent is not b.parent:
                a, b = a.parent, b.parent
            level = graphs.setdefault(a.parent, {})
            level.setdefault(b, {})
            # Prefers an import between the two files themselves to one from below.
            known = level.setdefault(a, {}).get(b)
            if not known or (unit, target) == (a, b):
                level[a][b] = (unit, target, line)
    return graphs.values()


def describe(root, graph, group, steps):
    parts = []
    for here, there in zip(steps, steps[1:] + steps[:1]):
        unit, target, line = graph[here][there]
        parts.append(f"{unit.name()} -> {target.name()} ({unit.file}:{line})")
    size = f"{len(group)} modules import one another: " if len(group) > len(steps) else ""
    return f"{root}: {size}{', '.join(parts)}"


def is_between_files(graph, steps):
    return all(b in graph[a] for a, b in zip(steps, steps[1:] + steps[:1]))


def check(root, read, every=False):
    """Returns the numbers of modules and imports of a crate, and a line for each cycle."""
    crate = Crate(root, read)
    graph, count = crate.imports()
    lines = []
    for level in [graph, *siblings(graph)]:
        for group in groups(level):
            found = cycles(level, group)
            if level is not graph:
                # A cycle between the files themselves is already known.
                found = [steps for steps in found if not is_between_files(graph, steps)]
            shown = found if every else found[:1]
            lines += [describe(root, level, group, steps) for steps in shown]
    return len(crate.modules), count, lines
