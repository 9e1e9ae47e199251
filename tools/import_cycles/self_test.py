"""Checks that the cycles of crates in memory are found."""

import sys

from .cycles import check
from .tokens import Unreadable


def self_test():
    cases = {
        "by super": (
            1,
            {
                "lib.rs": "mod a;",
                "a.rs": "mod b; use self::b::B; pub struct A;",
                "a/b.rs": "use super::A; pub struct B;",
            },
        ),
        "by the parent's use of a plain path": (
            1,
            {
                "lib.rs": "mod a; pub struct L; fn f() { a::g() }",
                "a.rs": "pub fn g() { crate::L; }",
            },
        ),
        "by re-export": (
            1,
            {
                "lib.rs": "mod a; mod b; pub use a::A; pub use b::{B as C};",
                "a.rs": "use crate::C; pub struct A;",
                "b.rs": "use crate::A; pub struct B;",
            },
        ),
        "by a chain of re-exports and a glob": (
            1,
            {
                "lib.rs": "mod a; mod b; mod c; mod d; pub use c::*;",
                "a.rs": "pub use crate::d::D;",
                "b.rs": "use crate::Renamed; pub struct B;",
                "c.rs": "pub use crate::a::D as Renamed;",
                "d.rs": "use crate::{\n  b::{self as x},\n};\npub struct D; fn f() { x::B; }",
            },
        ),
        "by a re-exported name in the parent's own code": (
            1,
            {
                "lib.rs": "mod a;",
                "a.rs": "mod b; pub use b::B; pub struct A(B);",
                "a/b.rs": "use super::A; pub struct B;",
            },
        ),
        "by a use in a function, of three": (
            1,
            {
                "lib.rs": "mod a; mod b; mod c;",
                "a.rs": "pub fn f() { use crate::b as q; q::f() }",
                "b.rs": "pub fn f() { super::c::f() }",
                "c.rs": "pub fn f() { match 'x' { '\"' => crate::a::f(), _ => {} } }",
            },
        ),
        "by an attribute and a macro": (
            1,
            {
                "lib.rs": "mod a;",
                "a.rs": "macro_rules! m { () => {} } mod b; #[serde(default = b::f)] struct A;",
                "a/b.rs": "m!(); pub fn f() {}",
            },
        ),
        "between siblings, by what is below them": (
            1,
            {
                "lib.rs": "mod a; mod b;",
                "a.rs": "mod c; mod d;",
                "a/c.rs": "use crate::b::B;",
                "a/d.rs": "pub struct D;",
                "b.rs": "mod e; pub struct B;",
                "b/e.rs": "use crate::a::d::D;",
            },
        ),
        "by an exported macro and a range": (
            1,
            {
                "lib.rs": "#[macro_use] mod a; mod b;",
                "a.rs": "#[macro_export] macro_rules! m { () => { use $crate::b::B; } }",
                "b.rs": "pub struct B; fn f() { crate::m!(); }",
            },
        ),
        "none by re-export": (
            0,
            {
                "lib.rs": "mod a; mod b; pub use a::{A, B}; pub use b::T;",
                "a.rs": "mod b; pub(crate) use b::B; use crate::T; pub struct A;",
                "a/b.rs": "use super::A; pub struct B; impl Tr for B { type B = u8; fn B() {} }",
                "b.rs": "pub enum T { A, B(u8) } pub fn b() { T::A; x.a(); let B: u8; }",
            },
        ),
        "none by comments, strings and lifetimes": (
            0,
            {
                "lib.rs": "mod a; mod b;",
                "a.rs": "use crate::b::B; pub struct A<'a>(&'a B);",
                "b.rs": "/* use crate::a::A; /* */ crate::a::f() */ // crate::a::A\n"
                "/// [`crate::a::A`]\n"
                'pub struct B; const T: (&str, &str, char) = ("crate::a::A \\" ",'
                ' r#"" crate::a::A "#, \'"\');',
            },
        ),
        "none by tests": (
            0,
            {
                "lib.rs": "mod a; mod b;",
                "a.rs": "use crate::b::B; pub struct A;",
                "b.rs": "pub struct B; #[cfg(test)] use crate::a::{A, f};"
                " #[cfg(all(test, loom))] mod tests;"
                "#[cfg(test)] mod more { use crate::a::A; } #[cfg(not(test))] fn f() {}"
                "#[cfg(test)] const fn g(a: [u8; 2]) -> A { crate::a::A }",
            },
        ),
        "none by other crates' names": (
            0,
            {
                "lib.rs": "mod a; mod b; pub use std::sync::Arc;",
                "a.rs": "use crate::b::B; use crate::Arc; pub struct A;",
                "b.rs": "use ::a::A; use other::{a::A as C, b}; pub struct B;"
                " fn f() { b::a::A; std::a::A; }",
            },
        ),
        "none by naming a module only": (
            0,
            {
                "lib.rs": "mod a; mod b;",
                "a.rs": "pub mod c { pub use crate::b::B; }",
                "b.rs": "use crate::a::c; pub struct B(c::B);",
            },
        ),
    }
    failed = 0
    for name, (wanted, files) in cases.items():
        modules, _, lines = check("lib.rs", lambda path: files.get(path.lstrip("/")))
        if len(lines) != wanted or modules != len(files):
            failed += 1
            print(f"failed: {name}: {modules} of {len(files)} files, {lines}", file=sys.stderr)
    lines = check("lib.rs", lambda path: cases["by super"][1].get(path.lstrip("/")))[2]
    if lines != ["lib.rs: a -> a::b (/a.rs:1), a::b -> a (/a/b.rs:1)"]:
        failed += 1
        print(f"failed: locations: {lines}", file=sys.stderr)
    try:
        check("lib.rs", {"lib.rs": "mod gone;"}.get)
        failed += 1
        print("failed: no error for a missing file", file=sys.stderr)
    except Unreadable:
        pass
    print(f"{len(cases) + 2} self-tests, {failed} failed")
    return 1 if failed else 0
