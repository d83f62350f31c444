import type { Connection } from '../http/connection';
import type { CallOptions } from '../http/types';
import { isRecord } from '../values';

/**
 * The JSON object of a route that not every server has; undefined where there is none. What else is asked of the server
 * meets the same trouble and reports it properly.
 */
export async function optionalJson(
	connection: Connection,
	path: string,
	options: CallOptions,
): Promise<Record<string, unknown> | undefined> {
	try {
		const { status, json } = await connection.call(connection.url.root + path, options);
		return status < 300 && isRecord(json) ? json : undefined;
	} catch {
		return undefined;
	}
}

/** The objects of a list; none where it is no list. */
export function entries(value: unknown): Array<Record<string, unknown>> {
	return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}
