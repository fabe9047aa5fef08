import Interpreting
import SourceText
import Tensors
import Testing

@Suite("Errors of the engine in a program") struct EngineErrorTests {
    @Test("every kind has a code of its own") func codes() {
        #expect(
            Set(EngineError.Kind.allCases.map { DiagnosticCode($0) }).count == EngineError.Kind.allCases.count
        )
    }

    @Test("an error becomes a diagnostic with its place, cure and details") func diagnostic() {
        let source = SourceFile(name: "t", text: "load here")
        let error = EngineError(.weights, "do not fit", place: "m/unet", cure: "fetch it again")
        let diagnostic = Diagnostic(error, at: Span(0, 4), of: source)
        #expect(diagnostic.code == .engineWeights)
        #expect(diagnostic.title == "m/unet: do not fit")
        #expect(diagnostic.help == ["fetch it again"])
        #expect(diagnostic.source === source && diagnostic.span == Span(0, 4))
    }

    @Test("a diagnostic keeps the source that it has") func located() {
        let inner = SourceFile(name: "inner", text: "x"), outer = SourceFile(name: "outer", text: "y")
        let diagnostic = Diagnostic(
            Diagnostic(.unknownName, at: Span(0, 1), source: inner), at: Span(0, 1), of: outer)
        #expect(diagnostic.source === inner)
    }
}
