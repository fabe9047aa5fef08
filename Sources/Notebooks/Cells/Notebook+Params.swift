import Files
import Interpreting
import Results
import SourceText
import Syntax
import Tensors

extension Notebook {
    /// The notebook with other values behind `param NAME =`, written so that they read as what was given from
    /// outside; every other byte is as it was.
    package func setting(_ given: [(name: String, value: String)], session: Session) throws -> Notebook {
        guard !given.isEmpty else { return self }
        let program = program(session)
        let params = Params(program.programs, session: session)
        var edits: [(range: Range<Int>, text: [UInt8])] = []
        for (name, text) in given {
            for param in params.named(name) {
                guard let standard = param.standard else {
                    throw EngineError(
                        .text,
                        """
                        the default of `\(name)` follows from what only a run makes, so \(name)=\(text) \
                        cannot be written in its place
                        """,
                        place: self.name,
                        cure: "give the param a plain value")
                }
                guard let value = ParamText.value(text, like: standard),
                    let part = program.parts.first(where: { $0.program.source === param.source })
                else {
                    continue
                }
                guard let written = try Self.written(value, as: text, for: param, session),
                    let place = place(of: param.values.span, in: part.cell)
                else {
                    throw EngineError(
                        .text, "\(name)=\(text) cannot be written into the notebook", place: self.name)
                }
                edits.append((place, Array(written.utf8)))
            }
        }
        var result = try Notebook(name: name, bytes: replacing(edits))
        result.fileName = fileName
        return result
    }

    /// The value as the first of some spellings that reads as it: a range stays one, a list has brackets
    /// unless it stood there without.
    private static func written(_ value: Value, as text: String, for param: Params.Param, _ session: Session)
        throws -> String?
    {
        guard let plain = ParamText.written(value) else { return nil }
        var spellings = [plain]
        if case .list(let values) = value {
            if values.count > 1, param.values.items.count > 1 {
                spellings.insert(String(plain.dropFirst().dropLast()), at: 0)
            }
            if text.contains("..") { spellings.insert(text, at: 0) }
        }
        return try spellings.first { spelling in
            let source = SourceFile(name: "param", text: "param \(param.name.text) = \(spelling)")
            let scratch = Session(verbs: session.verbs, access: session.access)
            let read = Params([scratch.read(source)], session: scratch).all
            return try read.count == 1 && read[0].values.span.upper == source.span.upper
                && read[0].standard?.identity() == value.identity()
        }
    }

    /// Where in the file a place of a cell's code stands. Code has lost the indentation of its fence and the
    /// file's line ends, so places are counted from the ends of their lines.
    private func place(of span: Span, in cell: Cell) -> Range<Int>? {
        let code = Array(cell.code.utf8)
        func offset(_ place: Int) -> Int? {
            guard place >= 0, place <= code.count else { return nil }
            let line = lines.content(of: cell.firstCodeLine + code[..<place].count { $0 == 0x0A })
            let found = line.upperBound - ((code[place...].firstIndex(of: 0x0A) ?? code.count) - place)
            return found >= line.lowerBound ? found : nil
        }
        guard let lower = offset(span.lower), let upper = offset(span.upper), lower < upper else {
            return nil
        }
        let isOneLine = !code[span.lower..<span.upper].contains(0x0A)
        return !isOneLine || bytes[lower..<upper].elementsEqual(code[span.lower..<span.upper])
            ? lower..<upper : nil
    }

    /// Digest of what people wrote: the file without any output.
    package var textDigest: String {
        get throws {
            let none = Dictionary(uniqueKeysWithValues: cells.map { ($0.index, "") })
            return try Digest.sha256(rewriting(none, keepsOrphans: false))
        }
    }
}
