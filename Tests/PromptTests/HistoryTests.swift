import Files
import Interpreting
import Prompt
import Results
import SourceText
import TestSupport
import Testing
import Verbs

@Suite("History and progress")
struct HistoryTests {
    @Test("entries survive in a file, one a line, with their line breaks")
    func file() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("deep/er/history")
        let first = History(path: path)
        #expect(first.append("x = (1 +\n2)"))
        #expect(first.append("\"back\\slash\\n\""))
        #expect(!first.append("\"back\\slash\\n\""))
        #expect(!first.append("  "))
        #expect(History(path: path).entries == ["x = (1 +\n2)", "\"back\\slash\\n\""])
        #expect(try FileSystem.readText(path).split(separator: "\n").count == 2)
    }

    @Test("two prompts append to one file; a file that cannot be written costs nothing")
    func shared() throws {
        let folder = try TemporaryFolder()
        let a = History(path: folder.path("history"))
        let b = History(path: folder.path("history"))
        a.append("1")
        b.append("2")
        a.append("3")
        #expect(History(path: folder.path("history")).entries == ["1", "2", "3"])
        let nowhere = History(path: "/proc/nowhere/history")
        #expect(nowhere.append("x"))
        #expect(nowhere.entries == ["x"])
    }

    @Test("progress tells parts of parts and the time left, on one line that is taken away")
    func progress() {
        var time = 0.0
        var written: [String] = []
        let bar = ProgressBar(width: { 100 }, now: { time }, write: { written.append($0.written) })
        bar.begin("sweep", total: 4)
        bar.begin("denoise, 2 items", total: 10)
        #expect(written.isEmpty)
        time = 10
        bar.advance(by: 5)
        // An eighth is done in 10 s: 70 s are left.
        #expect(
            written.last == "\r[##..................] sweep 0/4, denoise, 2 items 5/10, 1:10 left\u{1B}[K")
        bar.advance(by: 1)
        #expect(written.count == 1)
        bar.end()
        bar.end()
        #expect(written.last == "\r\u{1B}[K")
    }

    @Test("neither a label nor a note steers the terminal")
    func steering() {
        var time = 0.0
        var written: [String] = []
        let bar = ProgressBar(width: { 100 }, now: { time }, write: { written.append($0.written) })
        bar.begin("\u{1B}]0;t\u{7}\u{9B}1m", total: 2)
        time = 10
        bar.advance(by: 1)
        bar.note("n\u{202E}\u{1B}[2J")
        #expect(written.first == "\r[##########..........] ␛]0;t␇\u{FFFD}1m 1/2, 10 s left\u{1B}[K")
        #expect(written.contains("n\u{FFFD}␛[2J\n"))
    }

    @Test("work that is over at once shows no progress")
    func shortWork() {
        var written: [String] = []
        let bar = ProgressBar(width: { 80 }, now: { 0 }, write: { written.append($0.written) })
        bar.begin("x", total: 1)
        bar.advance(by: 1)
        bar.end()
        #expect(written.isEmpty)
    }
}
