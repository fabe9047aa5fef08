import SourceText
import Syntax
import TestSupport
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Random texts, made from tokens and from bytes: whatever comes, a tree and errors with spans inside the
/// text.
@Suite("Any text gives a tree")
struct FuzzTests {
    /// SplitMix64, so that a failure can be made again from its seed.
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let count =
        ProcessInfo.processInfo.environment["NOISEBOOK_FUZZ"].flatMap(Int.init) ?? 20_000

    private static let tokens = [
        "noise", "denoise", "sweep", "each", "loop", "with", "where", "load", "read", "a", "b", "train", "k",
        "of", "it", "def", "param", "in", "not",
        "and", "or", "yes", "no", "none", "_", "_1", "if", "1", "20", "0.5", "1e-4", "1e999", "70steps", ".5",
        "\"", "\"text\"", "\"a \\(k) b\"", "\\(",
        "\\n", "\\u{41}", "\\", "(", ")", "[", "]", "{", "}", "(", ")", "{", "}", "|", "|", ";", ",", ",",
        ".", "..", ":", "=", "=", "==", "<", ">=",
        "!=", "!", "+", "-", "*", "/", "%", "^", "&&", "||", "#", " # c\n", "'", "\u{201C}", "\u{201D}", "é",
        "e\u{301}", "漢字", "🐞", "\u{A0}",
        "\u{FEFF}", "\t", "\r\n", "\0", "models/sd-v1.5", "x-1.png", " ", " ", " ", " ", "\n", "\n",
    ]

    private static func tokenText(_ random: inout Random) -> String {
        (0..<Int.random(in: 1...40, using: &random)).map { _ in tokens.randomElement(using: &random) ?? "" }
            .joined()
    }

    private static func byteText(_ random: inout Random) -> String {
        let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A cell of the design with a few bytes changed, removed or doubled: close to what people mistype.
    private static func mutatedText(_ random: inout Random) -> String {
        var bytes = Array((Examples.cells.randomElement(using: &random)?.text ?? "").utf8)
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.remove(at: index)
            case 1: bytes.insert(bytes[index], at: index)
            case 2: bytes[index] = "(){}[]|,;=\"\\ \n.#-".utf8.randomElement(using: &random) ?? 32
            default:
                bytes.removeSubrange(index..<min(index + Int.random(in: 1...30, using: &random), bytes.count))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("no trap, every span inside the text, and a sound text survives printing")
    func fuzz() {
        var sound = 0
        for seed in 0..<FuzzTests.count {
            var random = Random(state: UInt64(seed))
            // Mutated cells are a hundred times longer than the rest.
            let text =
                switch seed % 20 {
                case 0: FuzzTests.mutatedText(&random)
                case 1...5: FuzzTests.byteText(&random)
                case 6...10: Sentences(random: random).program()
                default: FuzzTests.tokenText(&random)
                }
            let place: Parser.Place = seed % 3 == 0 ? .prompt : .file
            switch FuzzTests.verdict(text, place, rendersAll: seed % 10 == 0) {
            case .faulty(let fault):
                Issue.record("seed \(seed): \(fault)\n\(text.debugDescription)")
                return
            case .sound: sound += 1
            case .mistaken: break
            }
        }
        // About one in four; printing is tested on these only.
        #expect(sound * 8 > FuzzTests.count)
    }

    private enum Verdict {
        case sound
        case mistaken
        case faulty(String)
    }

    private static func verdict(_ text: String, _ place: Parser.Place, rendersAll: Bool) -> Verdict {
        var isSound = false
        if let fault = fault(text, place, rendersAll: rendersAll, isSound: &isSound) { return .faulty(fault) }
        return isSound ? .sound : .mistaken
    }

    /// What is wrong with the reading of a text, if anything.
    private static func fault(_ text: String, _ place: Parser.Place, rendersAll: Bool, isSound: inout Bool)
        -> String?
    {
        let parse = Reading.parse(text, at: place)
        let source = parse.program.source
        var spans = Spans()
        spans.visit(parse.program.statements)
        let diagnostics = parse.diagnostics + spans.waiting
        for diagnostic in diagnostics { spans.all += [diagnostic.span] + diagnostic.related.map(\.span) }
        for span in spans.all {
            guard span.lower >= 0, span.lower <= span.upper, span.upper <= source.bytes.count else {
                return "span \(span) of \(source.bytes.count)"
            }
            for end in [span.lower, span.upper]
            where end < source.bytes.count && source.bytes[end] & 0xC0 == 0x80 {
                return "span \(span) cuts a character"
            }
        }
        if spans.hasError && !parse.diagnostics.hasErrors { return "a tree with errors, but no report" }
        for diagnostic in rendersAll ? diagnostics : [] {
            let shown = LayoutRenderer(usesColour: false).text(diagnostic)
            if shown.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\n" }) {
                return "a control character in \(shown)"
            }
            if NarratedRenderer().text(diagnostic).isEmpty || JSONRenderer().text(diagnostic).contains("\n") {
                return "bad rendering"
            }
        }
        guard diagnostics.isEmpty else { return nil }
        let printed = Printer.text(parse.program)
        let again = Reading.parse(printed, at: place)
        guard again.diagnostics.isEmpty else {
            return "printed with an error: \(again.diagnostics[0].title): \(printed)"
        }
        let (before, after) = (Dump.text(parse.program, spans: false), Dump.text(again.program, spans: false))
        isSound = true
        if before != after { return "printed as \(printed)\nwas \(before)\nis  \(after)" }
        return nil
    }
}

// Foundation has an `Expression` of its own.
private typealias Expression = Syntax.Expression

/// Collects every span of a tree.
private struct Spans {
    var all: [Span] = []
    var waiting: [Diagnostic] = []
    var hasError = false

    mutating func visit(_ statements: [Statement]) {
        for statement in statements {
            all.append(statement.span)
            switch statement.kind {
            case .assignment(let name, let value):
                all.append(name.span)
                visit(value)
            case .pipeline(let value): visit(value)
            case .param(let name, let values, let allowed):
                all.append(name.span)
                visit(values.items)
                visit(allowed?.items ?? [])
            case .definition(let name, let parameters, let body):
                all += [name.span, body.span] + parameters.map(\.span)
                visit(body.statements)
            }
        }
    }

    mutating func visit(_ pipeline: Pipeline) {
        all.append(pipeline.span)
        if case .values(let list) = pipeline.head {
            all.append(list.span)
            visit(list.items)
        }
        for command in pipeline.allCommands {
            all += [command.span, command.verb.span]
            for argument in command.arguments {
                all += [argument.span, argument.rawSpan] + argument.items.map(\.span)
                if let name = argument.name { all.append(name.span) }
                waiting += argument.problems
                // What a value lacks has been reported, or waits.
                if let value = argument.value { visit(value.items) }
            }
            if let block = command.block {
                all.append(block.span)
                visit(block.statements)
            }
        }
    }

    mutating func visit(_ expressions: [Expression]) { for expression in expressions { visit(expression) } }

    mutating func visit(_ expression: Expression) {
        all.append(expression.span)
        switch expression.kind {
        case .number, .boolean, .none, .name, .previous: break
        case .error: hasError = true
        case .column(let name): all.append(name.span)
        case .text(let parts): for case .value(let value) in parts { visit(value) }
        case .group(let inner), .negative(let inner), .not(let inner): visit(inner)
        case .pipeline(let inner): visit(inner)
        case .list(let items): visit(items)
        case .record(let entries): for entry in entries { visit(entry.value) }
        case .field(let base, let name):
            all.append(name.span)
            visit(base)
        case .index(let base, let index): visit([base, index])
        case .call(let name, let arguments):
            all.append(name.span)
            visit(arguments)
        case .binary(_, let left, let right): visit([left, right])
        case .range(let lower, let upper, let step): visit([lower, upper] + (step.map { [$0] } ?? []))
        }
    }
}
