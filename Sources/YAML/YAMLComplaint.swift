internal import Platform

/// What libyaml says of a mistake, and what that means to the person who wrote the file.
struct YAMLComplaint {
  /// libyaml's text of the mistake.
  var problem: String
  /// What libyaml was reading.
  var context: String
  /// Where it stopped.
  var position: YAMLPosition
  /// Where that began which it was reading.
  var contextPosition: YAMLPosition

  /// The mistake in words that say what to do.
  func error(in text: YAMLText) -> YAMLError {
    if text.character(at: position) == "\t" {
      return YAMLError(
        "a tab stands where YAML wants spaces", remedy: "indent with spaces", position: position)
    }
    switch problem {
    case "could not find expected ':'":
      return YAMLError(
        "there is no ':' after this key", remedy: "write it as 'key: value'",
        position: contextPosition)
    case "mapping values are not allowed in this context":
      return YAMLError(
        "this ':' is out of place",
        remedy:
          "put the value in quotes if the ':' belongs to it, else check the ':' and the indentation of the line before",
        position: position)
    case "did not find expected key":
      return YAMLError(
        context.contains(text: "flow")
          ? "a key is missing here" : "this line fits no level above it",
        remedy: "check its indentation, the quotes before it and the ',' between values",
        position: position)
    case "did not find expected '-' indicator":
      return YAMLError(
        "this line is neither an entry of the list above nor outside of it",
        remedy: "start it with '- ', or check its indentation", position: position)
    case "did not find expected ',' or ']'":
      return YAMLError(
        "the list that begins with '[' is not closed", remedy: "write ']' after its last value",
        position: contextPosition)
    case "did not find expected ',' or '}'":
      return YAMLError(
        "the mapping that begins with '{' is not closed", remedy: "write '}' after its last value",
        position: contextPosition)
    case "found unexpected end of stream", "found unexpected document indicator":
      return YAMLError(
        "the quote that opens here is never closed", remedy: "close it at the end of the value",
        position: contextPosition)
    case "found unknown escape character":
      return YAMLError(
        "a backslash in double quotes starts an escape that does not exist",
        remedy: "write it twice, or put the value in single quotes", position: position)
    case "found character that cannot start any token":
      let character = text.character(at: position).map { "'\($0)'" } ?? "this character"
      return YAMLError(
        "a value cannot begin with \(character)", remedy: "put it in quotes", position: position)
    case "block sequence entries are not allowed in this context":
      return YAMLError(
        "a list cannot begin here", remedy: "start it on a line of its own, indented",
        position: position)
    case "did not find expected <document start>", "did not find expected node content":
      return YAMLError(
        "this does not belong here",
        remedy: "check the indentation of this line and the brackets before it", position: position)
    default:
      let said = problem.isEmpty ? "the text cannot be read" : problem
      return YAMLError(
        "this is no YAML (\(said))", remedy: "check the indentation and the quotes here",
        position: position)
    }
  }
}
