/// Finds the name a person probably meant, by restricted Damerau distance (optimal string alignment:
/// insertions, deletions, changes and swaps of neighbours, none edited twice) on lower-cased names.
package enum Suggestion {
    /// The closest of the candidates, or nothing where none is close: at most one edit for names up to 3
    /// letters, two up to 7, three beyond. Of equals, the first.
    package static func closest(to name: String, in candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().prefix(64))
        guard !wanted.isEmpty else { return nil }
        let allowed = wanted.count <= 3 ? 1 : wanted.count <= 7 ? 2 : 3
        var best: (name: String, distance: Int)?
        for candidate in candidates where candidate != name {
            let letters = Array(candidate.lowercased())
            guard abs(letters.count - wanted.count) <= allowed else { continue }
            let distance = distance(wanted, letters)
            // A name that shares nothing with the wanted one is no help, however short both are.
            guard distance <= allowed, distance < max(wanted.count, letters.count) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.name
    }

    /// `did you mean `of`?`, or nothing.
    package static func question(for name: String, in candidates: some Sequence<String>) -> String? {
        closest(to: name, in: candidates).map { "did you mean `\($0)`?" }
    }

    /// The restricted Damerau distance of two words.
    package static func distance(_ a: [Character], _ b: [Character]) -> Int {
        if a.isEmpty { return b.count }
        if b.isEmpty { return a.count }
        var twoBack = [Int](repeating: 0, count: b.count + 1)
        var oneBack = Array(0...b.count)
        var row = oneBack
        for i in 1...a.count {
            row[0] = i
            for j in 1...b.count {
                let change = oneBack[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                row[j] = min(oneBack[j] + 1, row[j - 1] + 1, change)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], twoBack[j - 2] + 1)
                }
            }
            (twoBack, oneBack, row) = (oneBack, row, twoBack)
        }
        return oneBack[b.count]
    }
}
