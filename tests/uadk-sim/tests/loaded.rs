//! The shared library, loaded like the real one.

mod common;

use std::ffi::{CString, c_char, c_int};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use common::{Lib, data};
use uadk_sys::abi::{EINVAL, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS};
use uadk_sys::{Libwd, Release};

/// Set in child processes of this test.
const CHILD: &str = "UADK_SIM_LOADED_CHILD";

fn load() -> Libwd {
    let dir = uadk_sim::library_dir().expect("built with the tests");
    Libwd::load_from(Some(&dir)).expect("loads the library")
}

/// Returns a function that only the simulator has.
fn symbol(name: &str) -> *mut libc::c_void {
    let name = CString::new(name).unwrap();
    // SAFETY: a NUL-terminated name; the loader made the library's symbols global.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    assert!(!address.is_null(), "{name:?}");
    address
}

fn control(script: &str) -> c_int {
    let script = CString::new(script).unwrap();
    // SAFETY: the function has this signature.
    let function = unsafe {
        std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*const c_char) -> c_int>(
            symbol("uadk_sim_control"),
        )
    };
    // SAFETY: a NUL-terminated script.
    unsafe { function(script.as_ptr()) }
}

fn counts(capacity: usize) -> (c_int, String) {
    let mut json = vec![0u8; capacity];
    // SAFETY: the function has this signature.
    let function = unsafe {
        std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*mut c_char, usize) -> c_int>(
            symbol("uadk_sim_counts"),
        )
    };
    // SAFETY: the buffer has this length.
    let len = unsafe { function(json.as_mut_ptr().cast(), json.len()) };
    let end = json.iter().position(|byte| *byte == 0).unwrap_or(capacity);
    json.truncate(end);
    (len, String::from_utf8(json).unwrap())
}

fn child(test: &str, script: &str) -> std::process::Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env("UADK_SIM_SCRIPT", script)
        .output()
        .expect("starts")
}

#[test]
fn the_loader_identifies_it_as_2_10_and_it_works() {
    let libwd = load();
    assert_eq!(libwd.version().release, Release::From2_10);
    let path = libwd.path().expect("a mapped file").display().to_string();
    assert!(path.ends_with("libuadk_sim.so"), "{path}");
    let lib = Lib(*libwd.functions());
    assert_eq!(lib.init(), 0);
    let (compressor, decompressor) = (lib.compressor(), lib.decompressor());
    let data = data(8192);
    let packed = lib.compressed(compressor, &data);
    let mut back = vec![0; data.len()];
    let (code, _) = lib.call(decompressor, WD_DIR_DECOMPRESS, &packed, &mut back);
    assert_eq!((code, &back), (0, &data));

    assert_eq!(control("seed=7; busy=1/1"), 0);
    assert_eq!(lib.call(compressor, WD_DIR_COMPRESS, &data, &mut vec![0; 10_000]).0, -16);
    assert_eq!(control("no-faults"), 0);
    assert_eq!(control("no-faults; busy=often"), -1);
    lib.free(compressor);
    lib.free(decompressor);
    lib.uninit();
    let (len, json) = counts(10_000);
    assert_eq!(usize::try_from(len), Ok(json.len()));
    assert!(json.starts_with("{\"inits\":1,\"uninits\":1,\"sessions_allocated\":2,"), "{json}");
    assert!(json.contains("\"submitted\":2,\"busy\":1,\"completed\":2,"), "{json}");
    assert!(json.ends_with("}]}"), "{json}");
    assert_eq!(counts(20).0, -1);
}

/// Does nothing unless another test starts it.
#[test]
fn child_without_a_device() {
    if std::env::var_os(CHILD).is_some() {
        let lib = Lib(*load().functions());
        assert_eq!(lib.init(), EINVAL);
    }
}

#[test]
fn the_script_in_the_environment_is_run() {
    let output = child("child_without_a_device", "device=absent; seed=7");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_invalid_word_in_the_environment_aborts_and_is_named() {
    let output = child("child_without_a_device", "seed=7; divice=absent");
    assert_eq!(output.status.signal(), Some(libc::SIGABRT));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("divice=absent"), "{stderr}");
}
