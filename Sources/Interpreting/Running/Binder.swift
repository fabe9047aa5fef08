import Results
import SourceText
import Syntax

/// A command whose arguments have found their slots. Nothing is evaluated yet.
struct BoundCommand {
    /// What one slot was given.
    enum Content {
        /// Evaluate it; several items make a list.
        case expression(ListExpression)
        /// Characters as they stand.
        case raw([Argument.Item])
    }

    struct Filled {
        var slot: SlotDeclaration
        var parts: [Content]
        var span: Span
    }

    var command: Command
    var declaration: VerbDeclaration
    /// The value written as first argument, for verbs that take their input so.
    var inputArgument: ListExpression?
    /// Whether there is one, be it readable or not.
    var hasInputArgument = false
    var filled: [Filled] = []
    /// `NAME=...` pairs of the open slot.
    var open: [(name: Name, list: ListExpression)] = []

    func filled(_ slot: String) -> Filled? { filled.first { $0.slot.name == slot } }
    func filled(_ role: SlotDeclaration.Role) -> Filled? { filled.first { $0.slot.role == role } }

    func span(of slot: String) -> Span? { filled(slot)?.span }
}

/// Puts the arguments of a command into the slots of its verb and reports what does not fit.
struct Binder {
    /// Whether a name can be read as a variable where the command stands.
    private let isVariable: (String) -> Bool
    /// The verbs that have an option.
    let owners: (String) -> [String]
    private(set) var problems: [Diagnostic] = []
    /// Whether what was bound depends on the variables that there are.
    private(set) var hasAsked = false
    /// Options that the command being bound seems to mean by names it misspells: they are not reported as
    /// missing too.
    private var meant: Set<String> = []

    /// Whether an argument could not be read: it may be the one that seems to be missing.
    private var isUnread = false
    /// Where the open slot's names stand.
    private var opened: [String: Span] = [:]

    init(owners: @escaping (String) -> [String], knows: @escaping (String) -> Bool) {
        (self.owners, isVariable) = (owners, knows)
    }

    private mutating func knows(_ name: String) -> Bool {
        hasAsked = true
        return isVariable(name)
    }

    /// Where the command's input comes from.
    enum Supply {
        /// Piped in.
        case pipe
        /// The head of a statement: only an argument can give it.
        case head
        /// The head of a block's statement: an argument, else `it`.
        case blockHead
    }

    mutating func bind(_ command: Command, _ declaration: VerbDeclaration, supply: Supply) -> BoundCommand {
        var bound = BoundCommand(command: command, declaration: declaration)
        meant = []
        isUnread = false
        opened = [:]
        var arguments = command.arguments[...]
        if declaration.takesInputAsArgument, let first = arguments.first, first.name == nil,
            takesInput(first, supply, declaration)
        {
            bound.inputArgument = expression(of: first, for: nil)
            bound.hasInputArgument = true
            arguments = arguments.dropFirst()
        }
        var waiting = declaration.positional[...]
        for argument in arguments {
            if let name = argument.name {
                bindNamed(argument, name, into: &bound)
            } else if let slot = waiting.first {
                fill(&bound, slot, argument)
                if !slot.repeats { waiting = waiting.dropFirst() }
            } else {
                tooMany(argument, declaration)
            }
        }
        for slot in declaration.slots where slot.isRequired {
            let isThere =
                slot.place == .open
                ? !bound.open.isEmpty || bound.filled(slot.name) != nil : bound.filled(slot.name) != nil
            if !isThere, !isUnread, !meant.contains(slot.name) { missing(slot, command, declaration) }
        }
        for filled in bound.filled {
            guard let taker = filled.slot.taker, let other = bound.filled(taker.slot),
                let word = bound.raw(other),
                let refusal = filled.slot.refusal(beside: word, of: declaration)
            else { continue }
            problems.append(Diagnostic(refusal, at: filled.span))
        }
        if declaration.hasBlock, command.block == nil {
            report(
                .missingBlock, "`\(declaration.name)` needs a block",
                at: command.verb.span.joined(with: command.span), label: "no { ... } follows", declaration
            )
        }
        return bound
    }

    private mutating func takesInput(_ argument: Argument, _ supply: Supply, _ declaration: VerbDeclaration)
        -> Bool
    {
        switch supply {
        case .pipe: return false
        case .head: return true
        case .blockHead:
            // `{ table }` shows `it`, `{ table runs }` shows runs: a column's name gives way to a variable's.
            if declaration.positional.isEmpty { return true }
            guard let expression = argument.value?.items.first else { return false }
            if let names = expression.dottedName { return knows(names[0].text) }
            return true
        }
    }

    private mutating func bindNamed(_ argument: Argument, _ name: Name, into bound: inout BoundCommand) {
        let declaration = bound.declaration
        if let slot = declaration.named.first(where: { $0.name == name.text }) {
            if let first = bound.filled(slot.name) {
                problems.append(
                    Diagnostic(
                        .repeatedName, "`\(name.text)=` stands twice", at: name.span, label: "the second",
                        related: [Diagnostic.Label(first.span, "the first")]))
                return
            }
            fill(&bound, slot, argument)
            return
        }
        if declaration.open != nil {
            if let first = opened[name.text] {
                problems.append(
                    Diagnostic(
                        .repeatedName, "`\(name.text)=` stands twice", at: name.span, label: "the second",
                        related: [Diagnostic.Label(first, "the first")]))
                return
            }
            if let list = expression(of: argument, for: declaration.open) {
                bound.open.append((name, list))
                opened[name.text] = name.span
            }
            return
        }
        let candidates = declaration.named.map(\.name)
        if let positional = declaration.positional.first(where: { $0.name == name.text }) {
            report(
                .unknownOption,
                "`\(declaration.name)` takes \(positional.name.uppercased()) without its name", at: name.span,
                label: "write only the value", declaration)
            return
        }
        if let closest = Suggestion.closest(to: name.text, in: candidates) { meant.insert(closest) }
        report(
            .unknownOption, "`\(declaration.name)` has no option `\(name.text)`", at: name.span,
            label: ForeignWord.option(name.text, of: declaration.name) ?? Suggestion.question(
                for: name.text, in: candidates) ?? owner(of: name.text)
                ?? "no such option", declaration)
    }

    /// "it belongs to `denoise`"
    private func owner(of option: String) -> String? {
        let verbs = owners(option).map { "`\($0)`" }
        guard let last = verbs.last else { return nil }
        guard verbs.count > 1 else { return "it belongs to \(last)" }
        return verbs.count > 4
            ? "it is an option of other verbs: `help \(option)`"
            : "it belongs to \(verbs.dropLast().joined(separator: ", ")) and \(last)"
    }

    private mutating func fill(_ bound: inout BoundCommand, _ slot: SlotDeclaration?, _ argument: Argument) {
        guard let slot, let content = content(of: argument, for: slot) else { return }
        if let index = bound.filled.firstIndex(where: { $0.slot.name == slot.name }) {
            bound.filled[index].parts.append(content)
            bound.filled[index].span = bound.filled[index].span.joined(with: argument.span)
        } else {
            bound.filled.append(.init(slot: slot, parts: [content], span: argument.span))
        }
    }

    /// What the argument is for the slot: characters for a raw slot unless a quote or bracket forces a value.
    private mutating func content(of argument: Argument, for slot: SlotDeclaration) -> BoundCommand.Content? {
        if slot.isRaw, !argument.items.contains(where: \.isForced) {
            switch slot.kind {
            case .choice(let choices):
                for item in argument.items where !choices.contains(item.raw) {
                    unknownChoice(item, choices, slot)
                }
            case .columns, .tables: break
            default:
                if argument.items.count > 1 {
                    problems.append(
                        Diagnostic(
                            .wrongType,
                            "`\(slot.name)` takes \(slot.typePhrase)"
                                + (slot.typePhrase.contains(", ") ? "" : ", not several"),
                            at: argument.rawSpan,
                            label: "\(argument.items.count) given"))
                    isUnread = true
                    return nil
                }
            }
            return .raw(argument.items)
        }
        guard let list = expression(of: argument, for: slot) else { return nil }
        return .expression(list)
    }

    private mutating func expression(of argument: Argument, for slot: SlotDeclaration?) -> ListExpression? {
        if let value = argument.value { return value }
        problems += argument.problems
        isUnread = true
        return nil
    }

    // MARK: What can be wrong

    private mutating func unknownChoice(_ item: Argument.Item, _ choices: [String], _ slot: SlotDeclaration) {
        var complaint = Complaint.unknownChoice(item.raw, choices, of: slot)
        if knows(item.raw) {
            complaint.help.append("to use the variable, put it in brackets: `\(slot.name)=(\(item.raw))`")
        }
        problems.append(Diagnostic(complaint, at: item.span))
    }

    private mutating func tooMany(_ argument: Argument, _ declaration: VerbDeclaration) {
        let options = declaration.named.map(\.name)
        var label = declaration.positional.isEmpty ? "it takes none" : "one more than it takes"
        if options.contains(argument.raw) { label = "an option needs its value: `\(argument.raw)=...`" }
        report(
            .tooManyArguments, "`\(declaration.name)` has no place for `\(argument.raw)`", at: argument.span,
            label: label, declaration)
    }

    private mutating func missing(_ slot: SlotDeclaration, _ command: Command, _ declaration: VerbDeclaration)
    {
        let name =
            slot.place == .named
            ? "`\(slot.name)=`" : slot.place == .open ? "`NAME=...`" : slot.name.uppercased()
        report(
            .missingArgument, "`\(declaration.name)` needs \(name)", at: command.verb.span,
            label: "\(name) is \(slot.typePhrase): \(slot.summary)", declaration
        )
    }

    private mutating func report(
        _ code: DiagnosticCode, _ title: String, at span: Span, label: String, _ declaration: VerbDeclaration
    ) {
        problems.append(
            Diagnostic(code, title, at: span, label: label, help: ["usage: " + declaration.usage]))
    }
}
