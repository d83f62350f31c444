import type { JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { needsNewer } from '../errors/too-old';
import type { Limit } from '../paging';
import {
	listOf,
	requestOf,
	resultIn,
	type ObjectRoute,
	type PagedRoute,
	type ResultOf,
	type RouteCaller,
	type ValuesOf,
} from '../routes';

/** Calls the plain routes of an app. */
export class AppApi implements RouteCaller<ObjectRoute> {
	constructor(private readonly client: DifyClient) {}

	/** Sends one request. A GET is retried, and a change that is idempotent. @throws {ServerError} */
	async call<R extends ObjectRoute>(route: R, values: ValuesOf<R>): Promise<ResultOf<R>> {
		const { path, query, body = {} } = requestOf(route, values);
		const { method, timeoutMs, idempotent } = route;
		const asked =
			method === 'GET'
				? this.client.get(path, query, { timeoutMs })
				: this.client.send(method, path, body, { timeoutMs, idempotent });
		return resultIn(route, await needsNewer(route.needsNewer, asked));
	}

	/** Reads a list to its end or limit. @throws {ServerError} */
	async list<R extends PagedRoute>(
		route: R,
		values: ValuesOf<R>,
		most: Limit,
	): Promise<JsonRecord[]> {
		const read = async (...request: Parameters<DifyClient['get']>) =>
			await this.client.get(...request);
		return await listOf(read, route, values, most);
	}
}
