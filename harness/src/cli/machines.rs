//! How many machines may run at once, whatever they are for.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The machines of a run that nobody uses.
pub struct Machines {
    free: Mutex<usize>,
    freed: Condvar,
}

/// One of them, until it is dropped.
pub struct Taken(Arc<Machines>);

impl Machines {
    /// So many may run at once.
    pub fn new(count: usize) -> Machines {
        Machines { free: Mutex::new(count), freed: Condvar::new() }
    }

    /// Takes one, if one is free.
    pub fn try_take(self: &Arc<Self>) -> Option<Taken> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Taken(Arc::clone(self)))
    }

    /// Takes one, and waits until one is free.
    pub fn take(self: &Arc<Self>) -> Taken {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Taken(Arc::clone(self))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_run_at_once_than_there_are() {
        let machines = Arc::new(Machines::new(2));
        let (one, _two) = (machines.try_take().unwrap(), machines.take());
        assert!(machines.try_take().is_none());
        let waiting = Arc::clone(&machines);
        let waiter = std::thread::spawn(move || drop(waiting.take()));
        drop(one);
        waiter.join().unwrap();
        assert!(machines.try_take().is_some());
    }
}
