/** A size as text: "800 bytes", "12 kB", "1.2 MB". */
export function formatBytes(bytes: number): string {
	if (bytes < 1000) return `${bytes} bytes`;
	return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${Math.round(bytes / 1e5) / 10} MB`;
}

/** A size limit as text. */
export function formatMegabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}
