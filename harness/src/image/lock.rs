//! The locks of the cache: files by name, which stay when they are let go.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::{Error, Progress, Result, command};

/// Takes the lock of a name in a folder and leaves in the lock file who has it since when, for others that wait.
pub(super) fn take(folder: &Path, name: &str, progress: &dyn Progress) -> Result<File> {
    let path = folder.join(name);
    let mut lock = open(&path)?;
    let mut is_said = false;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            // A signal would not end a wait in the kernel.
            Err(fs::TryLockError::WouldBlock) => command::go_on()?,
            Err(fs::TryLockError::Error(source)) => return Err(Error::io("lock", &path)(source)),
        }
        if !is_said {
            let holder = fs::read_to_string(&path).map_err(Error::io("read the lock", &path))?;
            progress.waiting(&format!("waiting: another process is building {name} ({})", holder.trim_end()));
            is_said = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let holder = format!(
        "process {}, since {}\n",
        std::process::id(),
        jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default()
    );
    lock.set_len(0).and_then(|()| lock.write_all(holder.as_bytes())).map_err(Error::io("write the lock", &path))?;
    Ok(lock)
}

/// Opens a lock file.
pub(super) fn open(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).open(path).map_err(Error::io("open the lock", path))
}
