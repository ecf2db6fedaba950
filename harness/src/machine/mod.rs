//! One QEMU process: start, freeze, clone, pause, power-cut, end. Only this module knows QEMU.
//!
//! A machine is either running or paused. In virtual time it is paused whenever nothing is asked of it, so that guest
//! time passes only for a reason; the guest pauses itself at the end of each command (see [`PAUSE_PROGRAM`]).

mod accelerator;
mod answer;
mod arguments;
mod console;
mod disk;
mod error;
mod lifecycle;
mod migration;
mod node;
mod process;
mod qmp;
mod spec;

pub use accelerator::{Accelerator, Probe, probe};
pub use arguments::command_line;
pub use error::Error;
pub use lifecycle::Machine;
pub use node::{DirectBoot, Node, look_at_node};
pub use process::{QEMU, qemu_version};
pub use spec::{Access, Clock, Disk, Overlay, Program, Spec};

/// A result whose error is the machine's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A Linux program for x86_64 that pauses its own machine for every byte it reads: it writes 1 to the I/O port 0x505
/// of QEMU's `pvpanic` device, which QEMU answers, under `-action panic=pause`, by stopping the processor at that very
/// instruction. So the guest's clock stands still from the end of a command until somebody resumes the machine.
///
/// It is an ELF header, one program header, and this code, since no guest can be relied on to have `/dev/port`:
///
/// ```text
///         mov eax, 172    ; iopl(3): allow I/O instructions (needs CAP_SYS_RAWIO)
///         mov edi, 3
///         syscall
/// again:  xor eax, eax    ; read(0, stack, 1)
///         xor edi, edi
///         mov rsi, rsp
///         mov edx, 1
///         syscall
///         dec eax
///         jnz done
///         mov edx, 0x505
///         mov al, 1
///         out dx, al
///         jmp again
/// done:   mov eax, 60     ; exit(0)
///         xor edi, edi
///         syscall
/// ```
pub const PAUSE_PROGRAM: &[u8] = &[
    0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 64-bit, little endian
    2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0, // executable, x86_64, entry 0x400078
    64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // program headers at 64, no sections
    0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0, // one program header of 56 bytes
    1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // load, read and execute, from offset 0
    0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, // at 0x400000
    0xa9, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0, 0, 0, 0, 0, 0, 0, // 169 bytes
    0, 0x10, 0, 0, 0, 0, 0, 0, // aligned to a page
    0xb8, 0xac, 0, 0, 0, 0xbf, 3, 0, 0, 0, 0x0f, 5, // iopl(3)
    0x31, 0xc0, 0x31, 0xff, 0x48, 0x89, 0xe6, 0xba, 1, 0, 0, 0, 0x0f, 5, // read
    0xff, 0xc8, 0x75, 0x0a, // until the end
    0xba, 5, 5, 0, 0, 0xb0, 1, 0xee, 0xeb, 0xe4, // out 0x505, 1, and again
    0xb8, 0x3c, 0, 0, 0, 0x31, 0xff, 0x0f, 5, // exit(0)
];

#[cfg(test)]
mod tests {
    use super::PAUSE_PROGRAM;

    #[test]
    fn the_pause_program_says_its_own_size() {
        assert_eq!(PAUSE_PROGRAM.len(), 0xa9);
        assert_eq!(PAUSE_PROGRAM[96], 0xa9);
    }
}
