import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import { optional } from '../../values';
import type { ChatRequest } from '../types';

/** Adds the class of the request, for servers that order waiting requests by it. */
export function withServerPriority(
	connection: Connection,
	request: ChatRequest,
): { request: ChatRequest; notes: string[] } {
	const { priorities = {} } = kindOf(request.serverKind).chat;
	const priority = connection.priority && priorities[connection.priority];
	return { request: { ...request, ...optional({ priority }) }, notes: [] };
}
