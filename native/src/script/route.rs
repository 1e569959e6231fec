//! The functions of one handler of a file.

use std::sync::Arc;

use switchboard_core::javascript::HookSet;
use switchboard_core::{ConnectionId, Hook};

use super::interpreter::{Called, Interpreter, Job};
use crate::callbacks::{Foreign, PeerData};
use crate::host::Host;
use crate::host::user_code::Pending;

/// The functions of one handler, by the number that the interpreter knows them under.
pub(super) struct Functions {
    pub(super) interpreter: Arc<Interpreter>,
    pub(super) number: u32,
    pub(super) set: HookSet,
}

impl Foreign for Functions {
    fn set(&self) -> &HookSet {
        &self.set
    }

    fn start(&self, host: &Arc<Host>) {
        self.interpreter.give(Job::Start { host: host.clone(), number: self.number });
    }

    fn run(&self, host: &Arc<Host>, peer: &Arc<PeerData>, hook: Hook, mut pending: Pending) {
        let (before, stopped) = pending.waits();
        let called =
            Called { host: host.clone(), peer: peer.clone(), number: self.number, hook, pending, stopped };
        let job = Job::Call(Box::new(called));
        match before {
            None => self.interpreter.give(job),
            Some(before) => {
                let interpreter = self.interpreter.clone();
                host.runtime().spawn(async move {
                    // It is done when its end is dropped.
                    let _ = before.await;
                    interpreter.give(job);
                });
            }
        }
    }

    fn gone(&self, id: ConnectionId) {
        self.interpreter.give(Job::Gone(id));
    }

    fn forget(&self, id: ConnectionId) {
        self.interpreter.give(Job::Forget(id));
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.interpreter.give(Job::Release(self.number));
    }
}
