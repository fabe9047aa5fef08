import Files
import Interpreting
import Prompt
import Results
import SourceText
import TestSupport
import Testing
import Verbs

@Suite("Completion")
struct CompletionTests {
    private func complete(_ line: String, _ prepare: [String] = ["t = items n=1..3 size=1..3", "x = 4"])
        throws -> Completions
    {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let prompt = PromptSession(session: session, editor: ListedLines([]), display: Display(form: .text)) {
            _, _ in
        }
        for entry in prepare { #expect(prompt.perform(entry)) }
        // The word as readline would cut it.
        let breaks = " \t\n\"|;{}()[],="
        let start = line.lastIndex { breaks.contains($0) }.map { line.index(after: $0) } ?? line.startIndex
        return Completer(session: session).completions(line, wordStart: line[..<start].utf8.count)
    }

    @Test("at the head verbs and variables, behind a bar verbs only")
    func heads() throws {
        #expect(try complete("t").words.contains("t"))
        #expect(try complete("t").words.contains("table"))
        #expect(try !complete("x | t").words.contains("t"))
        #expect(try complete("x | whe").words == ["where"])
        #expect(try complete("y = t | sor").words == ["sort"])
        #expect(try complete("sweep k=1..3 { t | sor").words == ["sort"])
    }

    @Test("options of the verb being typed, those in use left out")
    func options() throws {
        let found = try complete("t | join x ")
        #expect(found.words.contains("on="))
        #expect(found.hint?.hasPrefix("usage: join") == true)
        #expect(try !complete("t | join x on=n ").words.contains("on="))
        #expect(try complete("t | join x o").words == ["on="])
        #expect(try complete("t | join x o").append == nil)
    }

    @Test("values of an option: columns, choices, variables")
    func values() throws {
        #expect(try complete("t | join x on=").words == ["item", "n", "size"])
        #expect(try complete("t | join x on=si").words == ["size"])
        #expect(try complete("t | where (si").words.contains("size"))
        #expect(try complete("t | select n, s").words == ["size"])
        #expect(try complete("t | sort n down=").words == ["no", "yes"])
    }

    @Test("paths, folders with a slash")
    func paths() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("inner"))
        try AtomicFile.write("x", to: folder.path("input.csv"))
        #expect(
            try complete("read \(folder.path)/in").words == [
                "\(folder.path)/inner/", "\(folder.path)/input.csv",
            ])
        #expect(try complete("read \(folder.path)/inn").append == nil)
        #expect(try complete("read \(folder.path)/inp").append == " ")
    }

    @Test("columns are those of the pipeline typed so far")
    func pipelineColumns() throws {
        #expect(try complete("t | select size | sort ").words.contains("size"))
        #expect(try !complete("t | select size | sort ").words.contains("n"))
        #expect(try complete("y = t | with double=(2*n) | where (d").words == ["difference(", "double"])
        #expect(try complete("\"a\" | noise of=4 | denoise | select c").words == ["calls"])
        #expect(try complete("t | join t on=n as=its | select its").words == ["its.n", "its.size"])
    }

    @Test("what a `def` made is a verb")
    func definitions() throws {
        #expect(
            try complete("t | dou", ["t = items n=1", "def double by { with m=(n*by) }"]).words == ["double"])
        let found = try complete("t | double ", ["t = items n=1", "def double by { with m=(n*by) }"])
        #expect(found.hint == "usage: double BY")
        #expect(
            try complete("t | double 2 | select ", ["t = items n=1", "def double by { with m=(n*by) }"]).words
                == ["item", "m", "n"])
    }

    @Test("behind a variable and a point: its columns and fields; of a path they are none of these")
    func fields() throws {
        let prepare = ["t = items k=1 size=1", "r = {a: 1, b: 2}"]
        #expect(try complete("t.si", prepare).words == ["t.size"])
        #expect(try complete("x = 1 + r.", prepare).words == ["r.a", "r.b"])
        #expect(try complete("t | with q=(r.b", prepare).words == ["r.b"])
        #expect(try complete("t | sort .si", prepare).words == [".size"])
        #expect(!(try complete("read t.", prepare).words.contains("t.size")))
    }

    @Test("behind the value at the head stand the verb's own arguments, in a block those that `it` leaves")
    func input() throws {
        #expect(try complete("grid t si").words == ["size"])
        #expect(try complete("save t Tests/Go").words == ["Tests/Golden/"])
        #expect(try complete("sweep k=1..3 { select si").words == ["size"])
        #expect(try complete("help E04").words.contains("E041"))
        #expect(try complete("help de").words.contains("def"))
        #expect(try complete("t | first ").words == ["x"])
    }

    @Test("names of data sets and models stand before files")
    func names() throws {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let completer = Completer(session: session)
        #expect(completer.completions("dataset mon", wordStart: 8).words == ["monsters"])
        #expect(completer.completions("model = load mon", wordStart: 13).words == ["monsters"])
        #expect(completer.completions("dataset monsters split=t", wordStart: 23).words == ["test", "train"])
    }

    @Test("commands of the prompt")
    func metaCommands() throws {
        #expect(try complete(":h").words == [":help", ":history"])
    }

    @Test("any line is completed without a trap")
    func anything() throws {
        let pieces = [
            "t", "|", " ", "(", ")", "[", "\"", "=", ",", "{", "}", ";", "sweep", "ü", "where ", "\n", "on=",
            "\\", ":", "猫", ".n",
        ]
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let completer = Completer(session: session)
        var state: UInt64 = 88172645463325252
        for _ in 0..<3000 {
            var line = ""
            for _ in 0..<12 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                line += pieces[Int(state % UInt64(pieces.count))]
            }
            let start = Int(state % UInt64(line.utf8.count + 1))
            #expect(
                completer.completions(line, wordStart: start).words
                    == completer.completions(line, wordStart: start).words)
        }
    }
}
