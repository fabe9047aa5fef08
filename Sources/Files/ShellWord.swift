/// A word of a command line as a shell reads it, for commands that a message gives to be pasted.
package enum ShellWord {
    /// The text itself where no shell takes a character of it for more than itself, else in single quotes.
    package static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "_-+=:,./@%^".unicodeScalars.contains(scalar)
        }
        if plain, !text.isEmpty { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
            + "'"
    }
}
