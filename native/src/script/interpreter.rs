//! An interpreter, from outside: a thread that is given jobs.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use switchboard_core::{ConnectionId, Hook};
use tokio::sync::oneshot;

use super::context;
use super::library::Written;
use super::thrown::Thrown;
use crate::callbacks::PeerData;
use crate::host::Host;
use crate::host::user_code::Pending;

/// The stack of the thread, which has to hold more than JavaScript's.
const THREAD_STACK: usize = 8 << 20;

/// What an interpreter's thread is given to do.
pub(super) enum Job {
    /// To load modules.
    Load(Box<Load>),
    /// To run what a route does when the server starts.
    Start { host: Arc<Host>, number: u32 },
    /// To run a function.
    Call(Box<Called>),
    /// The engine no longer waits for this call.
    Cancel(u32),
    /// The transport of a connection is gone.
    Gone(ConnectionId),
    /// The engine has removed a connection.
    Forget(ConnectionId),
    /// These functions are not called any more.
    Release(u32),
}

/// Modules to load.
pub(super) struct Load {
    /// They, by the names under which they are loaded.
    pub(super) modules: HashMap<String, Written>,
    /// What a specifier means in a module, by these names.
    pub(super) imports: HashMap<(String, String), String>,
    /// The files whose handlers are wanted: their paths and the names of their modules.
    pub(super) entries: Vec<(String, String)>,
    /// How long code may run without an await.
    pub(super) time: Duration,
    /// Gets the handlers of each entry, as JSON, or what went wrong with which entry.
    pub(super) loaded: mpsc::Sender<Result<Vec<String>, (String, Thrown)>>,
}

/// A function to run.
pub(super) struct Called {
    pub(super) host: Arc<Host>,
    pub(super) peer: Arc<PeerData>,
    /// The number of its handler.
    pub(super) number: u32,
    pub(super) hook: Hook,
    pub(super) pending: Pending,
    /// Ends when the engine no longer waits for the answer.
    pub(super) stopped: Option<oneshot::Receiver<()>>,
}

/// An interpreter. Its thread ends when this is dropped.
pub(super) struct Interpreter {
    jobs: mpsc::Sender<Job>,
}

impl Interpreter {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Arc<Self>> {
        let (jobs, given) = mpsc::channel();
        let interpreter = Arc::new(Self { jobs });
        let this = Arc::downgrade(&interpreter);
        thread::Builder::new()
            .name("switchboard-script".to_owned())
            .stack_size(THREAD_STACK)
            .spawn(move || context::run(this, &given))?;
        Ok(interpreter)
    }

    /// Gives it something to do. If the thread is gone, which it never should be, a call counts as panicked.
    pub(super) fn give(&self, job: Job) {
        let _ = self.jobs.send(job);
    }
}
