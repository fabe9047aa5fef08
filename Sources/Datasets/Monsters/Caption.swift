/// A monster's caption: its name with the article, a comma, the first sentence that describes it, in lower
/// case, 20 words at most. "a fire dragon, a great reptilian beast with powerful claws on its limbs"
enum Caption {
    static let mostWords = 20

    /// `isProper`: the name stands as it is, without article.
    static func sentence(name: String, isProper: Bool, description: String) -> String {
        let subject = isProper ? name : withArticle(name)
        let sentence = withoutPronoun(descriptive(in: description, of: subject))
        // "A plant that has adapted to ..." already begins with the name.
        if sentence.lowercased().hasPrefix(subject.lowercased()),
            sentence.dropFirst(subject.count).first?.isLetter != true
        {
            return shortened(subject + sentence.dropFirst(subject.count), to: mostWords)
        }
        let room = mostWords - words(subject).count
        let lower =
            isProper && beginsWithName(sentence, name)
            ? sentence : sentence.prefix(1).lowercased() + sentence.dropFirst()
        return sentence.isEmpty || room < 3 ? subject : subject + ", " + shortened(lower, to: room)
    }

    /// Only the first letter of a common name loses its capital: "Great Wyrm of Thunder" gives "a great Wyrm
    /// of Thunder".
    private static func withArticle(_ name: String) -> String {
        let lower = name.prefix(1).lowercased() + name.dropFirst()
        let sound = lower.hasPrefix("one") ? "w" : lower.prefix(1)
        return (["a", "e", "i", "o", "u"].contains(sound) ? "an " : "a ") + lower
    }

    private static func beginsWithName(_ sentence: String, _ name: String) -> Bool {
        func bare(_ word: Substring) -> Substring { word.prefix { $0.isLetter || $0 == "-" } }
        guard let first = words(sentence).first else { return false }
        return words(name).contains { bare($0) == bare(first) }
    }

    /// The first sentence of at least four words, which "Yum!" and "A magical cat." are not, and no mere
    /// remark; or the name itself.
    private static func descriptive(in description: String, of subject: String) -> String {
        let sentences = sentences(description)
        let remarks = ["It looks quite tasty", "It doesn't"]
        let long = sentences.filter { words($0).count >= 4 || $0.lowercased() == subject.lowercased() }
        let telling = long.filter { sentence in !remarks.contains { sentence.hasPrefix($0) } }
        return telling.first ?? long.first ?? sentences.first ?? ""
    }

    /// Sentences without their final marks and without quotation marks.
    private static func sentences(_ text: String) -> [String] {
        var sentences: [[Substring]] = [[]]
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\"" }) {
            sentences[sentences.count - 1].append(word)
            if let last = word.last, last == "." || last == "!" || last == "?" { sentences.append([]) }
        }
        return sentences.filter { !$0.isEmpty }.map { words in
            var text = words.joined(separator: " ")[...]
            while let last = text.last, ".!? ".contains(last) { text.removeLast() }
            return String(text)
        }
    }

    /// "It is a large fly" becomes "a large fly"; "He is a large orc" says more and stays.
    private static func withoutPronoun(_ sentence: String) -> String {
        for opening in ["It is ", "It's ", "It appears to be ", "This is "] where sentence.hasPrefix(opening)
        {
            let rest = sentence.dropFirst(opening.count)
            if let word = words(rest).first, ["a", "an", "the", "about", "one"].contains(word) {
                return String(rest)
            }
        }
        return sentence
    }

    /// Cuts after the last clause that fits if it leaves at least eight words, else before a word that opens
    /// a phrase, else between words.
    private static func shortened(_ text: some StringProtocol, to room: Int) -> String {
        let all = words(text)
        guard all.count > room else { return joined(all[...]) }
        var kept = all[..<room]
        if let end = endOfClause(kept) { return joined(kept[..<end]) }
        while let last = kept.last, unfinished.contains(String(last)) { kept.removeLast() }
        if kept.count == room, !openings.contains(String(all[room])) {
            for place in kept.indices.reversed()
            where place > room * 3 / 5 && openings.contains(String(kept[place])) {
                return joined(kept[..<place])
            }
        }
        return joined(kept)
    }

    /// The place after the last clause of at least eight words; before a dash, four suffice.
    private static func endOfClause(_ words: ArraySlice<Substring>) -> Int? {
        for place in words.indices.reversed() {
            if words[place] == "-" {
                if place >= 4 { return place }
            } else if place >= 7, let mark = words[place].last, mark == "," || mark == ";" || mark == ":" {
                return place + 1
            }
        }
        return nil
    }

    private static func words(_ text: some StringProtocol) -> [Substring] {
        Substring(text).split { $0 == " " }
    }

    private static func joined(_ words: ArraySlice<Substring>) -> String {
        var text = words.joined(separator: " ")
        while let last = text.last, ",;:".contains(last) { text.removeLast() }
        return text
    }

    private static let openings: Set = ["and", "with", "to", "in", "into"]
    /// Words that no phrase ends with.
    private static let unfinished: Set = [
        "a", "an", "the", "of", "to", "and", "or", "with", "in", "on", "by", "for", "from", "that", "which",
        "who", "its", "his", "her", "their", "as",
        "at", "into", "is", "are", "be", "than", "but", "this", "was", "has",
    ]
}
