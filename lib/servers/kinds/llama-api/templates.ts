/** The chat templates of llama-server. */
import type { Connection } from '../../../http/connection';
import { cachedJson } from '../../optional-json';
import { modelQueryWithoutLoading } from './routes';

export async function templateOnServer(connection: Connection): Promise<unknown> {
	return await cachedJson(connection, `${connection.url.root}/props`);
}

export async function templateOnRouter(connection: Connection, model: string): Promise<unknown> {
	const query = modelQueryWithoutLoading(model);
	return await cachedJson(connection, `${connection.url.root}/props${query}`);
}
