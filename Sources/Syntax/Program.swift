// The tree of a text, as in the grammar of `language.md`. Every node has a span; nothing here knows what a
// verb does. Equality that ignores spans is equality of `Dump` texts.

import SourceText

/// program := { statement (NEWLINE | ";") }
package struct Program: Sendable {
    package var source: SourceFile
    package var statements: [Statement]
    package var span: Span { source.span }
}

/// block := "{" program "}"; the span holds the braces.
package struct Block: Sendable {
    package var statements: [Statement]
    package var span: Span
}

/// A name as written, with its place. Names are equal where they are canonically equivalent, as Swift
/// compares strings.
package struct Name: Sendable {
    package var text: String
    package var span: Span

    package init(_ text: String, _ span: Span) {
        self.text = text
        self.span = span
    }
}

package struct Statement: Sendable {
    package enum Kind: Sendable {
        /// NAME "=" pipeline
        case assignment(Name, Pipeline)
        case pipeline(Pipeline)
        /// "param" NAME "=" list ["in" list]
        case param(Name, values: ListExpression, allowed: ListExpression?)
        /// "def" NAME NAME* block
        case definition(Name, parameters: [Name], body: Block)
    }

    package var kind: Kind
    package var span: Span
}

/// pipeline := (command | list) { "|" command }
package struct Pipeline: Sendable {
    package enum Head: Sendable {
        case values(ListExpression)
        case command(Command)
    }

    package var head: Head
    /// What follows the head, each after a `|`.
    package var commands: [Command]
    package var span: Span

    /// The one expression that this pipeline is, where it is no more than that.
    package var singleExpression: Expression? {
        guard commands.isEmpty, case .values(let list) = head, list.items.count == 1 else { return nil }
        return list.items[0]
    }

    /// All commands, the head's included.
    package var allCommands: [Command] {
        if case .command(let command) = head { [command] + commands } else { commands }
    }
}

/// list := expr { "," expr }, at least one
package struct ListExpression: Sendable {
    package var items: [Expression]
    package var span: Span
}
