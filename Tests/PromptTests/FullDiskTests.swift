import Files
import TestSupport
import Testing

extension ProcessTests {
    @Suite("A disk without room") struct FullDiskTests {
        /// How this user may mount a file system of their own, if they may.
        private static let mounting: String? = ["unshare --mount", "unshare --mount --map-root-user"].first {
            command in
            let script = "\(command) sh -c 'mount -t tmpfs -o size=64k tmpfs /mnt'"
            guard let folder = try? TemporaryFolder() else { return false }
            return (try? ChildProcess("/bin/sh", ["-c", script], output: folder.path("told")).wait().status)
                == 0
        }

        private func shell(_ command: String, _ desk: Desk) throws -> ChildProcess.Ended {
            try ChildProcess("/bin/sh", ["-c", command], output: desk.folder.path("told")).wait()
        }

        /// Runs commands where `small` is a disk of that size, as the working folder; the notebook and its
        /// results lie there.
        /// - Parameter whole: results that the commands find as `whole/n.md` and so on in the desk's folder.
        private func onSmallDisk(
            _ size: String, _ desk: Desk, _ commands: String, _ whole: [String: [UInt8]] = [:]
        ) throws -> ChildProcess.Ended {
            let small = desk.folder.path("small")
            try FileSystem.createFolder(small)
            for (name, bytes) in whole {
                let path = desk.folder.path("whole/n" + (name.hasPrefix("/") ? ".out" : "") + name)
                try FileSystem.createFolder(FileSystem.folder(of: path))
                try AtomicFile.write(bytes, to: path)
            }
            try AtomicFile.write(
                """
                mount -t tmpfs -o size=\(size) tmpfs \(small) || exit 99
                for file in n.md n.lock n.out; do test ! -e \(desk.folder.path)/$file || cp -r \(desk.folder.path)/$file \(small); done
                cd \(small)
                noisebook=\(Executable.path)
                \(commands)
                """, to: desk.folder.path("script"))
            return try shell("\(Self.mounting ?? "false") sh \(desk.folder.path("script"))", desk)
        }

        @Test(
            """
            when outputs are written: the error names the disk and the file, all earlier results stay, \
            and with room the same command ends
            """,
            .enabled(if: mounting != nil)) func writing() throws
        {
            let desk = try Desk()
            try #require(desk.run().status == 0)
            let ended = try onSmallDisk(
                "1m", desk,
                """
                sed -i s/seed=1/seed=2/ n.md && mkdir \(desk.folder.path)/before && cp -r n.md n.lock n.out \(desk.folder.path)/before
                dd if=/dev/zero of=rest bs=1k count=2000 2> /dev/null
                $noisebook run n.md --write --threads 1 2> \(desk.folder.path)/error; echo status $?
                for file in n.md n.lock n.out; do diff -r $file \(desk.folder.path)/before/$file && echo same $file; done
                ls -A . n.out | grep partial
                rm rest
                $noisebook run n.md --write --threads 1; echo status $?
                """)
            let error = try FileSystem.readText(desk.folder.path("error"))
            #expect(error.contains("No space left on device"), "\(error)")
            #expect(error.contains("n.out/") && error.contains("make room on the disk"), "\(error)")
            #expect(error.contains("results are not kept in the cache"), "\(error)")
            #expect(ended.told.contains("status 2\nsame n.md\nsame n.lock\nsame n.out\n"), "\(ended.told)")
            #expect(!ended.told.contains(".partial"), "\(ended.told)")
            #expect(
                ended.told.hasSuffix("n.md: outputs of 2 of 2 cells written\nstatus 0\n"), "\(ended.told)")
        }

        @Test(
            "that the cache filled: it gives back what the outputs need",
            .enabled(if: mounting != nil, "a small disk cannot be mounted here"))
        func givingBack() throws {
            let desk = try Desk()
            try #require(desk.run().status == 0)
            let expected = try desk.results()
            try desk.forgetResults()
            var record = ReliabilityRecord(
                .disks, "`run --write` on disks that the cache fills before the outputs come")
            // The smallest is full with its first values; the others hold some and not all.
            for size in [100, 140, 180, 220, 260, 300] {
                let ended = try onSmallDisk(
                    "\(size)k", desk,
                    """
                    $noisebook run n.md --write --threads 1 2> \(desk.folder.path)/error; echo status $?
                    for file in n.md n.lock n.out; do diff -r $file \(desk.folder.path)/whole/$file || echo other $file; done
                    find . -name '*.partial'
                    """, expected)
                let error = try FileSystem.readText(desk.folder.path("error"))
                #expect(
                    ended.told == "n.md: outputs of 2 of 2 cells written\nstatus 0\n",
                    "\(size): \(ended.told) \(error)")
                #expect(error.contains("results are not kept in the cache"), "\(size): \(error)")
                record.note(error.contains("gave ") ? "outputs, in room that the cache gave back" : "outputs")
            }
            #expect(record.line.contains("gave back"), "\(record.line)")
            try record.write()
        }

        @Test(
            """
            in the middle of a run: the results come all the same, what was kept before stays, and the \
            run is told why it keeps no more
            """,
            .enabled(if: mounting != nil))
        func between() throws {
            let desk = try Desk()
            // Room for some of the entries.
            let ended = try onSmallDisk(
                "300k", desk,
                """
                $noisebook run n.md --threads 1 > \(desk.folder.path)/shown 2> \(desk.folder.path)/error; echo status $?
                find . -name '*.partial'
                $noisebook run n.md --threads 1 > \(desk.folder.path)/shown-again 2> \(desk.folder.path)/error-again; echo status $?
                """)
            #expect(ended.told == "status 0\nstatus 0\n")
            let plain = try shell(
                "\(Executable.path) run \(desk.folder.path("n.md")) --no-cache --threads 1", desk
            ).told
            for turn in ["", "-again"] {
                #expect(try FileSystem.readText(desk.folder.path("shown" + turn)) == plain)
                let error = try FileSystem.readText(desk.folder.path("error" + turn))
                #expect(
                    error.contains("results are not kept in the cache")
                        && error.contains(".noisebook/cache/"), "\(error)")
                #expect(error.contains("No space left on device"), "\(error)")
                #expect((error.firstRange(of: /denoise: cached [1-6]/) != nil) == !turn.isEmpty, "\(error)")
            }
        }

        @Test(
            "while a model is saved: nothing is left of it, and a model that was there stays",
            .enabled(if: mounting != nil))
        func saving() throws {
            let desk = try Desk()
            let ended = try onSmallDisk(
                "8m", desk,
                """
                $noisebook -e 'new vae channels=8,16 groups=4 | save v'
                sum=$(cat v/* | cksum)
                $noisebook -e 'model = load monsters; save model m' 2> \(desk.folder.path)/error; echo status $?
                $noisebook -e 'new vae channels=256,256 | save v' 2> \(desk.folder.path)/error-again; echo status $?
                test "$sum" = "$(cat v/* | cksum)" && ls -A
                """)
            #expect(ended.told == "status 2\nstatus 2\nn.md\nv\n", "\(ended.told)")
            for name in ["error", "error-again"] {
                let error = try FileSystem.readText(desk.folder.path(name))
                #expect(
                    error.contains("No space left on device") && error.contains("make room on the disk"),
                    "\(error)")
            }
        }

        @Test(
            """
            is what a limit on the size of files is like: nothing is kept or written, the results come, and \
            the notebook stays
            """) func limited() throws
        {
            let desk = try Desk()
            let before = try desk.results()
            func run(_ arguments: String) throws -> ChildProcess.Ended {
                try shell(
                    """
                    (ulimit -f 1; \(Executable.path) run \(desk.folder.path("n.md")) --threads 1 \
                    \(arguments); echo status $?) 2>&1 | cat
                    """, desk)
            }
            let ended = try run("")
            #expect(ended.told.contains("status 0"), "\(ended.told)")
            #expect(ended.told.contains("results are not kept in the cache"))
            #expect(ended.told.contains("File too large"))
            let writing = try run("--write")
            #expect(writing.told.contains("status 2"), "\(writing.told)")
            #expect(writing.told.contains("n.out/") && writing.told.contains("ulimit -f"), "\(writing.told)")
            #expect(try desk.results().filter { !$0.key.hasPrefix("/") } == before)
            #expect(try desk.leftovers() == [])
        }
    }
}
