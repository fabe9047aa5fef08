internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

extension EngineError {
    /// What the operating system said about the last call, as an error that names the file.
    static func system(_ action: String, _ path: String, code: Int32 = errno) -> EngineError {
        let cure: String? =
            switch code {
            case ENOENT: "check the name and the folder it is in"
            case EACCES, EPERM: "check the permissions of the file and of its folder"
            case ENOSPC: "make room on the disk"
            case EDQUOT: "make room: what this user may take of the disk is used up"
            case EFBIG: "raise the limit on the size of files, `ulimit -f`"
            case EMFILE: "raise the limit on open files, `ulimit -n`"
            case ENFILE: "this machine has too many open files: end programs that hold them"
            case EROFS: "nothing can be written to this file system: choose a place elsewhere"
            case EIO:
                "the disk or the connection to it fails: look at the system's log before trusting it again"
            default: nil
            }
        var error = EngineError(
            .file, "\(action): \(String(cString: strerror(code)))", place: path, cure: cure)
        error.lacksRoom = code == ENOSPC || code == EDQUOT
        return error
    }
}
