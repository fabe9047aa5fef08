import SourceText
import Syntax
import TestSupport
import Testing

@Suite("The design's own programs")
struct ExamplesTests {
    @Test(
        "every cell of the design parses without a diagnostic, in arguments too",
        arguments: Examples.cells.indices)
    func parses(_ index: Int) {
        let cell = Examples.cells[index]
        let parse = Reading.parse(cell.text)
        #expect(parse.diagnostics.map { "\($0.title) at \($0.span)" } == [], "\(cell.title)")
        #expect(!parse.program.statements.isEmpty)
    }

    @Test("printing a cell and reading it again gives the same tree", arguments: Examples.cells.indices)
    func roundTrip(_ index: Int) {
        let program = Reading.parse(Examples.cells[index].text).program
        let printed = Printer.text(program)
        let again = Reading.parse(printed)
        #expect(again.diagnostics.isEmpty, "\(printed)")
        #expect(Dump.text(again.program, spans: false) == Dump.text(program, spans: false))
        #expect(Printer.text(again.program) == printed)
    }
}
