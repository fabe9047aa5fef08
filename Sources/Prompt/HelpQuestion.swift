import Interpreting
import SourceText
import Syntax

/// `noise?` and `test | noise ?` ask what the last word is.
package enum HelpQuestion {
    /// What help is asked for where a question ends in a word: of a verb's argument or option the verb,
    /// unless the word has a page of its own.
    static func verb(asking word: String, in text: String, _ session: Session) -> String {
        guard session.verb(word) == nil else { return word }
        let isCode = word.first?.isLetter == true && DiagnosticCode(typed: word) != nil
        if isCode || Function(rawValue: word) != nil || LanguageForm.all.contains(where: { $0.name == word })
        {
            return word
        }
        let source = SourceFile(name: "question", text: text)
        // The option's verb is the last one before it.
        let verb = CodeToken.all(in: source, verbs: session.verbSet).last { $0.kind == .verb }
        return verb.map { source.text(of: $0.span) } ?? word
    }

    package static func word(in text: String) -> String? {
        // IPython's order, and its `??` for more.
        if text.hasPrefix("?"), text.count > 1 { return word(in: text.drop { $0 == "?" }.trimmed + "?") }
        if text.hasSuffix("??"), text.count > 2 { return word(in: String(text.dropLast())) }
        guard text.hasSuffix("?"), !text.dropLast().hasSuffix("\"") else { return nil }
        let source = SourceFile(name: "question", text: String(text.dropLast()))
        let tokens = CodeToken.all(in: source, verbs: VerbSet())
        // Inside a string a question mark is a question mark.
        guard tokens.last?.isOpen != true else { return nil }
        return tokens.last(where: \.isWord).map { source.text(of: $0.span) } ?? (text == "?" ? "" : nil)
    }
}
