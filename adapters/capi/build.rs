//! Link arguments of the shared library.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // It starts threads, and has handlers for exits and forks: unloading it would crash the
    // process.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // As cargo-c does; cargo sets none. Changes with the interface: see docs/c.md.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libuadk_compress.so.0");
}
