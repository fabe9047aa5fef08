import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    @Suite(
        "A fault at an operation on files",
        .enabled(
            if: Faults.library != nil, "a library goes in front of the C library's functions on Linux alone"))
    struct FaultTests {
        /// Moments of all trials, so many of them, chosen with the seed.
        private static func chosen(_ count: Int, of trials: [Trial], _ calls: String, seed: UInt64) -> [(
            trial: Trial, numbers: [Int]
        )] {
            var generator = SmallGenerator(seed: seed)
            let all = trials.indices.flatMap { trial in
                Faults.moments(of: trials[trial].operations(calls)).map { (trial: trial, number: $0) }
            }
            let some = all.shuffled(using: &generator).prefix(count)
            return trials.indices.map { index in
                (trials[index], some.filter { $0.trial == index }.map(\.number).sorted())
            }.filter { !$0.numbers.isEmpty }
        }

        /// Tries one kind of fault at chosen moments of all commands, and gives the table a row for each
        /// command.
        private func tryAll(
            _ effect: Faults.Effect, _ calls: String, _ chosen: [(trial: Trial, numbers: [Int])],
            _ part: ReliabilityRecord.Part, _ what: String
        ) throws {
            for (trial, numbers) in chosen {
                var record = ReliabilityRecord(part, "\(what) during \(trial.name)")
                let operations = trial.operations(calls)
                for number in numbers {
                    let finding = try trial.meet(effect, calls, at: number)
                    #expect(
                        finding.problems == [],
                        "\(what) during \(trial.name), at \(number): \(operations[number - 1])")
                    record.note(finding.problems.isEmpty ? finding.kind : "NOT AS IT SHOULD BE")
                }
                try record.write()
            }
        }

        // MARK: The end of the program

        @Test("SIGKILL at 200 moments leaves the old or the new, and the same command ends all the same")
        func killed() throws {
            let chosen = Self.chosen(200, of: try Trial.all(), Faults.changing, seed: 22)
            #expect(chosen.reduce(0) { $0 + $1.numbers.count } == 200)
            try tryAll(.signal(SIGKILL), Faults.changing, chosen, .kills, "SIGKILL")
        }

        @Test("SIGTERM and SIGHUP too", arguments: [(SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")]) func ended(
            _ signal: CInt, _ name: String
        ) throws {
            let chosen = Self.chosen(
                Faults.tryMany ? 100 : 25, of: try Trial.all(), Faults.changing, seed: UInt64(signal))
            try tryAll(.signal(signal), Faults.changing, chosen, .kills, name)
        }

        @Test("a correction whose writing was stopped is not accepted with pictures that are not there")
        func correction() throws {
            let trial = try Trial("`verify` and `accept`", ["verify", "@n.md", "--threads", "1"], status: 1) {
                try $0.layCorrection()
                try $0.write("seed.csv", "seed\n3\n")
            }
            var record = ReliabilityRecord(.kills, "SIGKILL during `verify`, then `accept`")
            let numbers = Faults.moments(of: trial.operations(Faults.changing))
            for number in numbers {
                try trial.place.reset()
                let killed = try trial.place.run(
                    ["verify", "@n.md", "--threads", "1"],
                    Faults.environment(below: trial.place.path, Faults.changing, at: number, .signal(SIGKILL))
                )
                #expect(killed.status == nil)
                let accepted = try trial.place.run(["accept", "@n.md"])
                let isRefused =
                    accepted.status == 2
                    && (accepted.told.contains("nothing to accept")
                        || accepted.told.contains("verify it again"))
                #expect(accepted.status == 0 || isRefused, "\(accepted.told)")
                #expect(try trial.place.files().missingPictures == [], "at \(number)")
                record.note(accepted.status == 0 ? "accepted whole" : "refused")
            }
            // Before the old one goes there is something to accept.
            #expect(
                record.line.contains("accepted whole") && record.line.contains("refused"), "\(record.line)")
            try record.write()
        }

        // MARK: A disk without room

        @Test(
            """
            a disk that is full from one operation on: results or an error that names the file, and with \
            room the same command ends as ever
            """)
        func full() throws {
            let chosen = Self.chosen(
                Faults.count(150, many: .max), of: try Trial.all(), Faults.needingRoom, seed: 28)
            try tryAll(.errors(ENOSPC), Faults.needingRoom, chosen, .disks, "a full disk")
        }

        /// The three come back by the same ways, so that one of them is enough for every moment.
        @Test(
            "one operation that fails",
            arguments: [
                (ENOSPC, "no room once", Int.max), (EIO, "a disk error", 100),
                (EDQUOT, "a used-up quota", 100),
            ])
        func once(_ code: CInt, _ name: String, _ many: Int) throws {
            let chosen = Self.chosen(
                Faults.count(25, many: many), of: try Trial.all(), Faults.needingRoom, seed: UInt64(code))
            try tryAll(.error(code), Faults.needingRoom, chosen, .disks, name)
        }

        // MARK: Limits

        @Test("a file that cannot be opened because too many are open") func descriptors() throws {
            let trials = try Trial.all()
            let chosen = Self.chosen(Faults.count(25, many: 400), of: trials, Faults.opening, seed: 24)
            try tryAll(.error(EMFILE), Faults.opening, chosen, .limits, "too many open files once")
            let from = Self.chosen(Faults.count(15, many: 400), of: trials, Faults.opening, seed: 25)
            try tryAll(.errors(EMFILE), Faults.opening, from, .limits, "too many open files from then on")
        }

        @Test("a limit on open files, from one with which nothing starts to one that is enough") func ulimit()
            throws
        {
            let place = try Workplace()
            try place.writeNotebook(seed: 1)
            try place.keep()
            try place.expectStatus(0, of: ["run", "@n.md", "--write", "--threads", "1"])
            let expected = try place.files().results
            var record = ReliabilityRecord(.limits, "`ulimit -n` from 3 to what is enough, `run --write`")
            var limit = 3
            while true {
                try place.reset()
                let before = try place.files().results
                let ended = try place.run(
                    limited: "ulimit -n \(limit)", ["run", "@n.md", "--write", "--threads", "1"])
                if ended.status == 0 {
                    #expect(try place.files().results.differences(from: expected) == [])
                    break
                }
                // Where even the loader of programs finds none it speaks for itself.
                let isStarted = ended.status == 2
                #expect(isStarted || ended.status == 127, "\(limit): \(ended.told)")
                if isStarted {
                    #expect(
                        ended.told.contains("Too many open files") && ended.told.contains("ulimit -n"),
                        "\(limit): \(ended.told)")
                    let namesFile = ended.told.contains(place.path) || ended.told.contains(Workplace.model)
                    #expect(ended.told.contains("error") && namesFile, "\(limit): \(ended.told)")
                }
                record.note(isStarted ? "an error that names the file and the limit" : "not started")
                #expect(
                    try place.files().results.filter {
                        before[$0.key] != $0.value && expected[$0.key] != $0.value
                    }.isEmpty)
                #expect(try place.run(["run", "@n.md", "--write", "--threads", "1"]).status == 0)
                #expect(try place.files().results.differences(from: expected) == [])
                #expect(try place.leftovers() == [])
                limit += 1
                try #require(limit < 200, "\(ended.told)")
            }
            record.note("results")
            try record.write()
        }

        @Test("a limit on the size of files: what fits is written, what does not is told of") func sizes()
            throws
        {
            let place = try Workplace()
            try place.writeNotebook(seed: 1)
            try place.keep()
            try place.expectStatus(0, of: ["run", "@n.md", "--write", "--threads", "1"])
            let expected = try place.files().results
            var record = ReliabilityRecord(.limits, "`ulimit -f` of 0 to 256 blocks, `run --write`")
            for blocks in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256] {
                try place.reset()
                let ended = try place.run(
                    limited: "ulimit -f \(blocks)", ["run", "@n.md", "--write", "--threads", "1"])
                // With none at all not even what it says can be written, which goes into a file here.
                if blocks > 0 {
                    #expect(
                        ended.status == 0 || ended.status == 2 && ended.told.contains("ulimit -f"),
                        "\(blocks): \(ended.told)")
                    #expect(
                        ended.status != 0 || ended.told.matches(of: /not kept/).count <= 1,
                        "\(blocks): \(ended.told)")
                }
                record.note(ended.status == 0 ? "results" : "an error that names the file and the limit")
                if ended.status == 0 { #expect(try place.files().results.differences(from: expected) == []) }
                #expect(try place.leftovers() == [])
                #expect(try place.run(["run", "@n.md", "--write", "--threads", "1"]).status == 0)
                #expect(try place.files().results.differences(from: expected) == [], "\(blocks)")
            }
            try record.write()
        }

        // MARK: The cache

        @Test(
            "a cache that may not be written to: all results, told once",
            arguments: [(EACCES, "may not be written to"), (EROFS, "lies on a read-only disk")])
        func unwritable(_ code: CInt, _ name: String) throws {
            var record = ReliabilityRecord(.limits, "a `.noisebook` that \(name), `run --write` and training")
            for trial in try Trial.all().filter({
                ["a first `run --write`", "training, and `save` of what was trained"].contains($0.name)
            }) {
                for isThere in [false, true] {
                    try trial.place.reset()
                    if isThere { try FileSystem.createFolder(trial.place.at(".noisebook/cache")) }
                    let ended = try trial.run(
                        Faults.environment(
                            below: trial.place.at(".noisebook"), Faults.changing, at: 1, .errors(code)))
                    #expect(ended.status == 0, "\(ended.told)")
                    #expect(ended.told.matches(of: /not kept/).count == 1, "\(ended.told)")
                    #expect(ended.told.contains(String(cString: strerror(code))), "\(ended.told)")
                    #expect(try trial.differences() == [])
                    #expect(try trial.run().status == 0)
                    #expect(try trial.differences() == [])
                    record.note("all results, told once")
                }
            }
            try record.write()
        }

        @Test("who reads JSON learns that nothing is kept, too") func json() throws {
            let place = try Workplace()
            try place.writeNotebook(seed: 1)
            try place.write(".noisebook", "no folder\n")
            let ended = try place.run(["run", "@n.md", "--json", "--threads", "1"])
            let objects = try ended.told.split(separator: "\n").map {
                try JSON.parse(String($0), place: "told")
            }
            let warnings = objects.filter { $0.object?["code"] == .string("cache") }
            #expect(ended.status == 0 && warnings.count == 1, "\(ended.told)")
            #expect(
                warnings.first?.object?["message"]?.string?.contains("not kept in the cache") ?? false,
                "\(ended.told)")
        }

        @Test(
            """
            a file where a folder of the cache should be, and a folder where a file: all results, and what \
            is there stays
            """) func replaced() throws
        {
            var record = ReliabilityRecord(
                .limits, "a file for a folder in `.noisebook`, or the other way round")
            for trial in try Trial.all().filter({
                ["a first `run --write`", "training, and `save` of what was trained"].contains($0.name)
            }) {
                for name in [".noisebook", ".noisebook/cache", ".noisebook/models", ".noisebook/training"] {
                    try trial.place.reset()
                    try FileSystem.createFolder(FileSystem.folder(of: trial.place.at(name)))
                    try trial.place.write(name, "somebody's own\n")
                    let ended = try trial.run()
                    #expect(ended.status == 0, "\(trial.name), \(name): \(ended.told)")
                    #expect(try trial.differences() == [], "\(trial.name), \(name)")
                    #expect(try trial.place.read(name) == "somebody's own\n")
                    record.note("all results, and it stays")
                }
                for name in [".noisebook/log", ".noisebook/digests"] {
                    try trial.place.reset()
                    try FileSystem.createFolder(trial.place.at(name))
                    let ended = try trial.run()
                    #expect(ended.status == 0, "\(trial.name), \(name): \(ended.told)")
                    #expect(try trial.differences() == [], "\(trial.name), \(name)")
                    #expect(FileSystem.isFolder(trial.place.at(name)))
                    record.note("all results, and it stays")
                }
            }
            try record.write()
        }

        @Test(
            """
            a cache that vanishes while the program runs: all results, and no folder comes back for a line \
            of a log alone
            """) func vanished() throws
        {
            let trial = try #require(try Trial.all().first)
            var record = ReliabilityRecord(.limits, "a `.noisebook` that vanishes during \(trial.name)")
            let operations = trial.operations(Faults.changing)
            // Behind the last cell nobody looks for it any more.
            let last = operations.firstIndex { $0.path.contains("/n.out") } ?? operations.endIndex
            for number in Faults.moments(of: operations) where Faults.tryMany || number.isMultiple(of: 4) {
                try trial.place.reset()
                let process = try trial.start(
                    Faults.environment(below: trial.place.path, Faults.changing, at: number, .signal(SIGSTOP))
                )
                guard process.waitUntilStopped() else {
                    _ = try process.wait()
                    record.note("over before")
                    continue
                }
                let wasThere = FileSystem.isFolder(trial.place.at(".noisebook"))
                try AtomicFolder.remove(trial.place.at(".noisebook"))
                process.resume()
                let ended = try process.wait()
                #expect(ended.status == 0, "at \(number): \(ended.told)")
                #expect(try trial.differences() == [], "at \(number)")
                let files = try trial.place.files()
                let kept = files.filter { $0.key.hasPrefix(".noisebook/") }
                // Either it is gone, or it holds what was computed afterwards.
                let isBack = FileSystem.isFolder(trial.place.at(".noisebook"))
                #expect(!isBack || !kept.entries.isEmpty, "at \(number): \(kept.keys.sorted())")
                #expect(try kept.entries.values.allSatisfy(Desk.isWhole))
                if wasThere, !isBack, number <= last {
                    #expect(ended.told.contains("was removed meanwhile"), "at \(number): \(ended.told)")
                }
                record.note(isBack ? "all results, and later ones kept" : "all results")
                #expect(try trial.run().status == 0)
                #expect(try trial.differences() == [])
            }
            try record.write()
        }
    }
}
