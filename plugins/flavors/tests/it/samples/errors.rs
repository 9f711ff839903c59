fn peers(file: &std::path::Path) -> Result<Vec<std::net::SocketAddr>> {
    let text = std::fs::read_to_string(file).context(format_args!("peers of {}", file.display()))?;
    if text.is_empty() {
        return Err(Error::msg("there are no peers").with_help("write one address a line"));
    }
    text.lines().map(|line| line.parse().context(format_args!("peer `{line}`")).help("such as 10.0.0.1:9191")).collect()
}
