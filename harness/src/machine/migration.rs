//! Migration: the way by which a machine's state goes into a file and comes out of it.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::lifecycle::{DEVICES, Machine};
use super::{Error, Result};

impl Machine {
    /// Writes the state of the devices, and the memory unless that is in a file already.
    pub(super) async fn save(&mut self, memory_is_shared: bool) -> Result<()> {
        self.set_capabilities(memory_is_shared).await?;
        self.migrate("migrate", format!("exec:cat > {DEVICES}"), "for the state of the devices to be written").await
    }

    /// Reads what [`Machine::save`] has written.
    pub(super) async fn load(&mut self, devices: &Path, memory_is_shared: bool) -> Result<()> {
        self.set_capabilities(memory_is_shared).await?;
        let link = self.folder.join(DEVICES);
        // The link is followed from the machine's folder, so the file's name must not depend on ours; and QEMU would
        // wait for ever for a file that is not there.
        let devices = devices.canonicalize().map_err(Error::io("find", devices))?;
        std::os::unix::fs::symlink(devices, &link).map_err(Error::io("link", &link))?;
        let uri = format!("exec:cat {DEVICES}");
        self.migrate("migrate-incoming", uri, "for the state of the devices to be read").await?;
        // Were the link left there, keeping this machine would write its own state into the template's file.
        fs::remove_file(&link).map_err(Error::io("remove", &link))
    }

    async fn set_capabilities(&mut self, memory_is_shared: bool) -> Result<()> {
        let capabilities = json!([
            { "capability": "events", "state": true },
            { "capability": "x-ignore-shared", "state": memory_is_shared },
        ]);
        self.qmp.execute("migrate-set-capabilities", json!({ "capabilities": capabilities })).await?;
        Ok(())
    }

    async fn migrate(&mut self, command: &str, uri: String, waiting: &str) -> Result<()> {
        let qmp = &mut self.qmp;
        let work = async {
            qmp.execute(command, json!({ "uri": uri })).await?;
            let ended = |event: &super::qmp::Event| {
                event.name == "MIGRATION" && matches!(event.data["status"].as_str(), Some("completed" | "failed"))
            };
            let event = qmp.event(ended).await?;
            if event.data["status"] == "failed" {
                let answer = "the migration failed; qemu.log in the machine's folder may say more".to_owned();
                return Err(Error::Refused { command: command.to_owned(), answer });
            }
            Ok(())
        };
        self.process.watch(waiting, 120, work).await
    }
}
