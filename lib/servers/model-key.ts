import type { Connection } from '../http/connection';

/** A model on a server. */
export interface ModelAtServer {
	connection: Pick<Connection, 'url'>;
	/** The model's name on this server. */
	model: string;
}

/** The key under which something is remembered of a model on a server. */
export function modelKey({ connection, model }: ModelAtServer): string {
	return `${connection.url.api} ${model}`;
}
