//! Which generation is in a trial's guest: the host's own or a variant, both with the trial's fault.

use std::collections::BTreeMap;

use crate::generation::{BASE, Difference, Generation};
use crate::guest::{Command, Kind};

use super::project::Secrets;
use super::{Error, Result};

/// The generation in a guest.
pub(super) struct Installed {
    /// The base with its variants; the trial's fault is in all of them.
    whole: Generation,
    /// The name of the one that is in the guest.
    name: String,
}

impl Installed {
    /// The base is in the guest.
    pub fn base(whole: Generation) -> Installed {
        Installed { whole, name: BASE.to_owned() }
    }

    /// The one that is in the guest.
    pub fn current(&self) -> &Generation {
        self.whole.variant(&self.name).unwrap_or(&self.whole)
    }

    /// From now on, another one is in the guest: the command that makes it so, unless nothing differs.
    pub fn switch_to(
        &mut self,
        name: &str,
        kind: &Kind,
        secrets: &BTreeMap<String, Secrets>,
    ) -> Result<Option<Command>> {
        let Some(wanted) = self.whole.variant(name) else {
            let host = &self.whole.manifest.host;
            return Err(Error::Usage(format!("the generation of {host} in this template has no variant `{name}`")));
        };
        let difference = Difference::between(self.current(), wanted);
        let secrets = changed(secrets.get(&self.name), secrets.get(name));
        self.name = name.to_owned();
        if kind.switch.is_none() && difference == Difference::default() && secrets.is_empty() {
            return Ok(None);
        }
        Ok(Some(match kind.switch {
            Some(switch) => switch(name),
            None => (kind.replace)(&difference, &secrets, &self.whole.manifest.user)?,
        }))
    }
}

/// The secrets that are new or have another content. What is gone stays: nothing asks for it any more.
fn changed(before: Option<&Secrets>, after: Option<&Secrets>) -> Secrets {
    let is_known = |secret: &&(String, Vec<u8>)| before.is_some_and(|before| before.contains(secret));
    after.into_iter().flatten().filter(|secret| !is_known(secret)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::guest::DEBIAN;
    use crate::run::Project;

    #[test]
    fn each_switch_starts_from_what_is_there() {
        let project = Project::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let igpu = Generation::read(&project.root().join("fixtures/rendered/igpu")).unwrap();
        let names = igpu.with_variants();
        let secrets: BTreeMap<_, _> =
            names.map(|(name, one)| (name.to_owned(), project.secrets(name, &one.manifest).unwrap())).collect();
        let mut installed = Installed::base(igpu);
        let mut check = |name: &str, shown: Option<&str>| {
            let command = installed.switch_to(name, &DEBIAN, &secrets).unwrap();
            assert_eq!(command.as_ref().map(|command| command.shown.as_str()), shown, "{name}");
        };
        check("base", None);
        check("changed-compose", Some("replace 1 files"));
        check("changed-compose", None);
        // The compose file goes back, and the secret changes natively and as fallback.
        check("changed-secret", Some("replace 3 files"));
        check("base", Some("replace 2 files"));
        assert!(
            installed.switch_to("nowhere", &DEBIAN, &secrets).unwrap_err().to_string().contains("no variant `nowhere`")
        );
    }
}
