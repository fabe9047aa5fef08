import Kernels

/// What the engine throws when something that came from outside (a file, a prompt, a setting) cannot be used.
/// The message says what was expected and what was found; `place` names the file or the part; `cure` says
/// what to do.
package struct EngineError: Error, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// A file that is missing, cannot be read or cannot be written.
        case file
        /// A file whose content is damaged or of another kind than its name says.
        case format
        /// Weights that do not fit the configuration: missing, unused or misshapen names.
        case weights
        /// A model or scheduler configuration without a needed key, or with a value that is out of range.
        case configuration
        /// Something that exists elsewhere but is not supported here.
        case unsupported
        /// A picture or tensor whose size or shape does not fit.
        case shape
        /// Text that cannot be used.
        case text
        /// A schedule asked for something that it does not have: no steps left, too many steps.
        case schedule
        /// Data that is missing, such as game data that is not installed.
        case data
        /// Too large for this machine's memory.
        case memory
        /// A training whose loss is no longer a number.
        case training
        /// A result that holds NaN or infinity.
        case numbers
        /// A file that lies outside of what may be read.
        case notReadable
        /// A file that lies outside of what may be written.
        case notWritable
        /// Stopped by the user.
        case interrupted
    }

    package var kind: Kind
    package var message: String
    package var place: String?
    package var cure: String?
    /// Each of several findings that the message counts, a line each.
    package var details: [String]
    /// Whether a disk had no room for what was to be written.
    package var lacksRoom = false

    package init(
        _ kind: Kind, _ message: String, place: String? = nil, cure: String? = nil, details: [String] = []
    ) {
        self.kind = kind
        self.message = message
        self.details = details
        self.place = place
        self.cure = cure
    }

    /// Ends a computation between two layers where the user has given it up: see `ThreadPool.abandonment`.
    package static func checkAbandoned() throws {
        if ThreadPool.abandonment?.isSet ?? false { throw EngineError(.interrupted, "stopped") }
    }

    package var description: String {
        (place.map { "\($0): " } ?? "") + message + (cure.map { " (\($0))" } ?? "")
            + details.map { "\n  " + $0 }.joined()
    }
}
