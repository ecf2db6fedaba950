//! `harness bake`

use std::sync::Arc;
use std::thread;

use crate::run::{Error, Hosts, Prepared, Result};
use crate::scenario::Hardware;

use super::Exit;
use super::arguments::BakeArguments;
use super::session;

/// Prepares templates and says what it took. Several hosts are prepared beside each other.
pub fn bake(arguments: &BakeArguments) -> Result<Exit> {
    let hosts = session::open(session::project(&arguments.system)?, session::say_progress)?;
    let names = match (&arguments.host, hosts.project().foreign()) {
        (Some(host), _) => vec![host.clone()],
        (None, Some(foreign)) => vec![foreign.host().to_owned()],
        (None, None) => hosts.project().hosts()?,
    };
    let prepared: Vec<Result<Arc<Prepared>>> = thread::scope(|scope| {
        let threads: Vec<_> = names.iter().map(|host| scope.spawn(|| prepare(&hosts, host))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    });
    for prepared in prepared {
        let prepared = prepared?;
        let template = prepared.template()?;
        let figures = template.figures;
        anstream::println!(
            "{}  {}: booted in {:.0} s, settled after {:.0} s more ({:.0} s of guest time in all)",
            template.entry.path().display(),
            prepared.generation.manifest.host,
            figures.boot_seconds,
            figures.settle_seconds,
            figures.guest_seconds
        );
    }
    Ok(Exit::Passed)
}

fn prepare(hosts: &Hosts, host: &str) -> Result<Arc<Prepared>> {
    hosts.prepare(host, Hardware::default())
}

fn panicked() -> Error {
    Error::Shared("a host's preparation panicked: its message is above".to_owned())
}
