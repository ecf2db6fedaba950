//! Units, as `systemctl show` prints them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{ParseError, UnitRef, UnitState};

const WHAT: &str = "the output of systemctl show";

impl UnitState {
    /// The unit that the state is of.
    pub fn unit(&self) -> UnitRef<'_> {
        UnitRef { scope: &self.scope, name: &self.name }
    }
}

/// Reads the blocks of `systemctl show -p …`, one a unit, with an empty line between two.
///
/// # Errors
/// Names the block's first line where `Id`, `LoadState`, `ActiveState` or `SubState` are missing, or a number is none.
pub fn parse_units(scope: &str, text: &str) -> Result<Vec<UnitState>, ParseError> {
    let mut units = Vec::new();
    let mut block = Block::default();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() {
            block.end(scope, &mut units)?;
        } else {
            block.add(index + 1, line)?;
        }
    }
    block.end(scope, &mut units)?;
    Ok(units)
}

/// Reads what `systemctl list-units --all --output=json` prints: a short state of every loaded unit, at a fortieth of
/// the cost of all its properties. The rest a manager keeps in its run-time folder: `transient/NAME` for each unit that a
/// program made at run time, and a link `units/invocation:NAME` for each that runs. `kept` has a line for each path below
/// that `folder`, with a space and what a link leads to behind it; other folders' lines may be among them.
///
/// # Errors
/// If it is not such a list, or a line no such path.
pub fn parse_unit_list(scope: &str, json: &str, folder: &str, kept: &str) -> Result<Vec<UnitState>, ParseError> {
    let listed: Vec<Listed> = serde_json::from_str(json)
        .map_err(|error| ParseError::new("the output of systemctl list-units", error.line(), error.to_string()))?;
    let kept = parse_kept(folder, kept)?;
    let state = |unit: Listed| UnitState {
        scope: scope.to_owned(),
        transient: kept.transient.contains(unit.unit.as_str()),
        invocation: kept.invocations.get(unit.unit.as_str()).copied().unwrap_or_default().to_owned(),
        name: unit.unit,
        load: unit.load,
        active: unit.active,
        sub: unit.sub,
        ..UnitState::default()
    };
    Ok(listed.into_iter().map(state).collect())
}

/// What a manager keeps in its run-time folder.
#[derive(Default)]
struct Kept<'a> {
    transient: BTreeSet<&'a str>,
    invocations: BTreeMap<&'a str, &'a str>,
}

fn parse_kept<'a>(folder: &str, lines: &'a str) -> Result<Kept<'a>, ParseError> {
    let mut kept = Kept::default();
    for (index, line) in lines.lines().enumerate() {
        let Some((path, target)) = line.rsplit_once(' ') else {
            return Err(ParseError::new("the managers' folders", index + 1, format!("{line:?} has no target")));
        };
        let Some(path) = path.strip_prefix(folder) else { continue };
        if let Some(name) = path.strip_prefix("/transient/") {
            kept.transient.insert(name);
        } else if let Some(name) = path.strip_prefix("/units/invocation:") {
            kept.invocations.insert(name, target);
        }
    }
    Ok(kept)
}

#[derive(Deserialize)]
struct Listed {
    unit: String,
    load: String,
    active: String,
    sub: String,
}

#[derive(Default)]
struct Block<'a> {
    line: usize,
    properties: BTreeMap<&'a str, &'a str>,
}

impl<'a> Block<'a> {
    fn add(&mut self, number: usize, line: &'a str) -> Result<(), ParseError> {
        if self.properties.is_empty() {
            self.line = number;
        }
        let (name, value) =
            line.split_once('=').ok_or_else(|| ParseError::new(WHAT, number, format!("{line:?} is no property")))?;
        self.properties.insert(name, value);
        Ok(())
    }

    fn end(&mut self, scope: &str, units: &mut Vec<UnitState>) -> Result<(), ParseError> {
        let block = std::mem::take(self);
        if !block.properties.is_empty() {
            units.push(block.unit(scope)?);
        }
        Ok(())
    }

    fn unit(&self, scope: &str) -> Result<UnitState, ParseError> {
        let text = |name| self.properties.get(name).copied().unwrap_or_default().to_owned();
        Ok(UnitState {
            scope: scope.to_owned(),
            name: self.needed("Id")?,
            load: self.needed("LoadState")?,
            active: self.needed("ActiveState")?,
            sub: self.needed("SubState")?,
            result: text("Result"),
            invocation: text("InvocationID"),
            restarts: self.number("NRestarts")?,
            active_enter: self.number("ActiveEnterTimestampMonotonic")?,
            state_change: self.number("StateChangeTimestampMonotonic")?,
            fragment: text("FragmentPath"),
            transient: self.properties.get("Transient") == Some(&"yes"),
        })
    }

    fn needed(&self, name: &str) -> Result<String, ParseError> {
        match self.properties.get(name) {
            Some(value) if !value.is_empty() => Ok((*value).to_owned()),
            _ => Err(ParseError::new(WHAT, self.line, format!("the unit has no {name}"))),
        }
    }

    /// Units without the property (a target has no `NRestarts`) count as zero.
    fn number(&self, name: &str) -> Result<u64, ParseError> {
        match self.properties.get(name) {
            None | Some(&"") => Ok(0),
            Some(value) => {
                value.parse().map_err(|_| ParseError::new(WHAT, self.line, format!("{name} is {value:?}, no number")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Type=oneshot\nResult=exit-code\nNRestarts=2\nId=a-stack.service\nLoadState=loaded\n\
        ActiveState=failed\nSubState=failed\nFragmentPath=/etc/systemd/user/a-stack.service\n\
        InvocationID=abc\nActiveEnterTimestampMonotonic=0\nStateChangeTimestampMonotonic=17\nTransient=no\n\n\
        Id=x.timer\nLoadState=loaded\nActiveState=active\nSubState=waiting\nTransient=yes\n";

    #[test]
    fn blocks_are_units() {
        let units = parse_units("user", TEXT).unwrap();
        assert_eq!(units.len(), 2);
        assert_eq!(units[0].name, "a-stack.service");
        assert_eq!((units[0].restarts, units[0].state_change), (2, 17));
        assert_eq!((&*units[0].result, &*units[0].scope), ("exit-code", "user"));
        assert!(units[1].transient && !units[0].transient);
        assert_eq!(parse_units("user", "").unwrap(), []);
    }

    #[test]
    fn a_list_has_the_state_of_every_unit() {
        let json = r#"[{"unit":"a.timer","load":"loaded","active":"active","sub":"waiting","description":"A"},
                       {"unit":"b.service","load":"loaded","active":"failed","sub":"failed","description":"B"}]"#;
        let kept = "/run/user/1/systemd/transient/a.timer \n/run/user/1/systemd/transient/z.service \n\
                    /run/user/1/systemd/units/invocation:a.timer 0f\n/run/user/1/systemd/units/log-level-max:b.service 3\n\
                    /run/systemd/units/invocation:b.service 1f\n/run/systemd/transient/b.service ";
        let units = parse_unit_list("user", json, "/run/user/1/systemd", kept).unwrap();
        assert_eq!((&*units[0].invocation, &*units[1].invocation), ("0f", ""));
        assert_eq!((&*units[0].name, units[0].transient, &*units[0].sub), ("a.timer", true, "waiting"));
        assert_eq!((&*units[1].name, units[1].transient, &*units[1].active), ("b.service", false, "failed"));
        let units = parse_unit_list("system", json, "/run/systemd", kept).unwrap();
        assert_eq!((&*units[1].invocation, units[0].transient, units[1].transient), ("1f", false, true));
        assert!(parse_unit_list("user", "Failed to connect to bus", "/run/systemd", "").is_err());
        assert_eq!(parse_unit_list("user", json, "/run/systemd", "/a b\n/a").unwrap_err().line, 2);
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |text: &str, line: usize, part: &str| {
            let error = parse_units("user", text).unwrap_err();
            assert_eq!(error.line, line);
            assert!(error.to_string().contains(part), "{error}");
        };
        check(&TEXT.replace("Id=x.timer\n", ""), 14, "no Id");
        check(&TEXT.replace("ActiveState=failed", "ActiveState="), 1, "no ActiveState");
        check(&TEXT.replace("=17", "=soon"), 1, "\"soon\", no number");
        check("Failed to connect to bus", 1, "no property");
    }
}
