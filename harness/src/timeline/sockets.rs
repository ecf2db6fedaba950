//! Listening sockets, as `ss -H -l` prints them.

use super::ParseError;

/// Reads lines of `ss -H -n -l -t -u -x`: the kind in the first column, the local address in the fifth. Gives
/// `tcp 127.0.0.1:8096` or `unix /run/…`, sorted and each once.
///
/// # Errors
/// Names the line with too few columns or of another kind.
pub fn parse_sockets(text: &str) -> Result<Vec<String>, ParseError> {
    let mut sockets = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            socket(line).ok_or_else(|| {
                let problem = format!("{line:?} is no listening socket");
                ParseError::new("the output of ss", index + 1, problem)
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    sockets.retain(|socket| !has_automatic_name(socket) && !belongs_to_a_container(socket));
    sockets.sort();
    sockets.dedup();
    Ok(sockets)
}

/// A socket that asked for no name got five digits from the kernel (unix(7), "autobind"): they say nothing of it.
fn has_automatic_name(socket: &str) -> bool {
    let digits = socket.strip_prefix("unix @").unwrap_or_default();
    digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A container's monitor listens, below a folder of its own, for whoever attaches to it: it goes with its container,
/// which pictures show for itself.
fn belongs_to_a_container(socket: &str) -> bool {
    socket.starts_with("unix /proc/self/fd/")
}

fn socket(line: &str) -> Option<String> {
    let mut columns = line.split_whitespace();
    let kind = match columns.next()? {
        kind @ ("tcp" | "udp") => kind,
        "u_str" | "u_dgr" | "u_seq" => "unix",
        _ => return None,
    };
    columns.nth(3).map(|address| format!("{kind} {address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_kind_and_address() {
        let text = "udp UNCONN 0 0 127.0.0.54:53 0.0.0.0:* users:((\"x\",pid=1,fd=2))\n\
            tcp LISTEN 0 4096 *:8096 *:*\n\
            u_str LISTEN 0 4096 /run/user/1000/podman/podman.sock 12345 * 0\n\
            u_dgr UNCONN 0 0 @01a3f 23456 * 0\n\
            u_seq LISTEN 0 1 /proc/self/fd/11/a7742b7999ce66e90d896503feae7c7b31920a055b839954946fa5858d8e08dc 1 * 0\n\
            tcp LISTEN 0 4096 *:8096 *:*\n";
        let expected = ["tcp *:8096", "udp 127.0.0.54:53", "unix /run/user/1000/podman/podman.sock"];
        assert_eq!(parse_sockets(text).unwrap(), expected);
        for line in ["tcp LISTEN 0", "bash: ss: command not found", ""] {
            let error = parse_sockets(&format!("{text}{line}\n")).unwrap_err();
            assert_eq!(error.line, 7, "{error}");
        }
    }
}
