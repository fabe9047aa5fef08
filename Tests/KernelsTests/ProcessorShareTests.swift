import Kernels
import Testing

@Suite("The processors that a process may use") struct ProcessorShareTests {
    private static let second = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let first =
        """
        31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - \
        cgroup cgroup rw,cpu,cpuacct\n
        """
        + "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

    private static func quota(_ groups: String, _ mounts: String, _ files: [String: String]) -> Int? {
        ProcessorShare.quota(groups: groups, mounts: mounts) { files[$0] }
    }

    @Test(
        "the quota of version 2, rounded up to whole processors",
        arguments: [
            ("max 100000", nil), ("150000 100000", 2), ("200000 100000\n", 2), ("10000 100000", 1),
            ("1600000 100000", 16), ("0 100000", nil), ("", nil),
            ("a b", nil), ("100000 0", nil),
        ] as [(String, Int?)])
    func second(_ text: String, _ expected: Int?) {
        #expect(Self.quota("0::/job\n", Self.second, ["/sys/fs/cgroup/job/cpu.max": text]) == expected)
    }

    @Test("the smallest of a group and those above it counts") func parents() {
        let files = [
            "/sys/fs/cgroup/a/cpu.max": "250000 100000", "/sys/fs/cgroup/a/b/cpu.max": "max 100000",
            "/sys/fs/cgroup/a/b/c/cpu.max": "800000 100000",
        ]
        #expect(Self.quota("0::/a/b/c", Self.second, files) == 3)
    }

    @Test("in a container of its own the root's quota is the one") func container() {
        #expect(Self.quota("0::/", Self.second, ["/sys/fs/cgroup/cpu.max": "50000 100000"]) == 1)
        #expect(Self.quota("0::/../../other", Self.second, ["/sys/fs/cgroup/cpu.max": "350000 100000"]) == 4)
        // The path is the machine's, and only the container's own group is there.
        #expect(Self.quota("0::/docker/4f", Self.second, ["/sys/fs/cgroup/cpu.max": "350000 100000"]) == 4)
    }

    @Test("the quota of version 1 is in the group of processor time") func version1() {
        let groups = "9:cpuset:/job\n4:cpu,cpuacct:/slurm/job\n0::/\n"
        var files = [
            "/sys/fs/cgroup/cpu,cpuacct/slurm/job/cpu.cfs_quota_us": "-1\n",
            "/sys/fs/cgroup/cpu,cpuacct/slurm/job/cpu.cfs_period_us": "100000\n",
        ]
        #expect(Self.quota(groups, Self.first, files) == nil)
        files["/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us"] = "50000\n"
        files["/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_period_us"] = "20000\n"
        #expect(Self.quota(groups, Self.first, files) == 3)
        // A container that mounts its own group.
        let mounts = "32 31 0:29 /slurm/job /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        #expect(
            Self.quota(
                groups, mounts,
                [
                    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
                    "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                ]) == 1)
    }

    @Test("where nothing is said or nothing can be read there is no quota") func none() {
        #expect(Self.quota("", "", [:]) == nil)
        #expect(Self.quota("0::/a", Self.second, [:]) == nil)
        #expect(
            Self.quota(
                "nonsense\n::\n0::/a", "nonsense - - -\n" + Self.second,
                ["/sys/fs/cgroup/a/cpu.max": "100000 100000"]) == 1)
    }

    @Test("here it is at least one, and the pool begins with it") func here() {
        #expect(ProcessorShare.count >= 1)
    }
}
