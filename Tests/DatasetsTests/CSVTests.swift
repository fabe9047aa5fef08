import Files
import Tensors
import TestSupport
import Testing

@Suite("CSV") struct CSVTests {
    static func parse(_ text: String) throws -> CSV.Table { try CSV.parse(Array(text.utf8), place: "t.csv") }

    static func failure(_ text: String) -> String? {
        do {
            _ = try parse(text)
            return nil
        } catch { return (error as? EngineError)?.place }
    }

    @Test("what is written reads back the same")
    func roundTrip() throws {
        var small = SmallGenerator(seed: 11)
        let pieces = ["a", "é", "\"", ",", "\n", "\r\n", " ", "中", "😀", "''", "\t", "\u{FEFF}", ";", "1.5"]
        func field() -> String {
            (0..<small.next(below: 5)).map { _ in pieces[small.next(below: pieces.count)] }.joined()
        }
        for _ in 0..<500 {
            let width = 1 + small.next(below: 4)
            let header = (0..<width).map { "c\($0)" + field() }
            let rows = (0..<small.next(below: 5)).map { _ in (0..<width).map { _ in field() } }
            let table = try Self.parse(CSV.text(header: header, rows: rows))
            // Swift's == takes canonically equal texts for equal; bytes must agree.
            #expect(table.header.map { Array($0.utf8) } == header.map { Array($0.utf8) })
            #expect(
                table.rows.map { $0.fields.map { Array($0.utf8) } } == rows.map { $0.map { Array($0.utf8) } })
        }
    }

    @Test("line ends, quoting and a byte-order mark as other programs write them")
    func foreign() throws {
        let table = try Self.parse("\u{FEFF}text,n\r\n\"a \"\"b\"\"\r\nc, d\",1\r\n\r\nx,")
        #expect(table.header == ["text", "n"])
        #expect(
            table.rows == [
                CSV.Row(line: 2, fields: ["a \"b\"\r\nc, d", "1"]), CSV.Row(line: 5, fields: ["x", ""]),
            ])
    }

    @Test("damaged files are errors that name the line")
    func damaged() {
        #expect(Self.failure("") == "t.csv")
        #expect(Self.failure("a,b\n1,2\n3\n") == "t.csv, line 3")
        #expect(Self.failure("a,b\n1,2,3\n") == "t.csv, line 2")
        #expect(Self.failure("a,a\n1,2\n") == "t.csv, line 1")
        #expect(Self.failure("a,\n1,2\n") == "t.csv, line 1")
        #expect(Self.failure("a\n\"open\nrest") == "t.csv, line 2")
        #expect(Self.failure("a\nx\"y\n") == "t.csv, line 2")
        #expect(Self.failure("a\n\"x\"y\n") == "t.csv, line 2")
        #expect((try? CSV.parse([0x61, 0x0A, 0xFF], place: "t")) == nil)
    }

    @Test("no bytes make the reader trap")
    func noise() {
        var small = SmallGenerator(seed: 5)
        let alphabet = Array("a,\"\n\r\u{0}é".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<small.next(below: 30)).map { _ in alphabet[small.next(below: alphabet.count)] }
            guard let table = try? CSV.parse(bytes, place: "t") else { continue }
            #expect(table.rows.allSatisfy { $0.fields.count == table.header.count })
        }
    }
}
