"""Finds modules, items, imports and paths in the tokens of a file."""

from .modules import Module, Scope
from .tokens import Unreadable

CLOSING = {"(": ")", "[": "]", "{": "}"}
DEFINING = {"struct", "enum", "union", "trait", "fn", "const", "static", "type", "mod"}
KEYWORDS = DEFINING | set(
    "as async await break continue dyn else extern false for if impl in let loop match move mut pub"
    " ref return Self true unsafe use where while".split()
)


class Parser:
    """Finds modules, items, `use` and paths in the tokens of a file."""

    def __init__(self, crate, module, tokens):
        self.crate, self.tokens, self.at = crate, tokens, 0
        self.scopes = [module.scope]
        # The scope of the next brace, if something before the brace determines it.
        self.opens = None
        self.public, self.file = False, None

    def text(self, offset=0):
        at = self.at + offset
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def kind(self, offset=0):
        at = self.at + offset
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else ""

    def line(self):
        return self.tokens[self.at].line

    def run(self):
        while self.at < len(self.tokens):
            self.step()
        if len(self.scopes) > 1:
            raise Unreadable("unclosed brace")

    def step(self):
        text, kind = self.text(), self.kind()
        if text == "#" and (self.text(1) == "[" or (self.text(1) == "!" and self.text(2) == "[")):
            return self.attribute()
        if text == "pub" and kind == "word":
            self.public = True
            self.at += 1
            if self.text() == "(" and self.text(1) in ("crate", "self", "super", "in"):
                self.skip_group()
            return None
        if kind == "word" and text in ("use", "mod", "impl", "macro_rules") and self.at_item():
            if getattr(self, "item_" + text)():
                self.public = False
                return None
        self.public = False
        if text == "{":
            self.scopes.append(self.opens or Scope(self.scopes[-1].module, self.scopes[-1]))
            self.opens = None
        elif text == ";":
            self.opens = None
        elif text == "}":
            self.scopes.pop()
        elif kind == "word" and text in DEFINING:
            return self.definition()
        elif kind == "word" or text == "$" and self.text(1) == "crate":
            return self.path()
        self.at += 1
        return None

    def at_item(self):
        before = self.text(-1)
        return self.public or before in ("", ";", "{", "}", "]", "=>", "unsafe", "default")

    def skip_group(self):
        """Skips the group that opens here."""
        depth = 0
        while True:
            text, kind = self.text(), self.kind()
            self.at += 1
            if kind == "sign" and text in CLOSING:
                depth += 1
            elif kind == "sign" and text in CLOSING.values():
                depth -= 1
                if depth == 0:
                    return
            elif not kind:
                raise Unreadable("unclosed bracket")

    # --- Attributes ------------------------------------------------------------

    def attribute(self):
        inner = self.text(1) == "!"
        self.at += 2 if inner else 1
        start = self.at
        self.skip_group()
        end, self.at = self.at, start + 1
        if self.text() == "cfg" and self.text(1) == "(":
            self.at += 2
            if self.is_off():
                self.at = end
                return self.skip_to_end() if inner else self.skip_item()
        elif self.text() == "path" and self.text(1) == "=":
            self.file = self.text(2).strip('r#"')
        else:
            while self.at < end:
                # In an attribute, a single lower-case word is a setting of the attribute.
                if self.kind() == "word" and (self.text(1) == "::" or self.text()[0].isupper()):
                    self.path()
                else:
                    self.at += 1
        self.at = end
        return None

    def is_off(self):
        """Skips a condition. Returns whether it is false in every build without tests."""
        word = self.text()
        self.at += 1
        if self.text() != "(":
            while self.text() not in (",", ")"):
                self.at += 1
            return word == "test"
        self.at += 1
        answers = []
        while self.text() != ")":
            answers.append(self.is_off())
            if self.text() == ",":
                self.at += 1
        self.at += 1
        return {"all": any(answers), "any": bool(answers) and all(answers)}.get(word, False)

    def skip_to_end(self):
        """Skips the rest of a file or inline module that is only for tests."""
        inline = len(self.scopes) > 1
        while self.at < len(self.tokens) and not (self.text() == "}" and inline):
            self.skip_group() if self.text() in CLOSING else self.advance()

    def advance(self):
        self.at += 1

    def skip_item(self):
        """Skips the item, field, arm or statement that begins here."""
        ended_by_semicolon = ("use", "const", "static", "type", "let")
        to_semicolon, item = False, False
        while self.at < len(self.tokens):
            text, kind = self.text(), self.kind()
            if kind == "word" and text in ended_by_semicolon and self.text(1) != "fn":
                to_semicolon = to_semicolon or not item
            item = item or (kind == "word" and text in KEYWORDS)
            if kind == "sign" and text in CLOSING.values():
                return
            if kind == "sign" and text in CLOSING:
                self.skip_group()
                if text == "{" and not to_semicolon:
                    if self.text() == ",":
                        self.at += 1
                    return
                continue
            self.at += 1
            if text == ";" or (text == "," and not item):
                return

    # --- Items -------------------------------------------------------------------

    def item_use(self):
        if self.text(1) == "<":
            return False
        self.at += 1
        scope = self.scopes[-1]
        for path, name, is_glob, line in self.use_tree(()):
            if self.public:
                kind = "reglob" if is_glob else "reexport"
            else:
                kind = "glob" if is_glob else "use"
            if not path or path[0] == "::":
                continue
            self.crate.paths.append((scope, path, line, kind))
            if is_glob:
                scope.globs.append(path)
            elif name != "_":
                scope.uses.setdefault(name, []).append(path)
        if self.text() != ";":
            raise Unreadable(f"line {self.line()}: unterminated `use`")
        self.at += 1
        return True

    def use_tree(self, prefix):
        path, line = prefix, self.line()
        while True:
            text = self.text()
            if text == "$":
                pass
            elif text == "::":
                if not path:
                    path = ("::",)
            elif text == "*":
                self.at += 1
                yield path, None, True, line
                return
            elif text == "{":
                self.at += 1
                while self.text() != "}":
                    yield from self.use_tree(path)
                    if self.text() == ",":
                        self.at += 1
                self.at += 1
                return
            elif self.kind() == "word" and text != "as":
                line = self.line()
                if not (text == "self" and path):
                    path += (text,)
            else:
                break
            self.at += 1
        name = path[-1]
        if self.text() == "as":
            name = self.text(1)
            self.at += 2
        yield path, name, False, line

    def item_mod(self):
        name, given, self.file = self.text(1), self.file, None
        module = self.scopes[-1].module
        if self.text(2) == ";":
            self.at += 3
            module.children[name] = self.crate.add_file(name, module, given)
            return True
        if self.text(2) != "{":
            return False
        self.at += 2
        path, folder = module.path + (name,), f"{module.folder}/{name}"
        inline = Module(path, module.file, module, folder, module.unit)
        module.children[name] = inline
        self.opens = inline.scope
        return True

    def item_impl(self):
        self.associate()
        self.at += 1
        return True

    def associate(self):
        """Keeps the functions and types in the braces that follow out of the module's names."""
        self.opens = Scope(self.scopes[-1].module, self.scopes[-1])
        self.opens.associated = True

    def item_macro_rules(self):
        if self.text(1) != "!":
            return False
        module, name = self.scopes[-1].module, self.text(2)
        if self.text(-2) == "macro_export":
            self.crate.exported_macros[name] = module.unit
        module.items.add(name)
        module.macros.add(name)
        self.at += 3
        return True

    def definition(self):
        word, name = self.text(), self.text(1)
        self.at += 1
        if word == "const" and name in ("fn", "unsafe", "async", "extern") or self.kind() != "word":
            return
        if word == "static" and name == "mut":
            self.at += 1
            name = self.text()
        scope = self.scopes[-1]
        if not scope.associated:
            (scope.items if scope.outer else scope.module.items).add(name)
        self.at += 1
        if word == "trait":
            self.associate()
        elif word == "enum":
            self.enum()

    def enum(self):
        """Reads an enum. Names of variants are not names of items; paths in variants may be."""
        while self.text() not in ("{", ";"):
            self.path() if self.kind() == "word" else self.advance()
        self.at += 1
        while self.text() != "}":
            if self.text() == "#":
                self.attribute()
                continue
            self.at += 1
            depth = 0
            while depth or self.text() not in (",", "}"):
                text = self.text()
                depth += (text in CLOSING) - (text in CLOSING.values())
                if text == "#" and self.text(1) == "[":
                    self.attribute()
                elif self.kind() == "word":
                    self.path()
                else:
                    self.at += 1
            if self.text() == ",":
                self.at += 1
        self.at += 1

    def path(self):
        before = self.text(-1)
        is_member = before == "::" or (before == "." and self.text(-2) != ".")
        line, path = self.line(), []
        while self.text() == "$":
            self.at += 1
        while True:
            path.append(self.text())
            self.at += 1
            if self.text() == "::" and self.kind(1) == "word":
                self.at += 1
            else:
                break
        after = self.text()
        if is_member or path[0] in KEYWORDS or before in DEFINING:
            return
        kind = "macro" if after == "!" and self.text(1) in CLOSING else "path"
        if len(path) == 1 and kind == "path":
            # A single name. In lower case it may be a variable or a field.
            if after == ":" or path[0] in ("crate", "self", "super"):
                return
            if path[0][0].islower() and after not in ("(", "::"):
                return
            if after == "=" and before in ("<", ","):
                return
            kind = "name"
        self.crate.paths.append((self.scopes[-1], tuple(path), line, kind))
