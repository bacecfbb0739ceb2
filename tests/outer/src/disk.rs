//! A small disk for one of the processes, to be filled: a file system in memory where one may be mounted, or else a limit for the
//! size of files.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The small disk.
pub enum SmallDisk {
    /// Mounted here. It is full for real: ENOSPC.
    Mounted(PathBuf),
    /// Nothing may be mounted. While this is set, files of the process may have so many bytes: EFBIG.
    Limited(Option<u64>),
}

impl SmallDisk {
    /// How much it holds: many snapshots of what clients write.
    const BYTES: u64 = 4 << 20;

    /// Mounts it on this directory, if that is allowed.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn new(directory: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let size = format!("size={}", Self::BYTES);
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "outer"]).arg(directory).stdout(Stdio::null()).stderr(Stdio::null());
        let mounted = mount.status().is_ok_and(|status| status.success());
        Ok(if mounted { Self::Mounted(directory.to_path_buf()) } else { Self::Limited(None) })
    }

    /// What it is, for the summary.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mounted(_) => "a file system of 4 MiB",
            Self::Limited(_) => "a limit for the size of files, since nothing may be mounted here",
        }
    }

    /// Whether there may be no room.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Mounted(directory) => ballast(directory).exists(),
            Self::Limited(limit) => limit.is_some(),
        }
    }

    /// Whether a process says that it ended for want of room.
    pub fn is_blamed(said: &str) -> bool {
        said.contains("the disk is full") || said.contains("the disk failed: file too large")
    }

    /// Leaves no room. Whether the process has to be started anew for that.
    ///
    /// # Errors
    /// The ballast cannot be written, for another reason than that there is no room.
    pub fn fill(&mut self, data: &Path) -> std::io::Result<bool> {
        match self {
            Self::Mounted(directory) => {
                let mut file = File::create(ballast(directory))?;
                while file.write_all(&[0; 4096]).is_ok() {}
                // The last bytes, too.
                while file.write_all(&[0; 1]).is_ok() {}
                Ok(false)
            }
            Self::Limited(limit) => {
                let sizes = std::fs::read_dir(data)?.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
                *limit = Some(sizes.max().unwrap_or(0) + 2048);
                Ok(true)
            }
        }
    }

    /// Makes room again.
    pub fn free(&mut self) {
        match self {
            Self::Mounted(directory) => drop(std::fs::remove_file(ballast(directory))),
            Self::Limited(limit) => *limit = None,
        }
    }

    /// A program that starts under the limit, if there is one. A write beyond it fails then, instead of a signal that kills.
    pub fn command(&self, program: &Path) -> Command {
        let Self::Limited(Some(bytes)) = self else { return Command::new(program) };
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes.div_ceil(512));
        command.args(["-c", &script]).arg(program);
        command
    }
}

/// What is on it goes to where it was mounted: a failure may be about that.
impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.free();
        if let Self::Mounted(directory) = self {
            let paths = std::fs::read_dir(&*directory).into_iter().flatten().flatten().map(|entry| entry.path());
            let files: Vec<_> = paths.filter_map(|path| Some((std::fs::read(&path).ok()?, path))).collect();
            // Lazily: a process may need a moment to be gone.
            let _ = Command::new("umount").arg("-l").arg(directory).status();
            for (bytes, path) in files {
                let _ = std::fs::write(path, bytes);
            }
        }
    }
}

fn ballast(directory: &Path) -> PathBuf {
    directory.join("ballast")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_takes_nothing_and_takes_it_again_when_it_is_freed() {
        let directory = tempfile::tempdir().unwrap();
        let mut disk = SmallDisk::new(directory.path()).unwrap();
        disk.fill(directory.path()).unwrap();
        assert!(disk.is_full());
        let writes = |disk: &SmallDisk| {
            let (file, script) = (directory.path().join("file"), "head -c 8192 /dev/zero > \"$0\"");
            let mut command = disk.command(Path::new("sh"));
            command.args(["-c", script]).arg(file).stderr(Stdio::null());
            command.status().unwrap().success()
        };
        assert!(!writes(&disk));
        disk.free();
        assert!(!disk.is_full() && writes(&disk));
        drop(disk);
        assert_eq!(std::fs::read(directory.path().join("file")).unwrap().len(), 8192, "it is kept");
    }

    #[test]
    fn a_limit_stands_in_where_nothing_may_be_mounted() {
        let directory = tempfile::tempdir().unwrap();
        let mut disk = SmallDisk::Limited(None);
        assert!(disk.fill(directory.path()).unwrap());
        let mut command = disk.command(Path::new("sh"));
        command
            .args(["-c", "head -c 8192 /dev/zero > \"$0\""])
            .arg(directory.path().join("file"))
            .stderr(Stdio::null());
        assert!(!command.status().unwrap().success());
    }
}
