import SourceText
import Syntax

/// Where in a line the word at its end stands: the words of its command so far, and what is open around it.
/// It goes by the tokens, because a line that is being typed seldom parses.
struct LineContext {
    /// The complete words of the innermost command before the word, its verb first.
    private(set) var words: [String] = []
    /// `of` where the word stands behind `of=`.
    private(set) var option: String?
    private(set) var isBehindBar = false
    private(set) var isInString = false
    private(set) var isInBlock = false
    /// Round and square brackets open inside the command.
    private(set) var bracketDepth = 0
    /// What flows into the command: the text from the head of its pipeline to the last bar.
    private(set) var pipeline: String?
    /// The verbs and variables that the line names.
    private(set) var names: Set<String> = []

    /// The run of characters that is being read.
    private var current = ""
    private var brackets: [(words: [String], isBehindBar: Bool, option: String?)] = []
    private var blocks = 0
    /// Where the pipeline begins, and its last bar.
    private var start = 0
    private var bar: Int?
    private var depth = 0

    private mutating func beginPipeline(at offset: Int) { (start, bar, depth) = (offset, nil, 0) }

    init(_ text: String, verbs: VerbSet) {
        let source = SourceFile(name: "line", text: text)
        let tokens = CodeToken.all(in: source, verbs: verbs)
        var end = 0
        for token in tokens {
            pass(source, from: end, to: token)
            end = token.span.upper
            take(token, source.text(of: token.span))
        }
        pass(source, from: end, to: nil)
        isInString = tokens.last.map { $0.isOpen && $0.span.upper == source.bytes.count } ?? false
        isInBlock = blocks > 0
        // A comma glues: the word behind it is still of the same option.
        if !current.isEmpty, option == nil, !current.hasSuffix(","), current != "(", current != "[" {
            words.append(current)
        }
        bracketDepth = brackets.count
        pipeline = bar.map { source.text(of: Span(start, $0)) }
    }

    /// What stands between two tokens: a space ends a word, a line's end a command unless a bar follows.
    private mutating func pass(_ source: SourceFile, from end: Int, to next: CodeToken?) {
        let gap = Span(end, next?.span.lower ?? source.bytes.count)
        guard gap.length > 0 else { return }
        let text = source.text(of: gap)
        if text.contains("\n"), !text.contains("\\"), next.map({ source.text(of: $0.span) != "|" }) ?? true {
            beginCommand(isBehindBar: false)
            beginPipeline(at: gap.upper)
        } else {
            if !current.isEmpty { words.append(current) }
            current = ""
            option = nil
        }
    }

    private mutating func beginCommand(isBehindBar: Bool) {
        words = []
        option = nil
        current = ""
        self.isBehindBar = isBehindBar
    }

    private mutating func take(_ token: CodeToken, _ text: String) {
        if token.kind == .name || token.kind == .verb { names.insert(text) }
        guard token.kind == .sign else {
            if token.kind != .comment { current += text }
            return
        }
        switch text {
        case "|":
            beginCommand(isBehindBar: true)
            if depth == 0 { bar = token.span.lower }
        case ";", "{", "}":
            beginCommand(isBehindBar: false)
            if text != ";" { brackets = [] }
            blocks = max(0, blocks + (text == "{" ? 1 : text == "}" ? -1 : 0))
            beginPipeline(at: token.span.upper)
        case "(", "[":
            brackets.append((words, isBehindBar, option))
            depth += 1
            if current.isEmpty || current.hasSuffix("=") || words.isEmpty { current += text }
        case ")", "]":
            depth = max(0, depth - 1)
            if let outer = brackets.popLast() {
                words = outer.words
                isBehindBar = outer.isBehindBar
                option = nil
            }
            current += text
        case "=":
            // At the head of a statement `name = ...` begins the command anew; in a command it names an
            // option.
            if words.isEmpty || (words.count == 1 && current.isEmpty && brackets.isEmpty && !isBehindBar) {
                (words, current) = ([], "")
            } else {
                option = current.isEmpty ? words.popLast() : current
                current = (option ?? "") + "="
            }
        default: current += text
        }
    }
}
