/** Options that a server would silently ignore in its setup. */
import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import type { ChatRequest } from '../types';

/** The request without options that would have no effect, and notes about them. */
export async function withoutIneffectiveOptions(
	connection: Connection,
	request: ChatRequest,
): Promise<{ request: ChatRequest; notes: string[] }> {
	const { parameters, serverKind, model } = request;
	const { ineffectiveOptions } = kindOf(serverKind).chat;
	if (ineffectiveOptions === undefined) return { request, notes: [] };
	const { cacheReuse, lora } = parameters;
	const { without, notes } = await ineffectiveOptions(connection, model, { cacheReuse, lora });
	const unset = Object.fromEntries(without.map((name) => [name, undefined]));
	return { request: { ...request, parameters: { ...parameters, ...unset } }, notes };
}
