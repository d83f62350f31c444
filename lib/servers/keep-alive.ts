/** Go's form of a duration, which Ollama reads: `5m`, `1h30m`, `-1m`. */
const DURATION =
	/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))*$/;

/**
 * Parses the field: Ollama accepts a number of seconds, or a duration with a unit as text, and rejects "120" (seen with
 * 0.17.4). Undefined for an empty field.
 */
export function parseKeepAlive(typed: string): string | number | undefined {
	const text = typed.trim();
	if (text === '') return undefined;
	return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Whether Ollama can read this value. */
export function isValidKeepAlive(value: string | number): boolean {
	return typeof value === 'number' ? Number.isFinite(value) : DURATION.test(value);
}
