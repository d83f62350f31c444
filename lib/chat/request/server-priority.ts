import type { Connection } from '../../http/connection';
import { type KindName, kindOf } from '../../servers/kinds';
import { optional } from '../../values';
import type { ChatRequest } from '../types';

/** The class of the requests of a connection in the numbers of the server; undefined where it does not order by it. */
export function serverPriority({ priority }: Connection, kind: KindName): number | undefined {
	const { priorities = {} } = kindOf(kind).chat;
	return priority && priorities[priority];
}

/** Adds the class of the request, for servers that order waiting requests by it. */
export function withServerPriority(
	connection: Connection,
	request: ChatRequest,
): { request: ChatRequest; notes: string[] } {
	const priority = serverPriority(connection, request.serverKind);
	return { request: { ...request, ...optional({ priority }) }, notes: [] };
}
