//! The cache under everything that goes wrong with caches.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use super::super::Content;
use super::*;

/// Remembers what was said, and passes on that somebody waits.
#[derive(Default)]
struct Heard {
    lines: Mutex<Vec<String>>,
    waits: Option<Sender<()>>,
}

impl Progress for Heard {
    fn phase(&self, _: &str) {}
    fn waiting(&self, text: &str) {
        self.notice(text);
        if let Some(waits) = &self.waits {
            waits.send(()).unwrap();
        }
    }
    fn notice(&self, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }
}

struct Subject {
    folder: tempfile::TempDir,
    store: Store,
    key: Key,
    heard: Heard,
}

impl Subject {
    fn new() -> Subject {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("cache")).unwrap();
        let key = Key::builder().part("what", "a test").finish();
        Subject { folder, store, key, heard: Heard::default() }
    }

    /// Builds an entry with `data` in the file `sub/data`, if it is not there.
    fn build(&self, data: &str) -> Result<Entry> {
        self.store.get_or_build("thing", &self.key, &self.heard, |folder| {
            fs::create_dir(folder.join("sub")).unwrap();
            fs::write(folder.join("sub/data"), data).unwrap();
            Ok(())
        })
    }

    fn unfinished(&self) -> usize {
        fs::read_dir(self.store.root().join(UNFINISHED)).unwrap().count()
    }
}

fn content(entry: &Entry) -> String {
    fs::read_to_string(entry.file("sub/data")).unwrap()
}

#[test]
fn an_entry_is_built_once_and_says_what_its_key_is() {
    let subject = Subject::new();
    assert_eq!(subject.store.find("thing", &subject.key).unwrap(), None);
    let entry = subject.build("first").unwrap();
    assert_eq!(subject.build("second").unwrap(), entry);
    assert_eq!(content(&entry), "first");
    assert_eq!(fs::read_to_string(entry.file("key.txt")).unwrap(), "what = a test\n");
    assert_eq!(subject.store.find("thing", &subject.key).unwrap(), Some(entry));
    assert_eq!(subject.unfinished(), 0);
    assert!(subject.store.verify(&subject.heard).unwrap().is_empty());
    let mode = fs::metadata(subject.store.root()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn damage_is_found_at_the_next_use_named_and_built_anew() {
    let check = |damage: &dyn Fn(&Path), difference: &str| {
        let subject = Subject::new();
        let entry = subject.build("first").unwrap();
        damage(entry.path());
        let error = subject.store.find("thing", &subject.key).unwrap_err().to_string();
        assert!(error.contains(difference) && error.contains("remove that folder"), "{error}");
        assert_eq!(subject.store.verify(&subject.heard).unwrap().len(), 1);
        assert_eq!(content(&subject.build("second").unwrap()), "second");
        let said = subject.heard.lines.lock().unwrap().join("\n");
        assert!(said.contains(difference) && said.contains("building it anew"), "{said}");
        assert!(subject.store.root().join(format!("damaged/thing-{}", subject.key)).is_dir());
    };
    check(&|path| fs::remove_file(path.join("sub/data")).unwrap(), "sub/data is missing");
    check(&|path| fs::write(path.join("sub/data"), "x").unwrap(), "sub/data has 1 bytes instead of 5");
    check(
        &|path| {
            let file = File::create(path.join("sub/data")).unwrap();
            (&file).write_all(b"FIRST").unwrap();
            // The file system's clock may stand still for some milliseconds.
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        },
        "sub/data was written to",
    );
    check(
        &|path| {
            fs::write(path.join("new"), "first").unwrap();
            fs::rename(path.join("new"), path.join("sub/data")).unwrap();
        },
        "sub/data was replaced",
    );
    check(&|path| fs::remove_file(path.join("digests.json")).unwrap(), "digests.json cannot be read");
    check(&|path| fs::write(path.join("digests.json"), "{").unwrap(), "digests.json makes no sense");
}

#[test]
fn verify_reads_what_stamps_cannot_show() {
    let subject = Subject::new();
    let entry = subject.build("first").unwrap();
    let file = File::options().write(true).open(entry.file("sub/data")).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    (&file).write_all(b"FIRST").unwrap();
    file.set_modified(modified).unwrap();
    assert!(subject.store.find("thing", &subject.key).unwrap().is_some());
    let findings = subject.store.verify(&subject.heard).unwrap();
    assert_eq!(findings[0].entry, entry.path());
    assert!(findings[0].problem.to_string().contains("sub/data has other content"));
}

#[test]
fn a_failed_or_dropped_build_leaves_nothing() {
    let subject = Subject::new();
    let failed = subject.store.get_or_build("thing", &subject.key, &subject.heard, |folder| {
        fs::write(folder.join("half"), "").unwrap();
        Err(Error::NoCacheFolder)
    });
    assert!(matches!(failed, Err(Error::NoCacheFolder)));
    let begun = subject.store.begin("thing", &subject.key, &subject.heard).unwrap();
    assert!(matches!(begun, Begun::Build(_)));
    drop(begun);
    assert_eq!(subject.unfinished(), 0);
    assert_eq!(subject.store.find("thing", &subject.key).unwrap(), None);
}

#[test]
fn opening_sweeps_the_work_of_the_dead_and_leaves_that_of_the_living() {
    let subject = Subject::new();
    let living = subject.store.begin("thing", &subject.key, &subject.heard).unwrap();
    let dead = subject.store.root().join("tmp/thing-0123.Ab1");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("half"), "").unwrap();
    Store::open(subject.store.root()).unwrap();
    assert!(!dead.exists());
    let Begun::Build(living) = living else { panic!("there was nothing before") };
    assert!(living.folder().is_dir());
    living.commit().unwrap();
}

#[test]
fn who_comes_second_waits_says_so_once_and_gets_what_the_first_built() {
    let (waits, waiting) = channel();
    let subject = Subject { heard: Heard { waits: Some(waits), ..Heard::default() }, ..Subject::new() };
    let begun = subject.store.begin("thing", &subject.key, &super::super::Silent).unwrap();
    let Begun::Build(first) = begun else { panic!("there was nothing before") };
    thread::scope(|scope| {
        let second = scope.spawn(|| subject.build("second").unwrap());
        waiting.recv().unwrap();
        fs::create_dir(first.folder().join("sub")).unwrap();
        fs::write(first.folder().join("sub/data"), "first").unwrap();
        let entry = first.commit().unwrap();
        assert_eq!(second.join().unwrap(), entry);
        assert_eq!(content(&entry), "first");
    });
    let said = subject.heard.lines.lock().unwrap();
    assert_eq!(said.len(), 1);
    let process = format!("(process {}, since ", std::process::id());
    assert!(said[0].contains("another process is building thing-") && said[0].contains(&process), "{said:?}");
}

#[test]
fn a_cache_that_cannot_be_written_says_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let check = |root: PathBuf, advice: &str| {
        let error = Store::open(&root).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot create {}", root.display())), "{error}");
        assert!(error.contains(advice), "{error}");
    };
    check(file.join("cache"), "Not a directory");
    // The superuser may write to folders of any mode, but nobody may write to the kernel's own.
    check(PathBuf::from("/proc/harness-cache"), "");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if !rustix::process::geteuid().is_root() {
        check(folder.path().join("cache"), "set HARNESS_CACHE");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn kinds_cannot_leave_the_cache_or_take_its_own_folders() {
    let subject = Subject::new();
    let check = |kind: &str| {
        let error = subject.store.find(kind, &subject.key).unwrap_err();
        assert!(matches!(error, Error::BadKind { .. }), "{error}");
    };
    for kind in ["", "..", "a/b", "Thing", "tmp", "locks", "damaged", "failed", "run"] {
        check(kind);
    }
    assert!(subject.folder.path().join("cache").is_dir());
}

#[test]
fn what_has_no_room_is_not_begun() {
    let subject = Subject::new();
    subject.store.require_room("try", 1).unwrap();
    let error = subject.store.require_room("try", u64::MAX).unwrap_err().to_string();
    assert!(error.starts_with("cannot try: ") && error.ends_with("a larger disk"), "{error}");
}

/// Puts the last use of an entry so many days back.
fn age(entry: &Entry, days: u64) {
    let list = File::open(entry.file(digest::FILE_NAME)).unwrap();
    list.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
}

#[test]
fn a_use_is_remembered_and_what_nobody_uses_can_be_removed() {
    let subject = Subject::new();
    let entry = subject.build("first").unwrap();
    age(&entry, 9);
    let days = |content: &Content| content.age(SystemTime::now()).as_secs() / 86_400;
    let contents = subject.store.contents().unwrap();
    assert_eq!(contents.iter().map(days).collect::<Vec<_>>(), [9]);
    assert_eq!(contents[0].folder, entry.path());
    assert!(contents[0].bytes >= 4096, "{contents:?}");
    assert_eq!(contents[0].age(SystemTime::UNIX_EPOCH), Duration::ZERO);
    // Using it again changes nothing but the time.
    assert_eq!(content(&subject.build("second").unwrap()), "first");
    assert!(subject.store.verify(&subject.heard).unwrap().is_empty());
    let contents = subject.store.contents().unwrap();
    assert_eq!(days(&contents[0]), 0);

    subject.store.remove(&contents).unwrap();
    assert_eq!(subject.store.find("thing", &subject.key).unwrap(), None);
    assert_eq!(subject.store.contents().unwrap(), []);
    assert_eq!(subject.unfinished(), 0);
    assert_eq!(fs::read_dir(subject.store.root().join(LOCKS)).unwrap().count(), 1, "that of the whole cache");
    assert_eq!(content(&subject.build("second").unwrap()), "second");
}

#[test]
fn nothing_is_removed_while_somebody_else_uses_the_cache() {
    let subject = Subject::new();
    subject.build("first").unwrap();
    let contents = subject.store.contents().unwrap();
    let other = Store::open(subject.store.root()).unwrap();
    let error = subject.store.remove(&contents).unwrap_err().to_string();
    assert!(error.starts_with("cannot clean the cache: another harness is using "), "{error}");
    assert!(contents[0].folder.is_dir());
    // Who was refused goes on using it.
    other.remove(&contents).unwrap_err();
    drop(other);
    subject.store.remove(&contents).unwrap();
    assert!(!contents[0].folder.exists());
}

#[test]
fn what_was_put_aside_takes_room_too() {
    let subject = Subject::new();
    let entry = subject.build("first").unwrap();
    fs::remove_file(entry.file("sub/data")).unwrap();
    subject.build("second").unwrap();
    fs::write(subject.store.failed("igpu").unwrap().join("console.log"), "older").unwrap();
    let failed = subject.store.failed("igpu").unwrap();
    assert_eq!(fs::read_dir(&failed).unwrap().count(), 0);
    let contents = subject.store.contents().unwrap();
    assert_eq!(contents.len(), 3);
    subject.store.remove(&contents).unwrap();
    assert!(!failed.exists() && subject.store.contents().unwrap().is_empty());
}
