import Files

/// Tokens that are looked for in a text before it is split into words, by the rules of the `tokenizers`
/// library: those that are not normalised in the text as it came, the others in what normalising leaves. The
/// leftmost is taken first, the longest of several.
struct AddedVocabulary: Sendable {
    enum Part {
        case token(Int)
        case text(ArraySlice<UInt8>)
    }

    private struct Entry {
        let bytes: [UInt8]
        let id: Int
        let token: AddedToken
    }

    /// Ids that decoding leaves out.
    private(set) var specialIDs: Set<Int> = []
    /// Whether there is more than the start and the end token.
    private(set) var isOwn = false
    /// What is odd about the files, for the user.
    private(set) var remarks: [String] = []
    /// By their first byte; the longest first, of equal ones that with the smallest id.
    private var plain: [UInt8: [Entry]] = [:]
    private var normalised: [UInt8: [Entry]] = [:]
    private let skipsSpecial: Bool

    /// Enters the tokens into `table`, each with the vocabulary's id if it is there, else with the next free
    /// one, as the reference does whatever id the files give.
    /// - Parameter skipsSpecial: whether special tokens in a text are split like other words
    ///   (`split_special_tokens`).
    init(_ list: AddedTokenList, into table: inout TokenTable, skipsSpecial: Bool) {
        self.skipsSpecial = skipsSpecial
        let size = table.count
        var next = size
        var ids: [[UInt8]: Int] = [:]
        /// A token that is described again is the later one.
        var tokens: [Int: AddedToken] = [:]
        for (index, token) in list.tokens.enumerated() where !token.bytes.isEmpty {
            let known = ids[token.bytes] ?? table.id(of: token.bytes, followedBy: EmptyCollection())
            let id = known ?? next
            if known == nil { next += 1 }
            isOwn = isOwn || ![AddedTokenList.standardStart, AddedTokenList.standardEnd].contains(token.text)
            if index < list.declaredIDs.count, list.declaredIDs[index] != id {
                remark(token, declared: list.declaredIDs[index], id: id)
            }
            table.insert(token.bytes, id: id)
            ids[token.bytes] = id
            tokens[id] = token
            if token.isSpecial { specialIDs.insert(id) }
        }
        for (id, token) in tokens.sorted(by: { $0.key < $1.key }) {
            let bytes = token.isNormalised ? WordSplitter.normalised(token.bytes[...]) : token.bytes
            guard let first = bytes.first else { continue }
            let entry = Entry(bytes: bytes, id: id, token: token)
            if token.isNormalised {
                normalised[first, default: []].append(entry)
            } else {
                plain[first, default: []].append(entry)
            }
        }
        // The order of keys does not matter: each list is sorted for itself.
        plain = plain.mapValues(Self.longestFirst)
        normalised = normalised.mapValues(Self.longestFirst)
        for entries in normalised.sorted(by: { $0.key < $1.key }).map(\.value) {
            for (entry, other) in zip(entries, entries.dropFirst()) where entry.bytes == other.bytes {
                remarks.append(
                    """
                    the added tokens \(entry.token.text) (id \(entry.id)) and \(other.token.text) (id \
                    \(other.id)) are one when normalised; \(entry.id) is taken
                    """
                )
            }
        }
    }

    private static func longestFirst(_ entries: [Entry]) -> [Entry] {
        entries.sorted { ($1.bytes.count, $0.id) < ($0.bytes.count, $1.id) }
    }

    private mutating func remark(_ token: AddedToken, declared: Int, id: Int) {
        remarks.append(
            """
            the added token \(token.text) has the id \(declared) in the tokenizer's files and \(id) in \
            use: as in the reference, a word of the vocabulary keeps its id, and new ones are numbered \
            on without gaps
            """
        )
    }

    /// Splits at the tokens that are sought in this stage.
    func split(_ bytes: [UInt8], normalised isNormalised: Bool) -> [Part] {
        let sought = isNormalised ? normalised : plain
        guard !sought.isEmpty else { return bytes.isEmpty ? [] : [.text(bytes[...])] }
        var parts: [Part] = []
        /// Where the text begins that no token has taken yet.
        var begin = 0
        var place = 0
        while place < bytes.count {
            guard let hit = sought[bytes[place]]?.first(where: { bytes[place...].starts(with: $0.bytes) })
            else {
                place += 1
                continue
            }
            var start = place
            var end = place + hit.bytes.count
            // What is left where it stands is not looked at again, not even for a token that begins inside of
            // it.
            place = end
            if skipsSpecial, hit.token.isSpecial { continue }
            if hit.token.standsAlone,
                TextEdge.isWord(before: start, in: bytes) || TextEdge.isWord(at: end, in: bytes)
            {
                continue
            }
            if hit.token.takesSpaceBefore {
                start = max(TextEdge.startOfSpace(before: start, in: bytes), begin)
            }
            if hit.token.takesSpaceAfter { end = TextEdge.endOfSpace(from: end, in: bytes) }
            if begin < start { parts.append(.text(bytes[begin..<start])) }
            // None where the token before took its white space and this one is nothing else.
            if start < end { parts.append(.token(hit.id)) }
            begin = end
        }
        if begin < bytes.count { parts.append(.text(bytes[begin...])) }
        return parts
    }
}

/// What stands beside a place in UTF-8 text.
private enum TextEdge {
    /// Letters, marks, digits, connecting punctuation and joiners: `\w` of Unicode's regular expressions.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        guard !WordSplitter.isTooNew(scalar) else { return false }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }

    static func isWord(before place: Int, in bytes: [UInt8]) -> Bool {
        last(before: place, in: bytes).map(isWord) ?? false
    }

    static func isWord(at place: Int, in bytes: [UInt8]) -> Bool {
        first(at: place, in: bytes).map(isWord) ?? false
    }

    static func startOfSpace(before place: Int, in bytes: [UInt8]) -> Int {
        var place = place
        while let scalar = last(before: place, in: bytes), scalar.properties.isWhitespace {
            place -= UTF8.width(scalar)
        }
        return place
    }

    static func endOfSpace(from place: Int, in bytes: [UInt8]) -> Int {
        var place = place
        while let scalar = first(at: place, in: bytes), scalar.properties.isWhitespace {
            place += UTF8.width(scalar)
        }
        return place
    }

    private static func first(at place: Int, in bytes: [UInt8]) -> Unicode.Scalar? {
        guard place < bytes.count else { return nil }
        var iterator = bytes[place...].prefix(4).makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return scalar
    }

    private static func last(before place: Int, in bytes: [UInt8]) -> Unicode.Scalar? {
        var start = place - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start >= 0 ? first(at: start, in: bytes) : nil
    }
}
