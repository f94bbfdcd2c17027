/// The one place in code that says which version this is; CHANGELOG.md begins with the same (`scripts/project-rules`).
public enum Version {
  public static var text: String { "0.1.0" }
}
