//! Pictures of a guest's state, and the barrier that makes sure that everything before it has arrived.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::timeline::{
    Entry, Moment, Picture, Record, Traces, UnitState, parse_containers, parse_exec_trace, parse_files, parse_remains,
    parse_sockets, parse_unit_list, parse_units,
};

use super::action::quote;
use super::picture_script::{SEPARATOR, SYSTEM_FOLDER, barrier_script, script, units_script, user_folder};
use super::{Error, Guest, Result};

/// What a picture shall show beside units and containers.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The files to look at, by absolute path.
    pub files: Vec<String>,
    /// The containers whose environments are wanted, by name: looking into a container costs far more than listing it.
    pub environments: Vec<String>,
    /// The folders of the stacks, by absolute path: what is in them must not change unasked.
    pub folders: Vec<String>,
    /// The units of the system's manager whose properties are wanted beside their state and invocation.
    pub system_units: Vec<String>,
    /// The same for the user's manager.
    pub user_units: Vec<String>,
}

/// A picture with everything that happened up to it.
#[derive(Debug)]
pub struct Looked {
    /// The programs that were started since the last picture.
    pub started: Vec<Entry>,
    /// The records of the journal since the last were taken, the barrier's own being the last.
    pub records: Vec<Record>,
    /// When the picture was taken.
    pub at: Moment,
    /// The picture.
    pub picture: Picture,
    /// When the barrier's record was written.
    pub barrier: Moment,
}

/// How long a picture may take, in guest time.
const LIMIT: Duration = Duration::from_secs(120);
/// How often the guest is given a moment more to hand over the barrier's record.
const PATIENCE: u32 = 50;

impl Guest {
    /// Takes a picture and sets a barrier: what happened before this call is in the answer, completely.
    pub async fn look(&mut self, wanted: &Wanted) -> Result<Looked> {
        let nonce = self.nonce();
        let script = script(wanted, &nonce, self.user());
        let answer = self.must(&script, LIMIT).await?;
        let boot = answer.from.boot;
        let sections = Sections::read(&answer.stdout)?;
        let records = self.records_up_to(&nonce).await?;
        let Some(barrier) = records.last().map(|record| record.at) else {
            return Err(Error::Nonsense { what: "journal", problem: "the barrier is missing".to_owned() });
        };
        let mut units = units_of("system", SYSTEM_FOLDER, &sections)?;
        units.extend(units_of("user", &user_folder(self.user().uid), &sections)?);
        let picture = Picture {
            units,
            containers: parse_containers(sections.get("containers")?, sections.get("environments")?)
                .map_err(nonsense)?,
            files: parse_files(sections.get("files")?).map_err(nonsense)?,
            sockets: parse_sockets(sections.get("sockets")?).map_err(nonsense)?,
            remains: parse_remains(traces(&sections)?).map_err(nonsense)?,
        };
        let started = parse_exec_trace(sections.get("trace")?, boot).map_err(nonsense)?;
        Ok(Looked { started, records, at: answer.from, picture, barrier })
    }

    /// Lets guest time pass and gives the records that have arrived and the time it then is; the guest does nothing
    /// of ours meanwhile.
    pub async fn pass(&mut self, time: Duration) -> Result<(Vec<Record>, Moment)> {
        let limit = time + Duration::from_secs(60);
        let answer = self.must(&format!("sleep {}", time.as_secs_f64()), limit).await?;
        Ok((self.follower().take()?, answer.to))
    }

    /// The picture of a clone that nothing has touched: that of its template, but for the properties of the units that are
    /// wanted. What is in files and containers is not in it: lines ask for that at the ends of steps only. Nothing has
    /// happened before it, so that its moment is its barrier, too.
    pub async fn look_on(&mut self, template: &Picture, wanted: &Wanted) -> Result<Looked> {
        let answer = self.must(&units_script(wanted, self.user()), LIMIT).await?;
        let sections = Sections::read(&answer.stdout)?;
        let mut units = shown("system", &sections)?;
        units.extend(shown("user", &sections)?);
        let units = with_others(units, &template.units);
        let picture = Picture { units, ..template.clone() };
        Ok(Looked { started: Vec::new(), records: Vec::new(), at: answer.from, picture, barrier: answer.from })
    }

    /// Has the guest write a record into its journal and waits until it has come over the stream, with every record
    /// before it.
    pub async fn barrier(&mut self) -> Result<Vec<Record>> {
        let nonce = self.nonce();
        self.must(&barrier_script(&nonce), LIMIT).await?;
        self.records_up_to(&nonce).await
    }

    /// Has the journal of the boot before this one to its end, from the disk: the stream was cut off before. Everything
    /// that follows in it until the next boot has then arrived.
    pub(super) async fn fetch_end_of_last_boot(&mut self) -> Result<()> {
        let records = self.barrier().await?;
        self.follower().put_back(records);
        let Some((boot, cursor)) = self.follower().last_boot() else {
            return Err(Error::Nonsense {
                what: "journal",
                problem: "nothing of the boot before the restart has come over the stream".to_owned(),
            });
        };
        let script = format!("journalctl --quiet --all --output=json --boot={boot} --after-cursor={}", quote(cursor));
        let lines = self.must(&script, LIMIT).await?.stdout;
        self.follower().add_to_last_boot(&lines)
    }

    fn nonce(&mut self) -> String {
        format!("{}-{}", std::process::id(), self.next_barrier())
    }

    /// What the guest's clock shows.
    pub async fn now(&mut self) -> Result<Moment> {
        Ok(self.must(":", LIMIT).await?.to)
    }

    async fn records_up_to(&mut self, nonce: &str) -> Result<Vec<Record>> {
        let is_barrier = |record: &Record| record.field("HARNESS_BARRIER") == Some(nonce);
        for _ in 0..PATIENCE {
            // What the guest has written is on its way through QEMU although guest time stands still. What comes behind
            // the barrier stays with the follower.
            let arriving = tokio::time::timeout(Duration::from_millis(200), self.follower().take_until(is_barrier));
            if let Ok(arrived) = arriving.await {
                return arrived;
            }
            self.must("sleep 0.2", LIMIT).await?;
        }
        Err(Error::Nonsense {
            what: "journal",
            problem: "the barrier's record did not arrive; harness-journal.service in the guest may have ended"
                .to_owned(),
        })
    }
}

/// Every unit of a manager with its state, and those that were asked for with their properties. `folder` is where the
/// manager keeps what it knows at run time.
fn units_of(scope: &str, folder: &str, sections: &Sections<'_>) -> Result<Vec<UnitState>> {
    let list = sections.get(&format!("list-{scope}"))?;
    let listed = parse_unit_list(scope, list, folder, sections.get("managers")?).map_err(nonsense)?;
    Ok(with_others(shown(scope, sections)?, &listed))
}

/// The units of a manager that were asked for, with their properties.
fn shown(scope: &str, sections: &Sections<'_>) -> Result<Vec<UnitState>> {
    parse_units(scope, sections.get(&format!("units-{scope}"))?).map_err(nonsense)
}

/// Units with their properties, and every other one as it was listed.
fn with_others(mut units: Vec<UnitState>, listed: &[UnitState]) -> Vec<UnitState> {
    let shown: BTreeSet<(String, String)> = units.iter().map(|unit| (unit.scope.clone(), unit.name.clone())).collect();
    let others = listed.iter().filter(|unit| !shown.contains(&(unit.scope.clone(), unit.name.clone())));
    units.extend(others.cloned());
    units
}

fn traces<'a>(sections: &Sections<'a>) -> Result<Traces<'a>> {
    Ok(Traces {
        paths: sections.get("paths")?,
        processes: sections.get("processes")?,
        networks: sections.get("networks")?,
        volumes: sections.get("volumes")?,
        images: sections.get("images")?,
    })
}

fn nonsense(error: impl std::fmt::Display) -> Error {
    Error::Nonsense { what: "picture", problem: error.to_string() }
}

/// The sections of a picture's output, by name.
struct Sections<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Sections<'a> {
    fn read(text: &'a str) -> Result<Sections<'a>> {
        let parts = text.split(SEPARATOR).skip(1);
        let sections: Vec<_> = parts.filter_map(|part| part.split_once('\n')).collect();
        if sections.last().is_some_and(|(name, _)| *name == "end") {
            Ok(Sections(sections))
        } else {
            Err(nonsense("its output breaks off"))
        }
    }

    fn get(&self, name: &str) -> Result<&'a str> {
        let found = self.0.iter().find(|(section, _)| *section == name);
        found.map(|(_, text)| text.trim_end_matches('\n')).ok_or_else(|| nonsense(format!("section {name} is missing")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_managers_unit_is_there_once_and_with_its_properties_if_they_are_known() {
        let unit = |scope: &str, name: &str, result: &str| UnitState {
            scope: scope.to_owned(),
            name: name.to_owned(),
            result: result.to_owned(),
            ..UnitState::default()
        };
        let listed = [unit("system", "a.service", ""), unit("user", "a.service", ""), unit("user", "b.timer", "")];
        let all = with_others(vec![unit("user", "a.service", "success")], &listed);
        assert_eq!(all, [unit("user", "a.service", "success"), unit("system", "a.service", ""), listed[2].clone()]);
    }
}
