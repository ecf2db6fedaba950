//! `harness bake`

use crate::run::Result;
use crate::scenario::Hardware;

use super::Exit;
use super::arguments::BakeArguments;
use super::session;

/// Prepares templates and says what it took.
pub fn bake(arguments: &BakeArguments) -> Result<Exit> {
    let hosts = session::open(session::project(&arguments.system)?, session::say_progress)?;
    let host = arguments.host.clone().unwrap_or_else(|| session::default_host(hosts.project()));
    let prepared = hosts.prepare(&host, Hardware::default())?;
    let template = prepared.template()?;
    anstream::println!("{} {:?}", template.entry.path().display(), template.figures);
    Ok(Exit::Passed)
}
