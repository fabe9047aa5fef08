// Names in composed form (NFC), so that one name has one spelling in bytes, for keys and files. Swift
// compares strings by canonical equivalence already, which is what makes two spellings one name; this only
// picks the bytes. The standard library has no public normalisation and FoundationEssentials none at all, so
// the composed letters of the alphabetic scripts are found by that very comparison, and Hangul syllables by
// arithmetic (Unicode 3.12). A letter with marks that no single scalar covers stays as it was written.

enum NameComposition {
    static func composed(_ name: String) -> String {
        // Below U+0300 everything is composed.
        guard name.unicodeScalars.contains(where: { $0.value >= 0x300 }) else { return name }
        var result = ""
        for character in name {
            if let syllable = hangul(character) {
                result.append(syllable)
            } else {
                result.append(letters[character] ?? character)
            }
        }
        return result
    }

    /// The scalars of Latin, Greek, Cyrillic and their extensions, each under all of its spellings.
    private static let letters: [Character: Character] = {
        var letters: [Character: Character] = [:]
        for block: ClosedRange<UInt32> in [0xC0...0x24F, 0x370...0x4FF, 0x1E00...0x1FFF] {
            for value in block {
                guard let scalar = Unicode.Scalar(value), scalar.properties.isAlphabetic else { continue }
                let character = Character(scalar)
                // The first of two equivalent scalars is the composed form; the later one a compatibility
                // copy.
                if letters[character] == nil { letters[character] = character }
            }
        }
        return letters
    }()

    /// A syllable from its two or three parts.
    private static func hangul(_ character: Character) -> Character? {
        let parts = character.unicodeScalars.map(\.value)
        guard parts.count == 2 || parts.count == 3, (0x1100...0x1112).contains(parts[0]),
            (0x1161...0x1175).contains(parts[1])
        else { return nil }
        var value = 0xAC00 + ((parts[0] - 0x1100) * 21 + (parts[1] - 0x1161)) * 28
        if parts.count == 3 {
            guard (0x11A8...0x11C2).contains(parts[2]) else { return nil }
            value += parts[2] - 0x11A7
        }
        return Unicode.Scalar(value).map { Character($0) }
    }
}
