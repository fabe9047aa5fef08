// How a source line shows on a terminal: which cells a character takes, and what stands for what must not
// reach a terminal.

package enum DisplayText {
    /// The terminal cells of a character: 2 for East Asian wide ones and emoji, 0 for a mark on its own, else
    /// 1.
    package static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case 0..<0x300: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
            0x20000...0x3FFFD:
            return 2
        default:
            if first.properties.isEmojiPresentation { return 2 }
            switch first.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return 0
            default: return 1
            }
        }
    }

    package static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// The text on one line, with tabs as four spaces and what steers terminals as visible signs, so that
    /// nothing from outside can. A sign for a sign, so that columns stay columns: a control picture (`␛` for
    /// Escape) where Unicode has one, else the replacement character.
    package static func visible(_ text: some StringProtocol) -> String { visible(text, keepsLines: false) }

    /// The same with line breaks and tabs as they are.
    package static func visibleLines(_ text: some StringProtocol) -> String {
        visible(text, keepsLines: true)
    }

    private static func visible(_ text: some StringProtocol, keepsLines: Bool) -> String {
        guard mayHoldSteering(text) else { return String(text) }
        var result = String.UnicodeScalarView()
        var pending: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if let sign = pending {
                pending = nil
                // The carriage return of a line end is part of it.
                if !keepsLines || scalar != "\n" { result.append(visible(sign)) }
            }
            switch scalar {
            case "\r": pending = scalar
            case "\n" where keepsLines, "\t" where keepsLines: result.append(scalar)
            case "\t": result.append(contentsOf: "    ".unicodeScalars)
            default: result.append(scalar.isSteering ? visible(scalar) : scalar)
            }
        }
        if let pending { result.append(visible(pending)) }
        return String(result)
    }

    private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        scalar.value < 0x20 ? Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}" : "\u{FFFD}"
    }

    /// Whether any byte is one that scalars which steer begin with: nearly all texts have none.
    private static func mayHoldSteering(_ text: some StringProtocol) -> Bool {
        func isSuspect(_ byte: UInt8) -> Bool {
            byte < 0x20 || byte == 0x7F || byte == 0xC2 || byte == 0xD8 || byte == 0xE2
        }
        return text.utf8.withContiguousStorageIfAvailable { $0.contains(where: isSuspect) }
            ?? text.utf8.contains(where: isSuspect)
    }
}

extension Unicode.Scalar {
    /// Whether it steers what shows it, or may: control characters, of which the second set (U+0080 to
    /// U+009F) begins sequences as Escape does, line separators, and those that change the direction in which
    /// text is shown, so that it reads as what it is not.
    package var isSteering: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
