import { isErrorResponse } from '../errors/error-body';
import { runInSteps } from '../http/steps';
import type { HttpResponse } from '../http/types';
import { parseJsonInSteps } from '../values/json';
import type { JsonRecord } from '../values/records';
import { isRecord } from '../values/records';

/**
 * Reads a JSON object or array.
 *
 * @throws a `ServerError` for anything else, and for an error response.
 */
export async function readJson(response: HttpResponse): Promise<unknown[] | JsonRecord> {
	const text = await response.text();
	const json = await runInSteps(parseJsonInSteps(text));
	if (Array.isArray(json)) return json as unknown[];
	if (isRecord(json) && !isErrorResponse({ status: response.status, json })) return json;
	throw response.toError(text);
}
