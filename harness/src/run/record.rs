//! Where a run's events go, and whether it was interrupted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::Event;
use crate::image::Progress;

use super::{Error, Result};

/// Hands events to whoever reports, and knows when to stop.
pub struct Recorder {
    sink: Box<dyn Fn(Event) + Send + Sync>,
    interrupted: AtomicBool,
}

impl Recorder {
    /// Events go to `sink`, from any thread.
    pub fn new(sink: impl Fn(Event) + Send + Sync + 'static) -> Recorder {
        Recorder { sink: Box::new(sink), interrupted: AtomicBool::new(false) }
    }

    /// Tells reporters something.
    pub fn emit(&self, event: Event) {
        (self.sink)(event);
    }

    /// Asks everything that runs to end.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether everything shall end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The error, or that the run was interrupted: what fails then may fail for that.
    pub fn unless_interrupted(&self, error: Error) -> Error {
        if self.is_interrupted() { Error::Interrupted } else { error }
    }

    /// Does some work unless the run is interrupted; the work is dropped then, and with it its machines.
    pub async fn until_interrupted<T>(&self, work: impl Future<Output = Result<T>>) -> Result<Result<T>> {
        let interrupted = async {
            while !self.is_interrupted() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            done = work => Ok(done),
            () = interrupted => Err(Error::Interrupted),
        }
    }

    /// A listener for the progress of a long piece of work.
    pub fn task(&self, name: &str) -> Task<'_> {
        Task { recorder: self, name: name.to_owned() }
    }
}

/// Turns progress into events.
pub struct Task<'a> {
    recorder: &'a Recorder,
    name: String,
}

impl Progress for Task<'_> {
    fn phase(&self, text: &str) {
        self.recorder.emit(Event::Progress { task: self.name.clone(), message: text.to_owned() });
    }

    fn waiting(&self, text: &str) {
        self.phase(text);
    }

    fn notice(&self, text: &str) {
        self.phase(text);
    }
}
