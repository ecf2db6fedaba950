//! Records of the journal, as `journalctl -o json` writes them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::containers::is_container_id;
use super::{Moment, ParseError, Record};

const WHAT: &str = "a journal record";

/// A unit that a record or a picture is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitRef<'a> {
    /// `system` or `user`, as in [`super::UnitState`].
    pub scope: &'a str,
    /// The name with its suffix.
    pub name: &'a str,
}

impl<'a> UnitRef<'a> {
    /// The id of the container whose health check runs as this unit: podman makes a transient one that bears it.
    pub fn health_check_of(self) -> Option<&'a str> {
        let (id, number) = self.name.strip_suffix(".service")?.split_once('-')?;
        let hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (self.scope == "user" && is_container_id(id) && hex(number)).then_some(id)
    }
}

impl Record {
    /// Reads one line of `journalctl --all -o json`; `boot_number_of` numbers the boots by their ids.
    ///
    /// # Errors
    /// A line that broke off, one without clock or boot, and one whose message was left out for its size.
    pub fn parse(line: &str, mut boot_number_of: impl FnMut(&str) -> u32) -> Result<Self, ParseError> {
        let error = |problem: String| ParseError::new(WHAT, 1, problem);
        let object: BTreeMap<String, Value> =
            serde_json::from_str(line).map_err(|problem| error(problem.to_string()))?;
        if object.get("MESSAGE").is_some_and(Value::is_null) {
            let problem = "the message was left out for its size: run journalctl with --all";
            return Err(error(problem.into()));
        }
        let fields: BTreeMap<String, String> = object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| text_of(&value).map(|text| (name, text)))
            .collect::<Result<_, _>>()
            .map_err(error)?;
        let field = |name: &str| fields.get(name).ok_or_else(|| error(format!("it has no {name}")));
        let micros = field("__MONOTONIC_TIMESTAMP")?;
        let micros = micros.parse().map_err(|_| error(format!("__MONOTONIC_TIMESTAMP is {micros:?}, no number")))?;
        let boot = boot_number_of(field("_BOOT_ID")?);
        Ok(Self { at: Moment { boot, micros }, fields })
    }

    /// A field's text.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The message; empty for a record without one.
    pub fn message(&self) -> &str {
        self.field("MESSAGE").unwrap_or_default()
    }

    /// `MESSAGE_ID`.
    pub fn message_id(&self) -> Option<&str> {
        self.field("MESSAGE_ID")
    }

    /// The program's name by which the record was written.
    pub fn identifier(&self) -> Option<&str> {
        self.field("SYSLOG_IDENTIFIER")
    }

    /// Syslog's priority: 0 `emerg`, 3 `err`, 7 `debug`.
    pub fn priority(&self) -> Option<u8> {
        self.field("PRIORITY")?.parse().ok()
    }

    /// The id of the container that podman, after a health check, holds to be unhealthy. Podman writes an event after each
    /// check, with the health that it concludes from this one and those before it (libpod/healthcheck.go, 5.4).
    pub fn unhealthy_container(&self) -> Option<&str> {
        let is_unhealthy = self.field("PODMAN_EVENT") == Some("health_status")
            && self.field("PODMAN_HEALTH_STATUS") == Some("unhealthy");
        is_unhealthy.then(|| self.field("PODMAN_ID")).flatten()
    }

    /// Whether the kernel wrote it.
    pub fn is_kernel(&self) -> bool {
        self.field("_TRANSPORT") == Some("kernel")
    }

    /// The journal's sequence: its id and the record's number in it, which grows by one from record to record.
    pub fn sequence(&self) -> Option<(&str, u64)> {
        let number = self.field("__SEQNUM")?.parse().ok()?;
        Some((self.field("__SEQNUM_ID").unwrap_or_default(), number))
    }

    /// Whether a program wrote it, to its standard output or error or by itself as `logger` does, and had ended before the
    /// journal looked whose it is.
    pub fn is_stray(&self) -> bool {
        let by_program = matches!(self.field("_TRANSPORT"), Some("stdout" | "syslog" | "journal"));
        by_program && self.unit().is_none()
    }

    /// The unit that the record is about, if a manager wrote it, else the one whose process wrote it.
    pub fn unit(&self) -> Option<UnitRef<'_>> {
        self.managed_unit()
            .or_else(|| self.user_unit("_SYSTEMD_USER_UNIT"))
            .or_else(|| self.unit_in("system", "_SYSTEMD_UNIT"))
    }

    /// The unit that the record is about, where a manager wrote it.
    pub fn managed_unit(&self) -> Option<UnitRef<'_>> {
        self.user_unit("USER_UNIT").or_else(|| self.unit_in("system", "UNIT"))
    }

    /// Root's own user manager is not the one that scenarios call `user`.
    fn user_unit(&self, field: &str) -> Option<UnitRef<'_>> {
        if self.field("_UID") == Some("0") {
            return None;
        }
        self.unit_in("user", field)
    }

    fn unit_in(&self, scope: &'static str, field: &str) -> Option<UnitRef<'_>> {
        self.field(field).map(|name| UnitRef { scope, name })
    }
}

/// A value is a text, an array of bytes (not UTF-8, or with escapes), or a list of such values of one field.
fn text_of(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(bytes) if !bytes.is_empty() && bytes.iter().all(Value::is_number) => {
            let bytes = bytes
                .iter()
                .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect::<Option<Vec<u8>>>()
                .ok_or_else(|| format!("{value} is no array of bytes"))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        Value::Array(values) => {
            let texts: Vec<String> =
                values.iter().filter(|value| !value.is_null()).map(text_of).collect::<Result<_, _>>()?;
            Ok(texts.join("\n"))
        }
        other => Err(format!("the value {other} is neither text nor bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_checks_are_known_by_their_container() {
        let id = "0123456789abcdef".repeat(4);
        let check = |scope, name: &str, known| {
            assert_eq!(UnitRef { scope, name }.health_check_of(), known, "{scope} {name}");
        };
        check("user", &format!("{id}-592d9d7b27e40867.service"), Some(id.as_str()));
        check("system", &format!("{id}-592d9d7b27e40867.service"), None);
        check("user", &format!("{id}-592d9d7b27e40867.timer"), None);
        check("user", &format!("{id}-.service"), None);
        check("user", "immich-stack.service", None);
    }

    fn parse(rest: &str) -> Result<Record, ParseError> {
        let line = format!(r#"{{"__MONOTONIC_TIMESTAMP":"12","_BOOT_ID":"b1",{rest}}}"#);
        Record::parse(&line, |boot| u32::from(boot == "b1"))
    }

    #[test]
    fn values_take_every_form_the_journal_has() {
        let check = |json: &str, expected: &str| {
            let record = parse(&format!(r#""MESSAGE":{json}"#)).unwrap();
            assert_eq!(record.message(), expected);
            assert_eq!(record.at, Moment { boot: 1, micros: 12 });
        };
        check(r#""plain ü""#, "plain ü");
        check("[27,91,109,195,188]", "\u{1b}[mü");
        check("[104,255]", "h\u{fffd}");
        check(r#"["one","two"]"#, "one\ntwo");
        check(r#"["one",[116,119,111],null]"#, "one\ntwo");
        check("[]", "");
        assert_eq!(parse(r#""MESSAGE":"x","BIG":null"#).unwrap().field("BIG"), None);
    }

    #[test]
    fn lines_that_say_too_little_are_errors() {
        let check = |result: Result<Record, ParseError>, part: &str| {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(parse(r#""MESSAGE":null"#), "--all");
        check(parse(r#""MESSAGE":{}"#), "neither text nor bytes");
        check(parse(r#""MESSAGE":[300]"#), "no array of bytes");
        let whole = |line: &str| Record::parse(line, |_| 0);
        check(whole(r#"{"MESSAGE":"x","_BOOT_ID":"b"}"#), "no __MONOTONIC_TIMESTAMP");
        check(whole(r#"{"MESSAGE":"x","__MONOTONIC_TIMESTAMP":"1"}"#), "no _BOOT_ID");
        check(whole(r#"{"__MONOTONIC_TIMESTAMP":"soon","_BOOT_ID":"b"}"#), "no number");
        check(whole(r#"{"MESSAGE":"brea"#), "EOF");
        check(whole(""), "EOF");
    }

    #[test]
    fn records_know_their_unit() {
        let check = |fields: &str, expected: Option<(&str, &str)>| {
            let record = parse(fields).unwrap();
            let found = record.unit().map(|unit| (unit.scope, unit.name));
            assert_eq!(found, expected, "{fields}");
        };
        let process = r#""_UID":"1000","_SYSTEMD_UNIT":"user@1000.service","_SYSTEMD_USER_UNIT":"#;
        check(&format!(r#"{process}"a.service""#), Some(("user", "a.service")));
        check(&format!(r#"{process}"init.scope","USER_UNIT":"a.service""#), Some(("user", "a.service")));
        check(r#""_SYSTEMD_UNIT":"init.scope","UNIT":"b.service""#, Some(("system", "b.service")));
        check(r#""_SYSTEMD_UNIT":"b.service""#, Some(("system", "b.service")));
        check(
            r#""_UID":"0","_SYSTEMD_UNIT":"user@0.service","_SYSTEMD_USER_UNIT":"a.service""#,
            Some(("system", "user@0.service")),
        );
        check(r#""_TRANSPORT":"kernel""#, None);
    }

    #[test]
    fn what_a_program_said_and_nobody_knows_whose_it_is_is_stray() {
        let check = |fields: &str, stray| assert_eq!(parse(fields).unwrap().is_stray(), stray, "{fields}");
        for transport in ["stdout", "syslog", "journal"] {
            check(&format!(r#""_TRANSPORT":"{transport}""#), true);
            check(&format!(r#""_TRANSPORT":"{transport}","_SYSTEMD_UNIT":"a.service""#), false);
        }
        check(r#""_TRANSPORT":"kernel""#, false);
        check(r#""_TRANSPORT":"driver""#, false);
    }

    #[test]
    fn numbers_are_numbers() {
        let record = parse(r#""PRIORITY":"3","__SEQNUM":"77","__SEQNUM_ID":"s""#).unwrap();
        assert_eq!(record.priority(), Some(3));
        assert_eq!(record.sequence(), Some(("s", 77)));
        assert_eq!(parse(r#""PRIORITY":"high""#).unwrap().priority(), None);
    }
}
