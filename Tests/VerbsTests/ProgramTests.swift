import Files
import Interpreting
import Results
import SourceText
import TestSupport
import Testing
import Verbs

/// Runs the programs under `Tests/Programs`. A program says what it shows in `# expect: LINE` comments, in
/// order and complete, and what goes wrong in `# error CODE at LINE:COLUMN` comments, complete too.
@Suite("Programs") struct ProgramTests {
    static let folder = FileSystem.join(FileSystem.folder(of: FileSystem.folder(of: #filePath)), "Programs")

    static let programs: [String] = {
        let features = ((try? FileSystem.list(folder)) ?? []).filter {
            FileSystem.isFolder(FileSystem.join(folder, $0))
        }
        return features.flatMap { feature in
            ((try? FileSystem.list(FileSystem.join(folder, feature))) ?? []).filter { $0.hasSuffix(".noise") }
                .map { feature + "/" + $0 }
        }
    }()

    @Test("there are programs to run") func found() {
        #expect(ProgramTests.programs.count >= 250)
    }

    @Test("a program shows and complains as its comments say", arguments: programs) func program(
        _ name: String
    ) throws {
        let path = FileSystem.join(ProgramTests.folder, name)
        let text = try FileSystem.readText(path)
        // What one saves goes with a folder of its own.
        let desk = try TemporaryFolder()
        let base = text.contains("save ") ? desk.path : FileSystem.folder(of: path)
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: base))
        let result = session.run(SourceFile(name: name, text: text))
        var expected: [String] = []
        var errors: [String] = []
        for line in text.split(separator: "\n") {
            if let range = line.firstRange(of: "# expect: ") {
                expected.append(String(line[range.upperBound...]))
            }
            if line == "# expect:" { expected.append("") }
            if let range = line.firstRange(of: "# error ") {
                errors.append(String(line[range.upperBound...]))
            }
        }
        let shown = result.outputs.flatMap {
            $0.warnings.map { "warning: " + $0 } + PlainText.lines($0.value.view)
        }
        #expect(shown == expected)
        let found = result.diagnostics.map { diagnostic in
            let place = (diagnostic.source ?? SourceFile(name: name, text: text)).position(
                of: diagnostic.span.lower)
            return "\(diagnostic.code.rawValue) at \(place.line):\(place.column)"
        }
        #expect(found == errors, "\(result.diagnostics.map(\.title))")
    }
}

/// A view as bare lines: cells joined by single spaces and bars.
enum PlainText {
    static func lines(_ view: View) -> [String] {
        switch view {
        case .text(let text): text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        case .table(let table):
            [table.headings.map(\.name).joined(separator: " | ")]
                + table.rows.map { $0.map(cell).joined(separator: " | ") } + (table.note.map { [$0] } ?? [])
        case .grid(let grid):
            (grid.columnHeadings.isEmpty ? [] : [grid.columnHeadings.joined(separator: " | ")])
                + grid.rows.enumerated().map { index, row in
                    (grid.rowHeadings.isEmpty ? "" : grid.rowHeadings[index] + ": ")
                        + row.map {
                            $0.map { "[" + ($0.label.isEmpty ? $0.description : $0.label) + "]" } ?? "-"
                        }.joined(separator: " ")
                } + (grid.note.map { [$0] } ?? [])
        case .plot(let plot): [plot.words] + lines(.table(plot.table))
        case .stack(let views): views.flatMap(lines)
        }
    }

    private static func cell(_ cell: TableView.Cell) -> String {
        switch cell {
        case .text(let text): text
        case .picture: "[picture]"
        case .missing: "-"
        }
    }
}
