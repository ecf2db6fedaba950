//! The kinds of guests: what differs between them, one row a kind. Everything else is the same for all of them.

/// A kind of guest.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// Where the user's commands find programs.
    pub path: &'static str,
    /// The shell function `replace FILE MODE`, which gives a file of the generation the content of standard input.
    pub replace: &'static str,
}

/// The guest that the harness builds from Debian's packages.
pub static DEBIAN: Kind = Kind {
    name: "debian",
    path: "/run/current-system/sw/bin:/usr/bin:/usr/sbin:/bin",
    replace: r#"replace() { [ -f "$1" ] && cat > "$1" && chmod "$2" "$1"; }"#,
};

/// A test node of NixOS. Its programs that change the user are wrapped, and the files of its generation are links into
/// a store that nobody can write to, so other files are mounted over them: until the next boot.
pub static NIXOS: Kind = Kind {
    name: "nixos",
    path: "/run/wrappers/bin:/run/current-system/sw/bin",
    replace: r#"replace() {
    local file copy
    file=$(readlink -e "$1") && mkdir -p /run/harness/replaced && copy=$(mktemp /run/harness/replaced/XXXXXX) &&
        cat > "$copy" && chmod "$2" "$copy" && mount --bind "$copy" "$file"
}"#,
};
