//! A machine made of files, for tests.

use std::fs;
use std::path::Path;

use super::root::Root;

/// A `/proc` and `/sys` in a directory that goes away with it.
pub(super) struct Fixture(tempfile::TempDir);

impl Fixture {
    /// The machine of those files, by absolute path.
    pub(super) fn new(files: &[(&str, &str)]) -> Fixture {
        let fixture = Fixture(tempfile::tempdir().expect("a temporary directory"));
        for (path, text) in files {
            fixture.write(path, text);
        }
        fixture
    }

    /// A virtual machine with two processors, cgroup v2, and nothing to complain of but that.
    pub(super) fn guest() -> Fixture {
        Fixture::new(&[
            (
                "/proc/cpuinfo",
                "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n\
                 model name\t: AMD EPYC\nstepping\t: 1\nmicrocode\t: 0x1000065\n\
                 cpu MHz\t\t: 2596.138\nflags\t\t: fpu vme hypervisor\nbogomips\t: 5192.27\n\n\
                 processor\t: 1\nvendor_id\t: Other\n",
            ),
            ("/proc/sys/kernel/osrelease", "6.18.44\n"),
            ("/proc/sys/kernel/perf_event_paranoid", "-1\n"),
            ("/proc/sys/kernel/pid_max", "32768\n"),
            (
                "/proc/meminfo",
                "MemTotal:  24684084 kB\nMemAvailable:   16777216 kB\nSwapTotal: 0 kB\n",
            ),
            (
                "/proc/self/status",
                "Name:\tforkbench\nTracerPid:\t0\nSeccomp:\t2\nCpus_allowed:\tb\n\
                 Cpus_allowed_list:\t0-1,3\n",
            ),
            (
                "/proc/self/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             192730               192730               processes \n\
                 Max open files            1024                 unlimited            files     \n",
            ),
            (
                "/proc/self/mountinfo",
                "31 23 0:28 / /sys rw - sysfs sysfs rw\n\
                 41 31 0:38 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            ),
            ("/proc/self/cgroup", "0::/user.slice/job\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "8589934592\n"),
            ("/sys/fs/cgroup/user.slice/memory.current", "3221225472\n"),
            ("/sys/fs/cgroup/user.slice/memory.stat", "anon 1\ninactive_file 1073741824\n"),
            ("/sys/fs/cgroup/user.slice/job/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/job/memory.current", "1000\n"),
            ("/sys/fs/cgroup/user.slice/job/pids.max", "500\n"),
            ("/sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n"),
            ("/sys/fs/cgroup/user.slice/job/cpu.stat", "usage_usec 9\nthrottled_usec 0\n"),
            ("/sys/devices/system/cpu/online", "0-1\n"),
            ("/sys/devices/system/cpu/smt/active", "0\n"),
            ("/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n"),
            ("/sys/devices/system/cpu/vulnerabilities/retbleed", "Mitigation: untrained\n"),
            ("/sys/devices/system/cpu/cpu0/cache/index0/level", "1\n"),
            ("/sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n"),
            ("/sys/devices/system/cpu/cpu0/cache/index0/size", "32K\n"),
            ("/sys/devices/system/cpu/cpu0/cache/index3/level", "3\n"),
            ("/sys/devices/system/cpu/cpu0/cache/index3/type", "Unified\n"),
            ("/sys/devices/system/cpu/cpu0/cache/index3/size", "32768K\n"),
            ("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "16\n"),
            ("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "12\n"),
            ("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n"),
            ("/proc/pressure/cpu", "some avg10=1.20 avg60=5.80 avg300=10.86 total=7000\n"),
            ("/proc/loadavg", "0.25 0.10 0.05 1/99 4242\n"),
            ("/proc/uptime", "100.50 190.00\n"),
            (
                "/proc/stat",
                "cpu  100 0 50 9800 10 0 0 40 7 0\nctxt 500\nintr 900 1 2\nprocesses 60\n",
            ),
        ])
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    pub(super) fn root(&self) -> Root {
        Root::under(self.0.path())
    }
}
