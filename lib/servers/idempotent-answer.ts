import type { Connection } from '../http/connection';
import type { CallAnswer, RequestOptions } from '../http/types';
import type { ModelQuestion } from './kinds/work';
import { retryIdempotent } from './retry';
import { optional } from '../values';

const RETRIES = 3;

/**
 * The answer to an idempotent request: waits while the model is loading, and retries after transient failures.
 *
 * @throws {ServerError}
 */
export async function idempotentAnswer(
	connection: Connection,
	url: string,
	{ model, signal, json, once = false }: ModelQuestion & Pick<RequestOptions, 'json'>,
): Promise<CallAnswer> {
	const about = { model };
	const retry = once ? undefined : retryIdempotent(connection, { retries: RETRIES, about });
	return await connection.answer(url, { json, signal, about, ...optional({ retry }) });
}
