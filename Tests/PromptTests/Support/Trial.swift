import Files
import TestSupport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One command of the program, which meets a fault at one of its operations on files and then runs again
/// without. What must hold, whatever the fault: each file is the old one or the new, a folder of a model is
/// of one time, a notebook shows pictures that are there, values in the cache are whole, and the same command
/// then ends as if nothing had been, uses what was kept and leaves nothing unfinished behind.
struct Trial {
    /// In the words of the table.
    let name: String
    let place: Workplace
    private let arguments: [String]
    /// The exit status of a command that nothing disturbs.
    private let status: Int32
    /// Whether it may remove values from the cache.
    private let evicts: Bool
    private let before: Workplace.Files
    private let after: Workplace.Files
    private let lines: [Substring]

    /// - Parameters:
    ///   - arguments: `@n.md` is a file of the workplace.
    ///   - lay: makes what is there before.
    init(
        _ name: String, _ arguments: [String], status: Int32 = 0, evicts: Bool = false,
        lay: (Workplace) throws -> Void
    ) throws {
        place = try Workplace()
        (self.name, self.arguments, self.status, self.evicts) = (name, arguments, status, evicts)
        try lay(place)
        try place.keep()
        before = try place.files()
        let trace = place.folder.path("trace")
        let ended = try place.run(
            arguments, Faults.counting(below: place.path, Faults.changing + "r", to: trace))
        guard ended.status == status else {
            throw ChildProcess.Failure(description: "\(name): \(ended.told)")
        }
        after = try place.files()
        lines = try FileSystem.readText(trace).split(separator: "\n")
        guard after.results != before.results, try place.leftovers().isEmpty else {
            throw ChildProcess.Failure(description: "\(name) changes nothing")
        }
    }

    /// The operations of these kinds that the command makes when nothing disturbs it.
    func operations(_ calls: String) -> [Faults.Operation] {
        lines.compactMap { Faults.Operation($0) }.filter { calls.contains($0.kind) }
    }

    struct Finding {
        /// How it ended, in the words of the table.
        var kind: String
        /// What should not be.
        var problems: [String] = []
    }

    func meet(_ effect: Faults.Effect, _ calls: String, at number: Int) throws -> Finding {
        try place.reset()
        let ended = try place.run(arguments, Faults.environment(below: place.path, calls, at: number, effect))
        let found = try place.files()
        var finding: Finding
        switch effect {
        case .signal(let signal): finding = killed(ended, by: signal, found)
        case .error(let code), .errors(let code): finding = disturbed(ended, code, found)
        }
        // Who cannot open files takes some for missing, and is told so in the end: of a page or a correction
        // parts may be.
        let isMisled = ended.told.contains("some files could not be opened")
        finding.problems += damage(
            found, hasPart: ended.told.contains(/outputs of \d of \d cells written/), isMisled: isMisled)
        let again = try place.run(arguments)
        let whole = try place.files()
        // A correction is accepted once its text is gone; what else is left of it goes with the next.
        let isAccepted = arguments.first == "accept" && found["n.md.corrected"] == nil
        if again.status != status, !(isAccepted && again.status == 2) {
            finding.problems.append("then it ended with \(again.status ?? -1): \(again.told)")
        }
        // What was taken for missing when it was to be removed stays.
        func mayStay(_ name: String) -> Bool {
            before[name] == whole[name] && after[name] == nil
                && (isMisled && name.contains(".out") || isAccepted && name.contains(".corrected"))
        }
        finding.problems += Self.differences(whole.results, after.results).filter { !mayStay($0) }.map {
            "then \($0) is not what it should be"
        }
        finding.problems += try place.leftovers().map { "\($0) was left" }
        // Unfinished latents, which a slow machine saves, go with their last step: one for each item of a
        // batch.
        let lost = found.entries.filter { whole[$0.key] != $0.value }.keys.sorted()
        if !evicts, lost.count > 2 { finding.problems.append("lost values: \(lost)") }
        return finding
    }

    private func killed(_ ended: ChildProcess.Ended, by signal: CInt, _ found: Workplace.Files) -> Finding {
        // SIGTERM and SIGHUP are passed on as a status by whoever looks after the terminal first.
        if let status = ended.status, status != 128 + signal {
            return Finding(
                kind: "over before",
                problems: status == self.status ? [] : ["it ended with \(status): \(ended.told)"])
        }
        let results = found.results
        return Finding(
            kind: results == before.results
                ? "all as before" : results == after.results ? "all as after" : "some files as after")
    }

    private func disturbed(_ ended: ChildProcess.Ended, _ code: CInt, _ found: Workplace.Files) -> Finding {
        let why = String(cString: strerror(code))
        guard let status = ended.status else {
            return Finding(kind: "A CRASH", problems: ["a signal ended it: \(ended.told)"])
        }
        // Not where it could not look at everything, though it may end with the same status.
        if status == self.status, !ended.told.contains("some files could not be opened") {
            let unkept = ended.told.matches(of: /not kept/).count
            var problems = Self.differences(found.results, after.results).map {
                "it ended well, and \($0) is not what it should be"
            }
            if unkept > 1 {
                problems.append("told \(unkept) times that something is not kept: \(ended.told)")
            }
            if unkept == 1, !ended.told.contains(why) {
                problems.append("not told why it is not kept: \(ended.told)")
            }
            return Finding(
                kind: unkept > 0 ? "results, and a warning that something is not kept" : "results",
                problems: problems)
        }
        let errors = ended.told.split(separator: "\n").filter { $0.hasPrefix("error") }
        var problems: [String] = []
        if status != 2, status != self.status { problems.append("it ended with \(status)") }
        // Files that cannot be opened may be taken for missing ones; then the reason is told at the end.
        let isClear =
            code == EMFILE
            ? ended.told.contains(why) && ended.told.contains("ulimit -n")
            : errors.allSatisfy { $0.contains(why) && $0.contains(place.path) }
        if errors.isEmpty || !isClear {
            problems.append("an error without its file or its reason: \(ended.told)")
        }
        if code == EMFILE { return Finding(kind: "an error that names the limit", problems: problems) }
        return Finding(kind: "an error that names the file and why", problems: problems)
    }

    /// - Parameter hasPart: whether a cell failed and the outputs of those before it are written.
    private func damage(_ found: Workplace.Files, hasPart: Bool, isMisled: Bool) -> [String] {
        var odd = found.results.filter { before[$0.key] != $0.value && after[$0.key] != $0.value }
        if isMisled { odd["n.html"] = nil }
        if hasPart {
            odd["n.lock"] = nil
            if let text = odd["n.md"], Self.withoutOutputs(text) == Self.withoutOutputs(before["n.md"] ?? [])
            {
                odd["n.md"] = nil
            }
        }
        var problems = odd.keys.sorted().map { "\($0) is neither old nor new" }
        // A correction goes before another comes.
        for name in before.results.keys.sorted()
        where after[name] != nil && found[name] == nil && !name.contains(".corrected") {
            problems.append("\(name) is gone")
        }
        func model(_ files: Workplace.Files) -> Workplace.Files {
            files.filter { $0.key.hasPrefix("model/") }
        }
        if model(found) != model(before), model(found) != model(after) {
            problems.append("the model is of two times")
        }
        problems += found.missingPictures.map { "the notebook shows \($0), which is not there" }
        for (name, bytes) in found.entries where (try? Desk.isWhole(bytes)) != true {
            problems.append("\(name) is damaged")
        }
        return problems
    }

    private static func withoutOutputs(_ text: [UInt8]) -> String {
        String(decoding: text, as: UTF8.self).replacing(/(?s)<!-- out -->.*?<!-- \/out -->\n/, with: "")
            .replacing("\n\n\n", with: "\n\n")
    }

    private static func differences(_ found: Workplace.Files, _ expected: Workplace.Files) -> [String] {
        found.differences(from: expected)
    }
}

extension Trial {
    /// The command as it is, from what is there now.
    func start(_ environment: [String: String] = [:]) throws -> ChildProcess {
        try place.start(arguments, environment)
    }
    func run(_ environment: [String: String] = [:]) throws -> ChildProcess.Ended {
        try start(environment).wait()
    }

    /// Results that differ from those of a command that nothing disturbs.
    func differences() throws -> [String] { try place.files().results.differences(from: after.results) }
}

extension Trial {
    private static let quick = ["--threads", "1"]

    /// All that writes something that people keep.
    static func all() throws -> [Trial] {
        let picture = "x = [\"a red dragon\", \"a blue worm\", \"a bat\", \"a green dragon\"]"
        return try [
            Trial("a first `run --write`", ["run", "@n.md", "--write"] + quick) {
                try $0.writeNotebook(seed: 1)
            },
            Trial("`run --write` over other outputs", ["run", "@n.md", "--write"] + quick) {
                try $0.layOutputs()
                try $0.write("seed.csv", "seed\n2\n")
            },
            Trial("`verify` over an older correction", ["verify", "@n.md"] + quick, status: 1) {
                try $0.layCorrection()
                try $0.write("seed.csv", "seed\n3\n")
            },
            Trial("`accept`", ["accept", "@n.md"]) { try $0.layCorrection() },
            Trial("`save` of a model over another", ["run", "@s.noise"] + quick) {
                try $0.write("s.noise", "load \"\(Workplace.model)\" | save model precision=float16\n")
                try $0.expectStatus(0, of: ["run", "@s.noise"])
                try $0.write("s.noise", "load \"\(Workplace.model)\" | save model\n")
            },
            Trial("training, and `save` of what was trained", ["run", "@s.noise"] + quick) {
                try $0.write(
                    "p.noise",
                    """
                    model = load "\(Workplace.model)"\n\(picture)\nx | noise of=1 seed=1 | denoise \
                    guidance=1 | decode | save data\n
                    """)
                try $0.expectStatus(0, of: ["run", "@p.noise"])
                let rows = (0..<4).map { "generated-000\($0).png,picture \($0)\n" }.joined()
                try $0.write("data/metadata.csv", "file_name,text\n" + rows)
                try AtomicFolder.remove($0.at(".noisebook"))
                try $0.write(
                    "s.noise",
                    """
                    t = dataset data\nnew vae channels=8,16 layers=1 attention=no groups=4 | fit vae \
                    on=t batch=4 steps=2 | save model\n
                    """)
            },
            Trial(
                "a run in a full cache", ["run", "@n.md", "--write", "--cache-limit", "600K"] + quick,
                evicts: true
            ) {
                try $0.layOutputs()
                try $0.write("seed.csv", "seed\n2\n")
            },
            Trial("`render --to html`", ["render", "@n.md", "--to", "html"]) { try $0.layOutputs() },
        ]
    }
}

extension Workplace {
    func expectStatus(_ status: Int32, of arguments: [String]) throws {
        let ended = try run(arguments)
        guard ended.status == status else {
            throw ChildProcess.Failure(description: "\(arguments): \(ended.told)")
        }
    }

    /// The notebook with outputs.
    fileprivate func layOutputs() throws {
        try writeNotebook(seed: 1)
        try expectStatus(0, of: ["run", "@n.md", "--write"])
    }

    /// The same with a correction, which `verify` wrote for other outputs.
    func layCorrection() throws {
        try layOutputs()
        try write("seed.csv", "seed\n2\n")
        try expectStatus(1, of: ["verify", "@n.md"])
    }
}
