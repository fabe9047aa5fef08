import Interpreting
import SourceText
import Testing

@Suite("Slots") struct SlotTests {
    @Test("a body gets the declared defaults in their types") func defaults() {
        #expect(
            Session.small().shown("tell") == [
                "3 1e-06 plain none '' true given ; share=0.000001 mode=plain title=\"\" flag=yes"
            ])
    }

    @Test("a recipe has the defaults as one would write them") func written() {
        #expect(SmallVerbs.share.declaration.standard == "0.000001")
        #expect(SmallVerbs.mode.declaration.standard == "plain")
        #expect(SmallVerbs.title.declaration.standard == "\"\"")
        #expect(SmallVerbs.flag.declaration.standard == "yes")
        #expect(SmallVerbs.limit.declaration.standard == nil)
    }

    @Test("what is written wins, by value or by word") func given() {
        let shown = Session.small().shown("tell 5 mode=loud limit=7 title=\"x\" flag=no")
        #expect(shown[0].contains("5 1e-06 loud 7 'x' false given flag,limit,mode,n,title; "))
        #expect(Session.small().shown("w = \"loud\"; tell mode=(w)")[0].contains(" loud "))
    }

    @Test(
        "what a slot does not take is refused before anything runs",
        arguments: [
            ("tell 101", DiagnosticCode.outOfRange), ("tell 1.5", .wrongType),
            ("tell mode=quiet", .unknownChoice), ("tell flag=3", .wrongType),
            ("tell colour=1", .unknownOption), ("turn { rows }", .missingArgument),
            ("tell 1 2", .tooManyArguments), ("tell flag=yes flag=no", .repeatedName),
        ])
    func refused(_ sample: (String, DiagnosticCode)) {
        #expect(Session.small().codes(sample.0) == [sample.1])
    }

    @Test("an option for one word of another slot is refused beside others, before the run and in it")
    func only() {
        let session = Session.small()
        #expect(session.shown("paint wall layers=3") == ["wall 3 3"])
        #expect(session.codes("paint door layers=3") == [.unknownOption])
        let result = session.result("s = \"door\"; paint (s) layers=3")
        #expect(result.diagnostics.map(\.title) == ["`paint door` has no option `layers`"])
        #expect(result.diagnostics.first?.label == "for `paint wall`")
    }

    @Test("a default that follows from another slot") func following() {
        let session = Session.small()
        #expect(
            session.shown("paint wall; paint door; paint door coats=2; s = \"wall\"; paint (s)") == [
                "wall 2 3", "door 2 1", "door 2 2", "wall 2 3",
            ])
        #expect(SmallVerbs.coats.declaration.standard == nil)
    }
}
