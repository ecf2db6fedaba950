//! QEMU's machine protocol: one command at a time, events in between kept for whoever waits for them.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::{Error, Result};

/// How long QEMU may take to answer a command.
const ANSWER: Duration = Duration::from_secs(120);

/// A connection to QEMU's control socket.
#[derive(Debug)]
pub(super) struct Qmp {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    events: VecDeque<Event>,
    /// What was read of a line so far: a wait may be given up in the middle of one.
    partial: Vec<u8>,
}

/// Something QEMU said of itself.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// `STOP`, `RESUME`, `MIGRATION`, `GUEST_PANICKED`, …
    pub name: String,
    /// Its data.
    pub data: Value,
}

impl Qmp {
    /// Takes the greeting and enters command mode.
    pub async fn connect(stream: UnixStream) -> Result<Qmp> {
        let (read, writer) = stream.into_split();
        let mut qmp = Qmp { reader: BufReader::new(read), writer, events: VecDeque::new(), partial: Vec::new() };
        qmp.read("qmp_capabilities").await?;
        qmp.execute("qmp_capabilities", json!({})).await?;
        Ok(qmp)
    }

    /// Runs one command and gives what it returns. QEMU answers at once, also where what it begins takes longer: one that
    /// does not is stuck.
    pub async fn execute(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let stuck = |_| Error::Refused {
            command: command.to_owned(),
            answer: format!("nothing, for {} s: QEMU is stuck", ANSWER.as_secs()),
        };
        tokio::time::timeout(ANSWER, self.ask(command, arguments)).await.map_err(stuck)?
    }

    async fn ask(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let mut line = json!({ "execute": command, "arguments": arguments }).to_string();
        line.push('\n');
        let sent = self.writer.write_all(line.as_bytes()).await;
        sent.map_err(|_| Error::Closed { command: command.to_owned() })?;
        loop {
            let mut message = self.read(command).await?;
            if let Some(returned) = message.get_mut("return") {
                return Ok(returned.take());
            }
            if let Some(error) = message.get("error") {
                let answer = error.get("desc").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
                return Err(Error::Refused { command: command.to_owned(), answer });
            }
            self.keep(message);
        }
    }

    /// Where each processor of the machine is: its `RIP`, in hexadecimal. Only QEMU's monitor for people tells.
    pub async fn instruction_pointers(&mut self) -> Result<Vec<String>> {
        let registers = self.execute("human-monitor-command", json!({ "command-line": "info registers -a" })).await?;
        Ok(pointers(registers.as_str().unwrap_or_default()))
    }

    /// Waits for the first event that `wanted` recognises, dropping those before it.
    pub async fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Result<Event> {
        loop {
            while let Some(event) = self.events.pop_front() {
                if wanted(&event) {
                    return Ok(event);
                }
            }
            let message = self.read("waiting for an event").await?;
            self.keep(message);
        }
    }

    /// As [`Qmp::event`], but gives none when the time is over.
    pub async fn event_within(&mut self, limit: Duration, wanted: impl Fn(&Event) -> bool) -> Result<Option<Event>> {
        tokio::time::timeout(limit, self.event(wanted)).await.ok().transpose()
    }

    /// Forgets the events that nobody waited for.
    pub fn forget_events(&mut self) {
        self.events.clear();
    }

    fn keep(&mut self, mut message: Value) {
        let Some(name) = message.get("event").and_then(Value::as_str).map(str::to_owned) else { return };
        let data = message.get_mut("data").map(Value::take).unwrap_or_default();
        self.events.push_back(Event { name, data });
    }

    async fn read(&mut self, command: &str) -> Result<Value> {
        let closed = || Error::Closed { command: command.to_owned() };
        // `read_until` leaves what it has in `partial` when this future is dropped; `read_line` would not.
        let count = self.reader.read_until(b'\n', &mut self.partial).await.map_err(|_| closed())?;
        if count == 0 {
            return Err(closed());
        }
        let line = std::mem::take(&mut self.partial);
        serde_json::from_slice(&line).map_err(|error| Error::Refused {
            command: command.to_owned(),
            answer: format!("no JSON ({error}): {}", String::from_utf8_lossy(&line)),
        })
    }
}

/// The instruction pointers among the registers that the monitor shows.
fn pointers(registers: &str) -> Vec<String> {
    registers.split_whitespace().filter_map(|word| word.strip_prefix("RIP=")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_processors_place_is_found_among_its_registers() {
        let registers = "\r\nCPU#0\r\nRAX=0000000000000001 RBX=0000000000000000\r\n\
                         RIP=ffffffff81e3f5b1 RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n\
                         CPU#1\r\nRIP=0000000000400098 RFL=00000246 [---Z-P-] CPL=3 II=0 A20=1 SMM=0 HLT=0\r\n";
        assert_eq!(pointers(registers), ["ffffffff81e3f5b1", "0000000000400098"]);
    }
}
