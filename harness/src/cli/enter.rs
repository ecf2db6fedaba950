//! `harness enter`

use std::fs;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::generation::{self, Fault};
use crate::guest::{Guest, Session};
use crate::machine::{Machine, Spec};
use crate::run::{Error, Folder, Hosts, Prepared, Result, TrialRun, runtime};
use crate::scenario::{Scenario, Section, Source, Time, Trial};

use super::arguments::EnterArguments;
use super::judge::fault_in;
use super::output::Output;
use super::{Exit, lint, session};

/// What is to be entered.
struct Wanted {
    host: String,
    scenario: Scenario,
    fault: Option<Fault>,
    /// The folder of the machine that a run has kept.
    kept: Option<PathBuf>,
}

/// Opens a root shell in a machine, which ends with it.
pub fn enter(arguments: &EnterArguments) -> Result<Exit> {
    let hosts = session::open(session::say_progress)?;
    let wanted = wanted(&hosts, arguments)?;
    // A machine that was kept brings its own memory along and needs no template.
    let prepared = match wanted.kept {
        Some(_) => None,
        None => Some(hosts.prepare(&wanted.host, wanted.scenario.time)?),
    };
    let work = async {
        let (guest, _folder) = match (&wanted.kept, &prepared) {
            (Some(kept), _) => reenter(&hosts, &wanted.host, kept).await?,
            (None, Some(prepared)) => clone(&hosts, &wanted, prepared).await?,
            (None, None) => return Err(Error::Usage("there is no machine to enter".to_owned())),
        };
        let mut shell = Session::new(guest);
        let status = if std::io::stdin().is_terminal() {
            converse(&mut shell, &wanted.host).await?
        } else {
            run_script(&mut shell).await?
        };
        shell.end().await?;
        Ok(status)
    };
    let status = runtime()?.block_on(hosts.recorder().until_interrupted(work))??;
    Ok(Exit::Guest(status))
}
