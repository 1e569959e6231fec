//! Files that are appended to, each by a task of its own.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use switchboard_core::Input;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::host::Host;

/// How many orders are carried out together at most.
const TOGETHER: usize = 1024;

/// How long the task of a file stays when nothing comes.
const IDLE: Duration = Duration::from_secs(30);

/// What the task of a file is to do.
enum Order {
    Append(Bytes),
    /// Everything before it is written.
    Tell(oneshot::Sender<()>),
}

/// The queues of the files. How much waits in them is bounded by the engine, which is told what was written.
#[derive(Default)]
pub(crate) struct Appender {
    queues: HashMap<Arc<str>, mpsc::UnboundedSender<Order>>,
}

/// A task to start for a file that has none.
pub(crate) struct Appending {
    file: Arc<str>,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Appender {
    /// Appends to a file, behind what was to be appended before. Called in the engine's order, under the host's lock.
    pub(crate) fn append(&mut self, file: Arc<str>, bytes: Bytes) -> Option<Appending> {
        let order = match self.queues.get(&file) {
            Some(queue) => queue.send(Order::Append(bytes)).err()?.0,
            None => Order::Append(bytes),
        };
        self.queues.retain(|_, queue| !queue.is_closed());
        let (queue, orders) = mpsc::unbounded_channel();
        // Its receiver is right here.
        let _ = queue.send(order);
        self.queues.insert(file.clone(), queue);
        Some(Appending { file, orders })
    }

    /// Tells when what waits now is written, of one file or of all.
    pub(crate) fn written(&self, file: Option<&str>) -> Vec<oneshot::Receiver<()>> {
        let queues = self.queues.iter().filter(|(name, _)| file.is_none_or(|file| file == &***name));
        let tell = |(_, queue): (_, &mpsc::UnboundedSender<Order>)| {
            let (sender, receiver) = oneshot::channel();
            // A task that has ended has nothing left to write: then its receiver fails, which says the same.
            let _ = queue.send(Order::Tell(sender));
            receiver
        };
        queues.map(tell).collect()
    }
}

impl Appending {
    /// Starts the task, which ends with the host or when nothing has come for a while.
    pub(crate) fn start(self, runtime: &Handle, host: Weak<Host>) {
        runtime.spawn(run(self.file, self.orders, host));
    }
}

async fn run(file: Arc<str>, mut orders: mpsc::UnboundedReceiver<Order>, host: Weak<Host>) {
    let mut is_first = true;
    let mut together = Vec::new();
    loop {
        match tokio::time::timeout(IDLE, orders.recv_many(&mut together, TOGETHER)).await {
            Ok(0) => return,
            Ok(_) => {}
            // What is sent from here on starts another task.
            Err(_) => {
                orders.close();
                continue;
            }
        }
        let mut bytes = Vec::new();
        let mut told = Vec::new();
        for order in together.drain(..) {
            match order {
                Order::Append(more) => bytes.extend_from_slice(&more),
                Order::Tell(sender) => told.push(sender),
            }
        }
        if !bytes.is_empty() {
            let count = bytes.len();
            let (path, begins) = (file.clone(), std::mem::take(&mut is_first));
            let written =
                tokio::task::spawn_blocking(move || append(Path::new(&*path), &bytes, begins)).await;
            let result = match written {
                Ok(written) => written.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Some(host) = host.upgrade() {
                host.turn(|turn| turn.input(Input::Appended { file: file.clone(), bytes: count, result }));
            }
        }
        for sender in told {
            // Nobody may wait any more.
            let _ = sender.send(());
        }
    }
}

/// The file is opened each time, so that it can be moved away meanwhile. `begins`: it may end in the middle of a line.
fn append(path: &Path, bytes: &[u8], begins: bool) -> io::Result<()> {
    let open = || OpenOptions::new().append(true).read(true).create(true).open(path);
    let mut file = match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            open()?
        }
        (opened, _) => opened?,
    };
    if begins && file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    file.write_all(bytes)
}
