//! Where the guest's packages come from: the same mirrors of Debian's archive that this machine's apt uses.

use std::path::Path;
use std::process::Command;

use super::{Error, Result, command, tools};

/// The release that the guest is made of.
pub(super) const RELEASE: &str = "trixie";

/// Every package of the guest is in this component.
const COMPONENT: &str = "main";

/// Debian's keys; the guest's packages are accepted from nobody else.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// How Debian's releases are called in apt's sources. Needed only while apt has no package lists, which name the origin.
const DEBIAN_RELEASES: &[&str] =
    &["oldstable", "stable", "testing", "unstable", "sid", "bullseye", "bookworm", "trixie", "forky", "duke"];

/// One line a package index, its fields separated by blanks; what apt does not know yet keeps its `$(…)`.
const TARGET_FORMAT: &str = "target $(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)";

/// The lines of the guest's `sources.list`, sorted.
///
/// # Errors
/// If apt cannot be asked, knows no mirror of Debian's archive, or Debian's keys are not installed.
pub(super) fn from_apt() -> Result<Vec<String>> {
    if !Path::new(KEYRING).exists() {
        return Err(unusable(format!("{KEYRING} is missing"), "install the package debian-archive-keyring"));
    }
    let mut apt = Command::new(tools::locate("apt-get")?);
    apt.args(["indextargets", "--format", TARGET_FORMAT]);
    let mut sources = Vec::new();
    let advice = "check /etc/apt/sources.list and /etc/apt/sources.list.d";
    command::run("ask apt for its sources", apt, advice, &mut |line| sources.extend(source_of(line)))?;
    sources.sort();
    sources.dedup();
    if !sources.iter().any(|source| source.ends_with(&format!(" {RELEASE} {COMPONENT}"))) {
        return Err(unusable(
            "apt on this machine knows no mirror of Debian's archive".to_owned(),
            "add one to /etc/apt/sources.list.d, such as `deb http://deb.debian.org/debian trixie main`, and run \
             `apt-get update`",
        ));
    }
    Ok(sources)
}

/// The guest's source for one of the machine's package indexes; nothing if the index is not for it.
fn source_of(target: &str) -> Option<String> {
    let mut fields = target.split_whitespace();
    let mut field = || fields.next();
    if field()? != "target" || field()? != "Packages" {
        return None;
    }
    let (uri, release, component, origin) = (field()?, field()?, field()?, field()?);
    let (base, suite) = guest_suite(release)?;
    let from_debian = origin == "Debian" || (origin.starts_with("$(") && DEBIAN_RELEASES.contains(&base));
    // A CD-ROM of the machine's release has nothing for the guest's.
    let reachable = !uri.starts_with("cdrom:");
    let uri = uri.trim_end_matches('/');
    (from_debian && reachable && component == COMPONENT)
        .then(|| format!("deb [signed-by={KEYRING}] {uri} {suite} {COMPONENT}"))
}

/// The machine's release without its ending, and the guest's suite that stands for the machine's.
fn guest_suite(release: &str) -> Option<(&str, String)> {
    for (ending, guest_ending) in [("-security", "-security"), ("/updates", "-security"), ("-updates", "-updates")] {
        if let Some(base) = release.strip_suffix(ending) {
            return (!base.ends_with("-proposed")).then(|| (base, format!("{RELEASE}{guest_ending}")));
        }
    }
    let extra = release.contains("-backports") || release == "experimental";
    (!extra).then(|| (release, RELEASE.to_owned()))
}

fn unusable(reason: String, advice: &str) -> Error {
    Error::Host { operation: "find the packages of the Debian guest", reason, advice: advice.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_debian_mirrors_become_the_guests() {
        let check = |target: &str, source: Option<&str>| {
            let expected = source.map(|source| format!("deb [signed-by={KEYRING}] {source}"));
            assert_eq!(source_of(target), expected, "{target}");
        };
        let debian = "target Packages http://deb.debian.org/debian/";
        let security = "target Packages http://deb.debian.org/debian-security/";
        check(&format!("{debian} bookworm main Debian"), Some("http://deb.debian.org/debian trixie main"));
        check(
            &format!("{debian} trixie-updates main Debian"),
            Some("http://deb.debian.org/debian trixie-updates main"),
        );
        check(
            &format!("{security} bookworm-security main Debian"),
            Some("http://deb.debian.org/debian-security trixie-security main"),
        );
        check(&format!("{debian} sid main $(ORIGIN)"), Some("http://deb.debian.org/debian trixie main"));
        check(&format!("{debian} bookworm non-free Debian"), None);
        check(&format!("{debian} bookworm-backports main Debian"), None);
        check(&format!("{debian} bookworm-proposed-updates main Debian"), None);
        check("target DEP-11 http://deb.debian.org/debian/ bookworm main Debian", None);
        check("target Packages http://archive.ubuntu.com/ubuntu/ noble main Ubuntu", None);
        check("target Packages https://deb.nodesource.com/node_20.x/ nodistro main $(ORIGIN)", None);
        check("target Packages cdrom:[Debian]/ trixie main Debian", None);
        check("W: some warning", None);
    }
}
