package import Tensors

/// Captions told in other ways, so that a text tower cannot know them by heart: only the name, only the
/// definition, words left out.
package struct CaptionChange: Sendable, Hashable {
    /// Share of words left out.
    package var wordDropout: Double
    /// Share of captions of which only the name, before the first comma, is told; and as many of which only
    /// the rest is.
    package var partShare: Double

    package init(wordDropout: Double = 0.5, partShare: Double = 0.15) {
        self.wordDropout = wordDropout
        self.partShare = partShare
    }

    package func callAsFunction(_ text: String, _ generator: inout Generator) -> String {
        let draw = generator.uniformDoubles(count: 1)[0]
        var chosen = Substring(text)
        if let comma = text.firstIndex(of: ",") {
            if draw < partShare {
                chosen = text[..<comma]
            } else if draw < 2 * partShare {
                chosen = text[text.index(after: comma)...]
            }
        }
        let words = chosen.split(separator: " ")
        let kept = zip(words, generator.uniformDoubles(count: words.count)).filter { $1 >= wordDropout }.map(
            \.0)
        return (kept.isEmpty ? words : kept).joined(separator: " ")
    }
}
