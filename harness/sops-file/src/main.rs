//! Encrypts and decrypts one secret in the binary format of sops: a JSON document with the whole text under `data`.
//!
//! It is a crate of its own so that the Debian guest can have it at its boot without having the rest of the harness,
//! and so that no change elsewhere makes another guest. Format, ciphers and the check of the message authentication
//! code are those of the crate `rops`, which takes the age keys from the environment variable `ROPS_AGE`.

use std::io::Read;
use std::process::ExitCode;

use rops::cryptography::cipher::AES256GCM;
use rops::cryptography::hasher::SHA512;
use rops::file::builder::RopsFileBuilder;
use rops::file::format::JsonFileFormat;
use rops::file::state::EncryptedFile;
use rops::file::{RopsFile, RopsFileFromStrError};
use rops::integration::{AgeIntegration, Integration};

type SopsFile = RopsFile<EncryptedFile<AES256GCM, SHA512>, JsonFileFormat>;

/// The key of the document that has the secret's text, as sops calls it.
const DATA: &str = "data";
/// The version of sops whose format this is; sops refuses to read a file without one.
const FORMAT_VERSION: &str = "3.9.0";

const USAGE: &str = "usage: sops-file decrypt FILE                the text goes to standard output
       sops-file encrypt RECIPIENT < TEXT       the file goes to standard output; RECIPIENT is an age public key
decrypt takes age secret keys from ROPS_AGE, separated by commas";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{USAGE}")]
    Usage,
    #[error("cannot read {what}: {source}")]
    Read { what: String, source: std::io::Error },
    #[error("{file} is no file of sops: {problem}; encrypt it with `sops` or with `sops-file encrypt`")]
    NoSopsFile { file: String, problem: String },
    #[error("cannot decrypt {file}: {problem}")]
    Decrypt { file: String, problem: String },
    #[error("cannot encrypt: {0}")]
    Encrypt(String),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["decrypt", file] => decrypt(file),
        ["encrypt", recipient] => encrypt(recipient),
        _ => Err(Error::Usage),
    };
    match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The text that a file keeps.
fn decrypt(path: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { what: path.to_owned(), source })?;
    let no_sops_file = |problem: String| Error::NoSopsFile { file: path.to_owned(), problem };
    let file: SopsFile = text.parse().map_err(|error: RopsFileFromStrError| no_sops_file(chain(&error)))?;
    let cannot = |problem: String| Error::Decrypt { file: path.to_owned(), problem };
    let keys = AgeIntegration::retrieve_private_keys().map_err(|error| cannot(chain(&error)))?;
    let recipients = &file.metadata().intregation.age;
    if !keys.iter().any(|key| recipients.contains_key(&key.to_public())) {
        let recipients: Vec<String> = recipients.keys().map(ToString::to_string).collect();
        return Err(cannot(format!("no age key here fits, it is encrypted to {}", recipients.join(", "))));
    }
    let decrypted = file.decrypt::<JsonFileFormat>().map_err(|error| cannot(chain(&error)))?;
    match decrypted.into_inner_map().get(DATA) {
        Some(serde_json::Value::String(text)) => Ok(text.clone()),
        _ => Err(no_sops_file(format!("it has no text under `{DATA}`, as the binary format has"))),
    }
}

/// A file that keeps the text on standard input, for one recipient.
fn encrypt(recipient: &str) -> Result<String, Error> {
    let problem = |error: &dyn std::error::Error| Error::Encrypt(chain(error));
    let recipient = AgeIntegration::parse_key_id(recipient).map_err(|error| problem(&error))?;
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|source| Error::Read { what: "standard input".to_owned(), source })?;
    let map = serde_json::Map::from_iter([(DATA.to_owned(), serde_json::Value::String(text))]);
    let file = RopsFileBuilder::<JsonFileFormat>::from_map(map)
        .add_integration_key::<AgeIntegration>(recipient)
        .encrypt::<AES256GCM, SHA512>()
        .map_err(|error| problem(&error))?;
    let mut document = serde_json::to_value(&file).map_err(|error| problem(&error))?;
    document["sops"]["version"] = FORMAT_VERSION.into();
    Ok(format!("{document:#}\n"))
}

/// An error with what it comes from.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
