import { ServerError } from '../../errors/server-error';
import type { JsonRecord } from '../../values';
import type { DifyClient } from '../client';

/** Descriptions of an app, named after their routes. */
export type AppPart = 'info' | 'parameters' | 'meta' | 'site';

/**
 * Dify's descriptions of an app. `site` is null where the app has no web app.
 *
 * @throws {ServerError} for the other parts, `app_unavailable` where nothing is published
 */
export async function describeApp(
	client: DifyClient,
	parts: readonly AppPart[],
): Promise<Partial<Record<AppPart, JsonRecord | null>>> {
	// If one fails, the others are aborted.
	const left = new AbortController();
	const { signal } = client;
	const either = client.withSignal(
		signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]),
	);
	const read = parts.map(async (part) => [part, await partOf(either, part)] as const);
	try {
		return Object.fromEntries(await Promise.all(read));
	} finally {
		left.abort();
	}
}

async function partOf(client: DifyClient, part: AppPart): Promise<JsonRecord | null> {
	return await client.get(`/${part}`).catch((error: unknown) => {
		const hasNone = part === 'site' && error instanceof ServerError && error.status === 403;
		return hasNone ? null : Promise.reject(error as Error);
	});
}
