//! `harness bake`

use std::sync::Arc;
use std::thread;

use crate::run::{Error, Prepared, Result};
use crate::scenario::Hardware;

use super::Exit;
use super::arguments::BakeArguments;
use super::print::print;
use super::session;

/// Prepares templates and says what it took. Several hosts are prepared beside each other.
pub fn bake(arguments: &BakeArguments) -> Result<Exit> {
    let hosts = session::open(session::project(&arguments.system)?, session::say_progress)?;
    let names = match &arguments.host {
        Some(host) => vec![host.clone()],
        None => hosts.project().hosts()?,
    };
    let prepared: Vec<Result<Arc<Prepared>>> = thread::scope(|scope| {
        let prepare = |host| hosts.prepare(host, Hardware::default());
        let threads: Vec<_> = names.iter().map(|host| scope.spawn(move || prepare(host))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    });
    for prepared in prepared {
        let prepared = prepared.map_err(|error| hosts.recorder().unless_interrupted(error))?;
        let template = prepared.template()?;
        let figures = template.figures;
        print(&format!(
            "{}  {}: booted in {:.0} s, settled after {:.0} s more ({:.0} s of guest time in all)\n",
            template.entry.path().display(),
            prepared.generation.manifest.host,
            figures.boot_seconds,
            figures.settle_seconds,
            figures.guest_seconds
        ))?;
    }
    Ok(Exit::Passed)
}

fn panicked() -> Error {
    Error::Shared("a host's preparation panicked: its message is above".to_owned())
}
