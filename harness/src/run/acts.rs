//! What a scenario does to its guest, as commands.

use crate::guest::{self, Account, Command, act};
use crate::image::test_image;
use crate::scenario::{self, ActKind, Scope};

use super::Result;

/// How the recording calls an action.
///
/// # Errors
///
/// An image whose name stands for no place in the guest's registry.
pub fn recorded_as(what: &ActKind) -> Result<String> {
    Ok(match (command(what)?, what) {
        (Some(command), _) => command.shown,
        (None, ActKind::Activate { generation, .. }) => guest::activation(generation),
        (None, ActKind::Reboot) => "systemctl reboot".to_owned(),
        (None, _) => "the power is cut and comes back".to_owned(),
    })
}

/// A scenario's action as a command of the guest. None for what the machine under the guest does, and for a switch of the
/// generation, which depends on the one that is there.
pub(super) fn command(what: &ActKind) -> Result<Option<Command>> {
    Ok(Some(match what {
        ActKind::Systemctl { verb, units } => {
            let names: Vec<_> = units.iter().map(|unit| unit.name.as_str()).collect();
            let user = units.first().is_none_or(|unit| unit.scope == Scope::User);
            act::systemctl(verb.name(), &names, user)
        }
        ActKind::Run { command, user, limit } => act::run(command, account(*user), *limit),
        ActKind::Remove { paths } => act::remove(paths),
        ActKind::Restore { paths } => act::restore(paths),
        ActKind::Chmod { paths, mode } => act::chmod(paths, *mode),
        ActKind::Chown { paths, owner } => act::chown(paths, owner),
        ActKind::Write { path, content } => act::write(path, content),
        ActKind::Knob { services, files, knob } => act::knob(services, files, knob.as_deref()),
        ActKind::Alerts(mode) => act::alerts(mode.name()),
        ActKind::Push { images, version, broken } => push(images, version, *broken)?,
        ActKind::Wait(time) => act::wait(*time),
        ActKind::Reboot | ActKind::PowerCut | ActKind::Activate { .. } => return Ok(None),
    }))
}

/// The command that puts another version of images into the guest's registry.
fn push(images: &[String], version: &str, broken: bool) -> Result<Command> {
    let places = images.iter().map(|name| test_image::place(name)).collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(act::push(&places, version, broken))
}

fn account(account: scenario::Account) -> Account {
    match account {
        scenario::Account::Root => Account::Root,
        scenario::Account::User => Account::User,
    }
}
