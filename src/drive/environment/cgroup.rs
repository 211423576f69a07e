//! The control groups this process is in, v1, v2 or both, and what they allow.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::root::{Root, keyed};

/// The control groups this process is in, as directories.
#[derive(Clone, Debug)]
pub struct Cgroups {
    root: Root,
    /// The directory of the v2 group, and the mount point it lies under.
    unified: Option<(PathBuf, PathBuf)>,
    /// The same for each v1 controller that is mounted.
    controllers: BTreeMap<String, (PathBuf, PathBuf)>,
}

impl Cgroups {
    /// Finds them by `/proc/self/mountinfo` and `/proc/self/cgroup`.
    pub fn find(root: &Root) -> Cgroups {
        let mut groups =
            Cgroups { root: root.clone(), unified: None, controllers: BTreeMap::new() };
        let mounts = root.text("/proc/self/mountinfo").unwrap_or_default();
        let memberships = root.text("/proc/self/cgroup").unwrap_or_default();
        for mount in mounts.lines().filter_map(CgroupMount::parse) {
            for membership in memberships.lines() {
                let mut fields = membership.splitn(3, ':').skip(1);
                let (Some(names), Some(path)) = (fields.next(), fields.next()) else { continue };
                if mount.is_unified && names.is_empty() {
                    groups.unified.get_or_insert((mount.directory(path), mount.point.clone()));
                } else if !mount.is_unified {
                    for name in names.split(',').filter(|name| mount.options.contains(name)) {
                        let place = (mount.directory(path), mount.point.clone());
                        groups.controllers.entry(name.to_owned()).or_insert(place);
                    }
                }
            }
        }
        groups
    }

    /// The directory of this process's v2 group, as the machine names it.
    pub fn unified_directory(&self) -> Option<&Path> {
        self.unified.as_ref().map(|(directory, _)| directory.as_path())
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        match (self.unified.is_some(), self.controllers.is_empty()) {
            (true, true) => Some("v2"),
            (true, false) => Some("hybrid"),
            (false, false) => Some("v1"),
            (false, true) => None,
        }
    }

    /// What a file says in the group of a controller and in each of its ancestors, the group first.
    fn values(&self, controller: &str, file: &str) -> Vec<(PathBuf, String)> {
        let places = self.controllers.get(controller).into_iter().chain(&self.unified);
        places
            .flat_map(|(directory, top)| {
                directory.ancestors().take_while(move |a| a.starts_with(top))
            })
            .filter_map(|directory| {
                Some((directory.to_owned(), self.root.text(directory.join(file))?))
            })
            .collect()
    }

    /// The tightest limit of memory, in bytes.
    pub(super) fn memory_max(&self) -> Option<u64> {
        let limits = ["memory.max", "memory.limit_in_bytes"];
        let values = limits.into_iter().flat_map(|file| self.values("memory", file));
        values.filter_map(|(_, text)| limited(&text)).min()
    }

    /// The tightest limit of processes and threads.
    pub(super) fn pids_max(&self) -> Option<u64> {
        self.values("pids", "pids.max").into_iter().filter_map(|(_, text)| limited(&text)).min()
    }

    /// The tightest quota of CPU time, in the words of v2.
    pub(super) fn cpu_max(&self) -> Option<String> {
        let modern = self.values("cpu", "cpu.max").into_iter().map(|(_, text)| text);
        let classic =
            self.values("cpu", "cpu.cfs_quota_us").into_iter().filter_map(|(group, quota)| {
                Some(format!("{quota} {}", self.root.text(group.join("cpu.cfs_period_us"))?))
            });
        modern
            .chain(classic)
            .filter_map(|text| Some((quota_share(&text)?, text)))
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .map(|(_, text)| text)
    }

    /// How long the group was held back by its quota: microseconds since it was made.
    pub(super) fn throttled_us(&self) -> Option<u64> {
        let (_, text) = self.values("cpu", "cpu.stat").into_iter().next()?;
        match keyed(&text, "throttled_usec") {
            Some(microseconds) => Some(microseconds),
            None => keyed(&text, "throttled_time").map(|nanoseconds| nanoseconds / 1000),
        }
    }

    /// How much more memory the group and its ancestors allow, and which of them is the tightest.
    /// File pages that lie unused count as free, since the kernel drops them first.
    pub(super) fn memory_headroom(&self) -> Option<(u64, PathBuf)> {
        let kinds = [
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ];
        kinds
            .into_iter()
            .flat_map(|(limit, usage, unused)| {
                self.values("memory", limit).into_iter().filter_map(move |(group, text)| {
                    let maximum = limited(&text)?;
                    let used = self.root.number(group.join(usage))?;
                    let statistics = self.root.text(group.join("memory.stat")).unwrap_or_default();
                    let kept = used.saturating_sub(keyed(&statistics, unused).unwrap_or(0));
                    Some((maximum.saturating_sub(kept), group.join(limit)))
                })
            })
            .min()
    }
}

/// What v1 says for "no limit" is the largest multiple of a page; anything near it means the same.
const V1_UNLIMITED: u64 = 1 << 62;

/// A limit as a number; nothing where it says that there is none.
fn limited(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number < V1_UNLIMITED)
}

/// One mounted hierarchy of control groups.
struct CgroupMount<'a> {
    is_unified: bool,
    /// The group that stands at the mount point: not `/` inside some containers.
    root: &'a str,
    point: PathBuf,
    /// The options of the file system, among them the controllers of v1.
    options: Vec<&'a str>,
}

impl CgroupMount<'_> {
    /// Reads a line of mountinfo (proc_pid_mountinfo(5)).
    fn parse(line: &str) -> Option<CgroupMount<'_>> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut file_system = file_system.split(' ');
        let kind = file_system.next()?;
        let options = file_system.nth(1)?.split(',').collect();
        matches!(kind, "cgroup" | "cgroup2").then(|| CgroupMount {
            is_unified: kind == "cgroup2",
            root,
            point: PathBuf::from(point),
            options,
        })
    }

    /// Where a group stands in this mount. One that lies outside it (`/..`) is taken for its top.
    fn directory(&self, group: &str) -> PathBuf {
        let inside = Path::new(group).strip_prefix(self.root).unwrap_or(Path::new(""));
        if inside.components().any(|part| part == Component::ParentDir) {
            return self.point.clone();
        }
        // `join` of nothing would leave a slash at the end.
        if inside.as_os_str().is_empty() { self.point.clone() } else { self.point.join(inside) }
    }
}

/// The CPUs' worth of time that a quota (`50000 100000`) allows; nothing if it sets none.
fn quota_share(quota: &str) -> Option<f64> {
    let (time, period) = quota.split_once(' ')?;
    let (time, period): (f64, f64) = (time.parse().ok()?, period.parse().ok()?);
    (time > 0.0 && period > 0.0).then(|| time / period)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn hybrid() -> Fixture {
        Fixture::new(&[
            (
                "/proc/self/mountinfo",
                "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                 35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                 36 31 0:33 /docker/abc /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                 41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            ),
            (
                "/proc/self/cgroup",
                "3:cpu,cpuacct:/job\n2:memory:/docker/abc/inner\n1:pids:/../elsewhere\n0::/\n",
            ),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "50000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/job/cpu.stat", "nr_periods 2\nthrottled_time 5000000\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "1048576\n"),
            ("/sys/fs/cgroup/memory/inner/memory.usage_in_bytes", "524288\n"),
            ("/sys/fs/cgroup/pids/pids.max", "77\n"),
        ])
    }

    #[test]
    fn groups_of_both_versions_are_found_where_they_are_mounted() {
        let fixture = hybrid();
        let groups = Cgroups::find(&fixture.root());
        assert_eq!(groups.version(), Some("hybrid"));
        assert_eq!(groups.unified_directory(), Some(Path::new("/sys/fs/cgroup/unified")));
        assert_eq!(groups.cpu_max().as_deref(), Some("50000 100000"));
        assert_eq!(groups.throttled_us(), Some(5000));
        assert_eq!(groups.memory_max(), Some(1 << 20));
        assert_eq!(groups.pids_max(), Some(77), "a group outside the mount is taken for its top");
        let headroom = groups.memory_headroom().expect("a limit");
        assert_eq!(headroom.0, 1 << 19);
        assert!(headroom.1.ends_with("memory/inner/memory.limit_in_bytes"), "{headroom:?}");
    }

    #[test]
    fn no_hierarchy_is_no_group() {
        let groups = Cgroups::find(&Fixture::new(&[]).root());
        assert_eq!(groups.version(), None);
        assert_eq!(groups.unified_directory(), None);
        assert_eq!(groups.memory_headroom(), None);
    }

    #[test]
    fn the_tightest_quota_of_all_ancestors_counts() {
        let guest = Fixture::guest();
        guest.write("/sys/fs/cgroup/user.slice/cpu.max", "20000 100000\n");
        guest.write("/sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000\n");
        assert_eq!(Cgroups::find(&guest.root()).cpu_max().as_deref(), Some("20000 100000"));
    }
}
