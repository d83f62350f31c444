import { isErrorResponse } from '../errors/error-body';
import type { HttpResponse } from '../http/types';
import { parseJson } from '../values/json';
import type { JsonRecord } from '../values/records';
import { isRecord } from '../values/records';

/**
 * Reads a JSON object or array.
 *
 * @throws a `ServerError` for anything else, and for an error response.
 */
export async function readJson(response: HttpResponse): Promise<unknown[] | JsonRecord> {
	const text = await response.text();
	const json = parseJson(text);
	if (Array.isArray(json)) return json as unknown[];
	if (isRecord(json) && !isErrorResponse({ status: response.status, json })) return json;
	throw response.toError(text);
}
