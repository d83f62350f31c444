export function text(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object out of a text, or undefined. */
export function parseObject(body: string): Record<string, unknown> | undefined {
	if (!body.trimStart().startsWith('{')) return undefined;
	try {
		const value: unknown = JSON.parse(body);
		return isRecord(value) ? value : undefined;
	} catch {
		return undefined;
	}
}
