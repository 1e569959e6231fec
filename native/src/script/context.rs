//! What an interpreter's thread does: QuickJS with limits on memory, stack and time.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rquickjs::promise::PromiseState;
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Function, Module, Object, Persistent, Promise, Runtime, Value,
};
use switchboard_core::javascript::Call;
use switchboard_core::{Answer, ConnectionId, HookKind, Level, Message};
use tokio::sync::oneshot;

use super::desk::Desk;
use super::interpreter::{Called, Interpreter, Job, Load};
use super::library::Library;
use super::thrown::{Thrown, shorten, without_version};
use super::{connection, globals};
use crate::host::Host;
use crate::host::after_turn::{log, log_stack};

/// How much memory the files of one interpreter may use, in bytes.
const MEMORY: usize = 64 << 20;

/// How much stack JavaScript may use, in bytes.
const STACK: usize = 1 << 20;

/// How long code may run without an await.
pub(super) const TIME: Duration = Duration::from_secs(1);

/// How long a module may take to load, its top-level awaits included.
const LOADING: Duration = Duration::from_secs(10);

/// What `run` of `runtime/host.js` gives back: the function is awaited, or it is done and has nothing to say.
const AWAITED: u32 = 1;
const DONE: u32 = 2;

/// A promise that was rejected, and why, until it is known whether somebody takes that.
type Rejections = Rc<RefCell<Vec<(Persistent<Value<'static>>, Persistent<Value<'static>>)>>>;

/// The thread's work.
pub(super) fn run(interpreter: Weak<Interpreter>, jobs: &mpsc::Receiver<Job>) {
    let started =
        Runtime::new().and_then(|runtime| Context::full(&runtime).map(|context| (runtime, context)));
    let (runtime, context) = match started {
        Ok(started) => started,
        Err(error) => return log(Level::Error, &format!("the interpreter does not start: {error}")),
    };
    let desk = Rc::new(Desk::new());
    let library = Library::default();
    let rejections = Rejections::default();
    runtime.set_memory_limit(MEMORY);
    runtime.set_max_stack_size(STACK);
    runtime.set_loader(library.clone(), library.clone());
    let asked = desk.clone();
    runtime.set_interrupt_handler(Some(Box::new(move || asked.interrupts())));
    let told = rejections.clone();
    runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, is_handled| {
        let mut told = told.borrow_mut();
        if is_handled {
            told.retain(|(known, _)| known.clone().restore(&ctx).is_ok_and(|known| known != promise));
        } else {
            told.push((Persistent::save(&ctx, promise), Persistent::save(&ctx, reason)));
        }
    })));
    context.with(|ctx| {
        let worker = Worker::start(&ctx, interpreter, desk.clone(), library.clone(), rejections.clone());
        match worker.catch(&ctx) {
            Ok(worker) => worker.work(jobs),
            Err(error) => log(Level::Error, &format!("the interpreter does not start: {error}")),
        }
    });
    // They belong to the runtime, which ends now.
    rejections.borrow_mut().clear();
}

/// The interpreter inside its thread.
struct Worker<'js> {
    ctx: Ctx<'js>,
    interpreter: Weak<Interpreter>,
    desk: Rc<Desk>,
    library: Library,
    rejections: Rejections,
    /// How long code may run without an await.
    time: Duration,
    functions: Functions<'js>,
}

/// The functions of `runtime/host.js`.
struct Functions<'js> {
    run: Function<'js>,
    message: Function<'js>,
    gone: Function<'js>,
    forget: Function<'js>,
    take: Function<'js>,
    start: Function<'js>,
    fire: Function<'js>,
    cancel: Function<'js>,
    release: Function<'js>,
    awaited: Function<'js>,
    stack_of: Function<'js>,
    text_of: Function<'js>,
}

impl<'js> Functions<'js> {
    fn of(host: &Object<'js>) -> rquickjs::Result<Self> {
        Ok(Self {
            run: host.get("run")?,
            message: host.get("message")?,
            gone: host.get("gone")?,
            forget: host.get("forget")?,
            take: host.get("take")?,
            start: host.get("start")?,
            fire: host.get("fire")?,
            cancel: host.get("cancel")?,
            release: host.get("release")?,
            awaited: host.get("awaited")?,
            stack_of: host.get("stackOf")?,
            text_of: host.get("textOf")?,
        })
    }
}

impl<'js> Worker<'js> {
    fn start(
        ctx: &Ctx<'js>,
        interpreter: Weak<Interpreter>,
        desk: Rc<Desk>,
        library: Library,
        rejections: Rejections,
    ) -> rquickjs::Result<Self> {
        let native = Object::new(ctx.clone())?;
        connection::add(ctx, &native, &desk)?;
        globals::add(ctx, &native, &desk)?;
        let slot: Rc<RefCell<Option<Persistent<Object<'static>>>>> = Rc::default();
        let ready = slot.clone();
        native.set(
            "ready",
            Function::new(ctx.clone(), move |ctx: Ctx<'js>, host: Object<'js>| {
                *ready.borrow_mut() = Some(Persistent::save(&ctx, host));
            })?,
        )?;
        ctx.globals().set("__switchboard", native)?;
        Module::import(ctx, globals::ENTRY)?.finish::<()>()?;
        let host = slot.take().ok_or(rquickjs::Error::Unknown)?.restore(ctx)?;
        let functions = Functions::of(&host)?;
        Ok(Self { ctx: ctx.clone(), interpreter, desk, library, rejections, time: TIME, functions })
    }

    /// Does what it is given, and what timers and promises bring, until nobody can give it anything any more.
    fn work(mut self, jobs: &mpsc::Receiver<Job>) {
        // Promises that could not all go on in the time for one stretch.
        let mut is_behind = false;
        loop {
            let job = match jobs.try_recv() {
                Ok(job) => Some(job),
                Err(mpsc::TryRecvError::Disconnected) => return,
                Err(mpsc::TryRecvError::Empty) if is_behind => None,
                Err(mpsc::TryRecvError::Empty) => {
                    self.desk.flush();
                    match self.wait(jobs) {
                        Ok(job) => job,
                        Err(mpsc::RecvError) => return,
                    }
                }
            };
            self.desk.flush_soon();
            if let Some(job) = job {
                self.carry_out(job);
            }
            is_behind = self.settle();
        }
    }

    /// Waits for a job, or until the next timer is due.
    fn wait(&self, jobs: &mpsc::Receiver<Job>) -> Result<Option<Job>, mpsc::RecvError> {
        let Some(alarm) = self.desk.alarm.get() else { return jobs.recv().map(Some) };
        match jobs.recv_timeout(alarm.saturating_duration_since(Instant::now())) {
            Ok(job) => Ok(Some(job)),
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(mpsc::RecvError),
        }
    }

    /// Lets timers and promises go on. True: promises are left.
    fn settle(&self) -> bool {
        let is_behind = self.promises();
        if self.desk.alarm.get().is_some_and(|alarm| Instant::now() >= alarm) {
            let fired = self.guarded(|| self.functions.fire.call::<_, bool>(()));
            if let Err(thrown) = fired {
                report("a timer", &thrown);
            }
            return self.promises() || is_behind;
        }
        is_behind
    }

    /// Lets promises go on, for the time of one stretch at most. True: some are left.
    fn promises(&self) -> bool {
        self.desk.arm(self.time);
        let mut is_behind = false;
        while self.ctx.execute_pending_job() {
            if self.desk.is_late() {
                is_behind = true;
                break;
            }
        }
        if self.desk.disarm() {
            log(Level::Error, &format!("a function was stopped: {}", self.too_long()));
        }
        let rejections = std::mem::take(&mut *self.rejections.borrow_mut());
        for (_, reason) in rejections {
            if let Ok(reason) = reason.restore(&self.ctx) {
                report("a promise that nobody awaits", &self.thrown(reason));
            }
        }
        is_behind
    }

    fn carry_out(&mut self, job: Job) {
        let done = match job {
            Job::Load(load) => return self.load(*load),
            Job::Call(called) => return self.call(*called),
            Job::Start { host, number } => {
                self.desk.set_host(&host);
                self.guarded(|| self.functions.start.call::<_, ()>((number,)))
            }
            Job::Cancel(call) if self.desk.give_up(call) => {
                self.guarded(|| self.functions.cancel.call::<_, ()>((call,)))
            }
            Job::Cancel(_) => Ok(()),
            Job::Gone(id) => self.tell(&self.functions.gone, id),
            Job::Forget(id) => self.tell(&self.functions.forget, id),
            Job::Release(number) => self.guarded(|| self.functions.release.call::<_, ()>((number,))),
        };
        if let Err(thrown) = done {
            report("a function", &thrown);
        }
    }

    fn tell(&self, function: &Function<'js>, id: ConnectionId) -> Result<(), Thrown> {
        let bits = id.to_bits();
        self.guarded(|| function.call::<_, ()>((bits as u32, (bits >> 32) as u32)))
    }

    /// Runs a function of a handler. Its answer comes from JavaScript, unless it is stopped.
    fn call(&self, called: Called) {
        let Called { host, peer, number, hook, pending, stopped } = called;
        // A new spawned task, and a write to a socket, need the runtime.
        let _runtime = host.runtime().enter();
        self.desk.set_host(&host);
        self.desk.set_route(number, peer.route());
        let bits = peer.id().to_bits();
        let call = self.desk.keep(pending);
        self.desk.set_peer(Some(peer));
        let Call { hook, payload, about, code, detail } = Call::from(hook);
        let has_more = about.is_some() || (code, detail) != (0, 0);
        let ran = self.guarded(|| {
            let payload = self.payload(payload)?;
            let (slot, generation) = (bits as u32, (bits >> 32) as u32);
            if hook == HookKind::Message as u32 {
                return self.functions.message.call((call, number, slot, generation, payload));
            }
            let mut arguments = rquickjs::function::Args::new(self.ctx.clone(), if has_more { 9 } else { 6 });
            arguments.push_args([call, hook, number, slot, generation])?;
            arguments.push_arg(payload)?;
            if has_more {
                arguments.push_arg(about)?;
                arguments.push_args([code, detail])?;
            }
            self.functions.run.call_arg::<u32>(arguments)
        });
        self.desk.set_peer(None);
        match ran {
            Ok(DONE) => self.desk.answer(call, Answer::Done),
            Ok(AWAITED) => {
                self.desk.put_by();
                self.watch(&host, call, stopped);
            }
            Ok(_) => {}
            Err(thrown) => self.desk.answer(call, connection::failed(thrown.message, thrown.stack)),
        }
    }

    /// Learns when the engine no longer waits for a call that is awaited.
    fn watch(&self, host: &Arc<Host>, call: u32, stopped: Option<oneshot::Receiver<()>>) {
        let (Some(stopped), Some(interpreter)) = (stopped, self.interpreter.upgrade()) else { return };
        if !self.desk.is_kept(call) {
            return;
        }
        host.runtime().spawn(async move {
            // Also when it was answered.
            let _ = stopped.await;
            interpreter.give(Job::Cancel(call));
        });
    }

    fn payload(&self, payload: Option<Message>) -> rquickjs::Result<Value<'js>> {
        match payload {
            None => Ok(Value::new_undefined(self.ctx.clone())),
            Some(Message::Text(text)) => {
                rquickjs::String::from_str(self.ctx.clone(), text.as_str()).map(rquickjs::String::into_value)
            }
            Some(Message::Binary(bytes)) => rquickjs::ArrayBuffer::new_copy(self.ctx.clone(), &bytes)
                .map(rquickjs::ArrayBuffer::into_value),
        }
    }

    fn load(&mut self, load: Load) {
        let Load { modules, imports, entries, time, loaded } = load;
        // What a call may take is too little for modules.
        self.time = TIME;
        self.library.add(modules, imports);
        let mut handlers = Vec::with_capacity(entries.len());
        let mut result = Ok(());
        for (path, name) in entries {
            match self.load_one(&path, &name) {
                Ok(json) => handlers.push(json),
                Err(thrown) => {
                    result = Err((path, thrown));
                    break;
                }
            }
        }
        self.time = time;
        // Whoever asked may have given up.
        let _ = loaded.send(result.map(|()| handlers));
    }

    fn load_one(&self, path: &str, name: &str) -> Result<String, Thrown> {
        let promise = self.guarded(|| {
            let promise = Module::import(&self.ctx, name)?;
            self.functions.awaited.call::<_, ()>((promise.clone(),))?;
            Ok(promise)
        })?;
        let module: Object<'js> = self.finish(&promise)?;
        self.guarded(|| self.functions.take.call((path, module)))
    }

    /// Waits for a module. It may await timers.
    fn finish(&self, promise: &Promise<'js>) -> Result<Object<'js>, Thrown> {
        let last = Instant::now() + LOADING;
        while promise.state() == PromiseState::Pending {
            let is_behind = self.settle();
            if promise.state() != PromiseState::Pending {
                break;
            }
            let now = Instant::now();
            let wait = self.desk.alarm.get().map_or(last, |alarm| alarm.min(last));
            if now >= last || (!is_behind && self.desk.alarm.get().is_none()) {
                let message = "its top level awaits something that does not come".to_owned();
                return Err(Thrown { message, stack: None });
            }
            if !is_behind {
                thread::sleep(wait.saturating_duration_since(now));
            }
        }
        self.guarded(|| promise.result::<Object<'js>>().unwrap_or(Err(rquickjs::Error::Unknown)))
    }

    /// Runs code for its time at most.
    fn guarded<T>(&self, code: impl FnOnce() -> rquickjs::Result<T>) -> Result<T, Thrown> {
        self.desk.arm(self.time);
        let result = code().catch(&self.ctx);
        let is_interrupted = self.desk.disarm();
        result.map_err(|error| {
            let mut thrown = match error {
                CaughtError::Exception(exception) => self.thrown(exception.into_value()),
                CaughtError::Value(value) => self.thrown(value),
                CaughtError::Error(error) => Thrown { message: error.to_string(), stack: None },
            };
            if is_interrupted {
                thrown.message = self.too_long();
            }
            thrown
        })
    }

    fn too_long(&self) -> String {
        format!("it ran for {} ms without an await", self.time.as_millis())
    }

    /// What was thrown, which may be any value.
    fn thrown(&self, value: Value<'js>) -> Thrown {
        let stack = value.as_exception().and_then(|exception| exception.stack());
        let stack = match self.functions.stack_of.call::<_, Option<String>>((value.clone(),)) {
            Ok(stack) => stack,
            Err(_) => stack.map(|stack| shorten(&stack)).filter(|stack| !stack.is_empty()),
        };
        let message = self.functions.text_of.call::<_, String>((value,));
        let message = message.unwrap_or_else(|_| "something that has no text was thrown".to_owned());
        // A promise was rejected by what was stopped.
        let message = if message == "interrupted" { self.too_long() } else { without_version(&message) };
        Thrown { message, stack }
    }
}

/// Logs what nothing else takes.
fn report(what: &str, thrown: &Thrown) {
    let line = format!("{what} failed: {}", thrown.message);
    match &thrown.stack {
        Some(stack) => log_stack(Level::Error, &line, stack),
        None => log(Level::Error, &line),
    }
}
