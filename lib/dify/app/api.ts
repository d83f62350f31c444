import type { JsonRecord } from '../../values';
import type { DifyClient, Query } from '../client';
import {
	requestOf,
	resultIn,
	RouteCaller,
	type ObjectRoute,
	type ResultOf,
	type ValuesOf,
} from '../routes';

/** Calls the plain routes of an app. */
export class AppApi extends RouteCaller<ObjectRoute> {
	constructor(private readonly client: DifyClient) {
		super();
	}

	/** Sends one request. A GET is retried, and a change that is idempotent. @throws {ServerError} */
	async call<R extends ObjectRoute>(route: R, values: ValuesOf<R>): Promise<ResultOf<R>> {
		const { path, query, body = {} } = requestOf(route, values);
		const { method, timeoutMs, idempotent } = route;
		const answer =
			method === 'GET'
				? await this.client.get(path, query, { timeoutMs })
				: await this.client.send(method, path, body, { timeoutMs, idempotent });
		return resultIn(route, answer);
	}

	protected async readObject(path: string, query: Query): Promise<JsonRecord> {
		return await this.client.get(path, query);
	}
}
