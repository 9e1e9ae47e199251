//! Starting workers, on threads of their own or in a scope.

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

pub(super) type Task<'scope> = Box<dyn FnOnce() + Send + 'scope>;

/// Starts a thread, or fails as the system does.
pub(super) type Spawn<'scope> =
    Box<dyn Fn(Task<'scope>) -> io::Result<Handle<'scope>> + Send + Sync + 'scope>;

#[derive(Debug)]
pub(super) enum Handle<'scope> {
    Free(JoinHandle<()>),
    Scoped(ScopedJoinHandle<'scope, ()>),
}

impl Handle<'_> {
    pub(super) fn join(self) -> std::thread::Result<()> {
        match self {
            Self::Free(handle) => handle.join(),
            Self::Scoped(handle) => handle.join(),
        }
    }
}

pub(super) fn free(name: &'static str) -> Spawn<'static> {
    Box::new(move |task| Builder::new().name(name.to_owned()).spawn(task).map(Handle::Free))
}

pub(super) fn scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &'static str,
) -> Spawn<'scope> {
    Box::new(move |task| {
        Builder::new().name(name.to_owned()).spawn_scoped(scope, task).map(Handle::Scoped)
    })
}
