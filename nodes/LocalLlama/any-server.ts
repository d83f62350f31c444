import type { Connection } from '../../lib/http/connection';
import type { NativeRouteOptions } from '../../lib/servers/manage/llama-server-routes';
import type { LlamaCall } from './operation';

type Work<T> = (connection: Connection, ask: NativeRouteOptions) => Promise<T>;

/** Asks one of the servers of the credential, and the next one where it fails: for short questions that change nothing. */
export async function atAnyServer<T>(
	{ servers, signal }: Pick<LlamaCall, 'servers'> & { signal?: AbortSignal },
	model: string,
	work: Work<T>,
): Promise<T> {
	const { value } = await servers.run(
		async ({ connection, model: there }) => await work(connection, { model: there, signal, once: servers.hasSeveral }),
		{ model, use: 'ask', limits: {}, retry: () => (failed) => failed, idempotent: true, signal },
	);
	return value;
}

/** The same about the model of an item. */
export async function askOfModel<T>(call: LlamaCall, work: Work<T>): Promise<T> {
	return await atAnyServer(call, call.parameters.name('model'), work);
}
