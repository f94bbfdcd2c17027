/// The one place that says which version this is.
public enum Version {
  public static var text: String { "0.1.0" }
}
