//! What the template of a Debian host is made from: the guest image, and a seed that makes it that host.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::generation::Generation;
use crate::guest::{self, Seed, SeedFile};
use crate::image::guest::{CONTAINERS_MIB, GuestImage, ROOT_MIB};
use crate::image::{Key, Progress, Store};
use crate::image::{guest_program, test_image};
use crate::machine::{Accelerator, Access, Clock, Disk, Program, Spec};

use super::bake::{self, Bake};
use super::host::Shape;
use super::project::Secrets;
use super::surroundings::Surroundings;
use super::{Error, Project, Result};

/// The kernel's command line. Nothing on it changes what the stacks do; it only keeps emulation short. A panic must not
/// restart the guest behind our back. Programs lie at the same addresses whenever they are started (`norandmaps`): the
/// emulator keeps what it has translated by address, and would translate a library anew for each program that loads it.
/// Memory is cleared for whoever asks for clean memory, not once more for everyone (`init_on_alloc`): one part in a hundred.
/// Nobody asks how long others waited (`psi`) or what the kernel itself takes for a group (`cgroup.memory`): two in a hundred.
/// Security modules are those of NixOS (`lsm`), and the kernel's stack stays where it is (`randomize_kstack_offset`): one in
/// a hundred.
const APPEND: &str = "console=ttyS0 rw quiet loglevel=4 panic=0 systemd.show_status=0 mitigations=off audit=0 \
                      apparmor=0 nokaslr norandmaps rcupdate.rcu_expedited=1 fsck.mode=skip random.trust_cpu=on \
                      init_on_alloc=0 psi=0 cgroup.memory=nokmem,nosocket lsm=landlock,yama,bpf \
                      randomize_kstack_offset=off";

/// Everything that a template is made from.
pub(super) struct Recipe<'a> {
    pub store: &'a Store,
    pub image: &'a GuestImage,
    pub generation: &'a Generation,
    pub project: &'a Project,
    pub secrets: &'a Secrets,
    pub accelerator: Accelerator,
    pub shape: Shape,
}

impl Recipe<'_> {
    /// What the host's template is baked from.
    pub fn bake(&self, progress: &dyn Progress) -> Result<Bake<'_>> {
        let seed = self.seed(progress)?;
        let spec = self.spec(&seed);
        let key = self.key(&seed, &spec)?;
        Ok(Bake { store: self.store, key, spec, kind: &guest::DEBIAN, manifest: &self.generation.manifest })
    }

    fn key(&self, seed: &Path, spec: &Spec) -> Result<Key> {
        let seed_name = seed.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let image = self.image.entry().path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(bake::key(spec)?.part("image", image).part("seed", seed_name).finish())
    }

    fn spec(&self, seed: &Path) -> Spec {
        let Shape { clock, cpus } = self.shape;
        let accelerator = match clock {
            Clock::Virtual => Accelerator::Tcg,
            Clock::Real => self.accelerator,
        };
        let disk = |serial: &str, base: PathBuf, access| Disk { serial: serial.to_owned(), base, access };
        let disks = vec![
            disk("root", self.image.disk(), Access::Memory { mib: ROOT_MIB }),
            disk("containers", self.image.containers(), Access::Memory { mib: CONTAINERS_MIB }),
            disk("seed", seed.to_owned(), Access::ReadOnly),
        ];
        Spec {
            accelerator,
            clock,
            cpus,
            memory_mib: if self.generation.manifest.containers() > 30 { 2048 } else { 1024 },
            program: Program::Kernel {
                kernel: self.image.kernel(),
                initrd: self.image.initrd(),
                append: APPEND.to_owned(),
                disks,
            },
        }
    }

    /// The seed archive, which stays a disk of the machine as long as the template lives.
    fn seed(&self, progress: &dyn Progress) -> Result<PathBuf> {
        let busybox_path = self.image.busybox();
        let busybox = fs::read(&busybox_path).map_err(Error::io("read", &busybox_path))?;
        let surroundings = Surroundings::of(self.generation, &self.project.fstab()?)?;
        let images = &surroundings.images;
        let registry = test_image::registry(images, &busybox)?.into_iter().map(|file| SeedFile {
            path: format!("/var/lib/docker-registry/{}", file.path),
            mode: 0o644,
            content: file.bytes,
        });
        let decryptor_path = guest_program::get_or_build(self.project.root(), self.store, progress)?;
        let decryptor = fs::read(&decryptor_path).map_err(Error::io("read", &decryptor_path))?;
        let seed = Seed {
            generation: self.generation,
            secrets: self.secrets,
            secrets_key: self.project.secrets_key()?,
            decryptor,
            images: test_image::archive(images, &busybox)?,
            files: registry.chain(surroundings.files).collect(),
            folders: surroundings.folders,
        };
        let mut archive = Cursor::new(Vec::new());
        seed.write(&mut archive)?;
        let bytes = archive.into_inner();
        let key = Key::builder().part("content", hex::encode(Sha256::digest(&bytes))).finish();
        let entry = self.store.get_or_build("seed", &key, progress, |folder| {
            let path = folder.join("seed.tar");
            fs::write(&path, &bytes).map_err(Error::io("write", &path))
        })?;
        Ok(entry.file("seed.tar"))
    }
}
