import Locations
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The user's own editor for a file.
enum TextEditor {
    /// Runs $VISUAL, else $EDITOR, else vi, and waits until it is closed.
    static func open(_ path: String) throws {
        let named = EnvironmentVariable.visualEditor.value ?? EnvironmentVariable.editor.value ?? "vi"
        // An editor may come with options: EDITOR="code --wait".
        let words = named.split(separator: " ").map(String.init) + [path]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawnp(&process, words[0], nil, nil, &arguments, environ)
        guard code == 0 else {
            throw EngineError(
                .file, "the editor `\(words[0])` cannot be started: \(String(cString: strerror(code)))",
                cure: "set EDITOR to one that is installed")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
}
