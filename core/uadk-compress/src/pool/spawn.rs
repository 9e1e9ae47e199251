//! Starting workers, unscoped or in a scope.

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

pub(super) type Task<'scope> = Box<dyn FnOnce() + Send + 'scope>;

/// Starts a thread, or returns the system's error.
pub(super) type Spawn<'scope> =
    Box<dyn Fn(Task<'scope>) -> io::Result<Handle<'scope>> + Send + Sync + 'scope>;

#[derive(Debug)]
pub(super) enum Handle<'scope> {
    Unscoped(JoinHandle<()>),
    Scoped(ScopedJoinHandle<'scope, ()>),
}

impl Handle<'_> {
    pub(super) fn join(self) -> std::thread::Result<()> {
        match self {
            Self::Unscoped(handle) => handle.join(),
            Self::Scoped(handle) => handle.join(),
        }
    }
}

pub(super) fn unscoped(name: &'static str) -> Spawn<'static> {
    Box::new(move |task| Builder::new().name(name.to_owned()).spawn(task).map(Handle::Unscoped))
}

pub(super) fn scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &'static str,
) -> Spawn<'scope> {
    Box::new(move |task| {
        Builder::new().name(name.to_owned()).spawn_scoped(scope, task).map(Handle::Scoped)
    })
}
