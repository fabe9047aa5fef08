import Interpreting
import SourceText
import Testing

/// What options do by their roles, whatever they are called.
@Suite("Roles of slots") struct RoleTests {
    @Test("an option that names the result: its column is known behind it, and no name is refused")
    func naming() {
        let session = Session.small()
        #expect(session.codes("rows | add as=total | add t=(total)") == [])
        #expect(session.codes("rows | add as=total | add as=other t=(totals)") == [.unknownName])
        #expect(session.codes("rows | add as=total | add as=total") == [.columnExists])
        #expect(session.codes("rows | add as=1st") == [.wrongType])
    }

    @Test("an option that adds a column") func adding() {
        let session = Session.small()
        #expect(session.codes("turn 1 marks=4 { rows } | add t=(mark)") == [])
        #expect(session.codes("turn 1 { rows } | add t=(mark)") == [.unknownName])
    }

    @Test("where failures are left out, values that do not fit are no errors before the run") func skipping()
    {
        let session = Session.small()
        #expect(session.codes("turn 1 { tell 101 }") == [.outOfRange])
        #expect(session.codes("turn 1 failing=skip { tell 101 }") == [])
    }
}
