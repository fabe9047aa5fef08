import SourceText

/// What may stand at the cursor.
package struct Completions: Equatable, Sendable {
    /// Sorted, each with the word that is already there as its beginning. A file's name that would steer the
    /// terminal is none of them: the editor shows what it inserts as it is.
    package var words: [String]
    /// Behind a single match: a space, or nothing.
    package var append: Unicode.Scalar?
    /// How the verb being typed is used.
    package var hint: String?

    package init(_ words: some Sequence<String>, append: Unicode.Scalar? = " ", hint: String? = nil) {
        self.words = Set(words.filter { !$0.unicodeScalars.contains(where: \.isSteering) }).sorted()
        self.append = append
        self.hint = hint
    }

    /// The beginning that all words share.
    package var common: String {
        guard let first = words.first else { return "" }
        return words.dropFirst().reduce(first) { common, word in
            String(zip(common, word).prefix { $0 == $1 }.map(\.0))
        }
    }
}
